"""Content delivery networks without a network: known CDN addresses read from a directory of npm packages.

Layout: `<directory>/[@scope/]<package>/<version>/<files of the package>`.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

_PACKAGE = r"(?P<package>(?:@[\w.-]+/)?[\w.-]+)(?:@(?P<version>[^/]*))?(?P<path>/.*)?"
_RULES = (
    ("cdn.jsdelivr.net", re.compile(r"/npm/" + _PACKAGE)),
    ("cdn.jsdelivr.net", re.compile(r"/gh/(?P<package>highlightjs/cdn-release)(?:@(?P<version>[^/]*))?(?P<path>/.*)?")),
    ("unpkg.com", re.compile(r"/" + _PACKAGE)),
    ("esm.sh", re.compile(r"/" + _PACKAGE)),
    ("cdnjs.cloudflare.com", re.compile(r"/ajax/libs/(?P<package>[\w.-]+)/(?P<version>[^/]+)(?P<path>/.*)")),
    ("cdn.tailwindcss.com", re.compile(r"/(?P<package>cdn-play)?(?P<version>\d[\w.-]*)?(?P<path>/.*)?")),
)
# Other names of the same files, and where in the npm package they lie.
_PACKAGES = {
    "highlightjs/cdn-release": "@highlightjs/cdn-assets",
    "highlight.js": "@highlightjs/cdn-assets",
    "bootstrap": "bootstrap",
}
_ROOTS = {"highlightjs/cdn-release": "/build/"}
_FOLDERS = ("", "dist/", "build/", "dist/js/", "dist/css/", "lib/")


@dataclass(frozen=True)
class Mirrored:
    """A file that stands in for a CDN address. `exact`: the very version asked for, not only its major."""

    path: Path
    exact: bool


class Mirror:
    """Finds the file of a CDN address among the packages in `directory`."""

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory

    def find(self, url: str) -> Mirrored | None:
        """The file for `url`, of the same major version, or None."""
        if self._directory is None:
            return None
        parts = urlsplit(url)
        for host, rule in _RULES:
            match = rule.fullmatch(unquote(parts.path)) if parts.hostname == host else None
            if match is not None and match["package"]:
                return _lookup(self._directory, match["package"], match["version"] or "", match["path"] or "")
        return None


def _lookup(directory: Path, package: str, wanted: str, path: str) -> Mirrored | None:
    name = _PACKAGES.get(package, package)
    home = (directory / name).resolve()
    if not home.is_dir() or not home.is_relative_to(directory.resolve()):
        return None
    versions = sorted((entry.name for entry in home.iterdir() if entry.is_dir()), key=_order, reverse=True)
    version = next((have for have in versions if have == wanted), None) or next(
        (have for have in versions if _fits(have, wanted)), None
    )
    if version is None:
        return None
    file = _file_in(home / version, path.removeprefix(_ROOTS.get(package, "/")).lstrip("/"))
    return Mirrored(file, version == wanted) if file is not None else None


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def _fits(have: str, wanted: str) -> bool:
    major = re.match(r"[\^~v=]*(\d+)", wanted)
    return wanted in {"", "latest", "*"} or (major is not None and have.split(".", maxsplit=1)[0] == major[1])


def _file_in(package: Path, path: str) -> Path | None:
    if path in {"", "+esm"}:
        return None
    for folder in _FOLDERS:
        for name in (path, path.replace(".min.", ".")):
            file = (package / folder / name).resolve()
            if file.is_file() and file.is_relative_to(package.resolve()):
                return file
    return None
