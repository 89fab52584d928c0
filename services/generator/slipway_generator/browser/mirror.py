"""Content delivery networks without a network: known CDN addresses read from a directory of npm packages.

Layout: `<directory>/[@scope/]<package>/<version>/<files of the package>`.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

_NAME = r"/(?P<package>(?:@[\w.-]+/)?[\w.-]+)(?:@(?P<version>[^/]*))?(?P<path>/.*)?"
# gh/highlightjs/cdn-release is the same build as the npm package @highlightjs/cdn-assets, one folder deeper.
_RULES = (
    ("cdn.jsdelivr.net", re.compile(r"/npm" + _NAME)),
    ("cdn.jsdelivr.net", re.compile(r"/gh/(?P<package>highlightjs/cdn-release)@(?P<version>[^/]*)/build(?P<path>/.*)")),
    ("unpkg.com", re.compile(_NAME)),
    ("cdnjs.cloudflare.com", re.compile(r"/ajax/libs/(?P<package>[\w.-]+)/(?P<version>[^/]+)(?P<path>/.*)")),
)
_BUILDS = {"highlightjs/cdn-release": "@highlightjs/cdn-assets"}
# cdnjs arranges files its own way: by these names, and without the folder that npm packages keep their builds in.
_CDNJS_BUILDS = {"highlight.js": "@highlightjs/cdn-assets"}
_CDNJS_FOLDERS = ("", "dist/", "build/", "lib/")


@dataclass(frozen=True)
class Mirrored:
    """What stands in for a CDN address: the file, None when that version has no such file. `exact`: the very version
    that was asked for, not another one of the same major."""

    path: Path | None
    exact: bool


class Mirror:
    """Finds the file of a CDN address among the packages in `directory`; None: there are no packages."""

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory.resolve() if directory is not None else None

    def find(self, url: str) -> Mirrored | None:
        """What stands in for `url`; None when nothing here can tell what it would answer."""
        parts = urlsplit(url)
        for host, rule in _RULES:
            match = rule.fullmatch(unquote(parts.path)) if parts.hostname == host else None
            if match is not None and self._directory is not None:
                return _lookup(self._directory, host, match["package"], match["version"] or "", match["path"] or "")
        return None


def _lookup(directory: Path, host: str, package: str, wanted: str, path: str) -> Mirrored | None:
    cdnjs = host == "cdnjs.cloudflare.com"
    home = (directory / (_CDNJS_BUILDS if cdnjs else _BUILDS).get(package, package)).resolve()
    if not home.is_dir() or not home.is_relative_to(directory):
        return None
    version = _choose([entry.name for entry in home.iterdir() if entry.is_dir()], wanted)
    if version is None:
        return None
    folder = home / version
    names = [path.lstrip("/") or _default(folder, host)]
    if cdnjs:
        names = [prefix + names[0] for prefix in _CDNJS_FOLDERS]
    elif host == "cdn.jsdelivr.net":
        names.append(names[0].replace(".min.", "."))  # it minifies what has no minified file
    for name in names:
        file = (folder / name).resolve()
        if file.is_file() and file.is_relative_to(folder):
            return Mirrored(file, version == wanted)
    return Mirrored(None, True) if version == wanted and not cdnjs and "+esm" not in path else None


def _choose(versions: list[str], wanted: str) -> str | None:
    """The version asked for, else the newest that begins like it, else the newest of its major (of 0.x: minor)."""
    newest_first = sorted(versions, key=_order, reverse=True)
    if wanted in versions:
        return wanted
    if wanted in {"", "latest", "*"}:
        return next(iter(newest_first), None)
    asked = _order(wanted)
    if not asked:
        return None
    least = min(len(asked), 2) if asked[0] == 0 else 1
    for length in range(len(asked), least - 1, -1):
        for have in newest_first:
            if _order(have)[:length] == asked[:length]:
                return have
    return None


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def _default(package: Path, host: str) -> str:
    """The file that a CDN serves for the package itself."""
    try:
        manifest = json.loads((package / "package.json").read_text())
    except (OSError, ValueError):
        return "index.js"
    fields = ("jsdelivr" if host == "cdn.jsdelivr.net" else "unpkg", "browser", "main")
    return next((manifest[name] for name in fields if isinstance(manifest.get(name), str)), "index.js")
