"""A local mirror of the packages that pages load from a content delivery network, filled with `npm pack`.

Best effort: without it, checks that need such a library are inconclusive, never false.
"""

import fcntl
import json
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from slipway_cli.failure_note import read_failure, write_failure
from slipway_cli.node import bring_node
from slipway_cli.rabbitmq_program import Say

ALWAYS = ("bootstrap@5", "marked", "@highlightjs/cdn-assets@11", "@tailwindcss/browser@4")
ASKED = re.compile(r"(?:cdn\.jsdelivr\.net/npm|unpkg\.com)/((?:@[\w.-]+/)?[\w.-]+)@(\d+)")
PACK_S = 60.0


def ensure_mirror(var: Path, texts: Iterable[Path], say: Say) -> Path | None:
    """The mirror's folder with the packages above and those that `texts` name, each of the major version named.

    Returns None when nothing could be fetched and nothing was there.
    """
    mirror = var / "cdn"
    wanted = _wanted(texts)
    if any(not _present(mirror, package) for package in wanted):
        var.mkdir(parents=True, exist_ok=True)
        with (var / "programs.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            _fill(mirror, [package for package in wanted if not _present(mirror, package)], var, say)
    return mirror if mirror.exists() and any(mirror.iterdir()) else None


def _fill(mirror: Path, missing: Sequence[str], var: Path, say: Say) -> None:
    note = var / "programs" / "no-cdn-mirror"
    if not missing or read_failure(note):
        return
    say("fetching the libraries that pages load from a CDN (once)")
    npm = _npm(var)
    problem = _fetch(npm, missing, mirror) if npm else "there is no npm, and PyPI brought none"
    if problem:
        write_failure(note, problem)
        say(f"not every library could be fetched, checks that need one will be inconclusive: {problem}")


def asked_packages(text: str) -> set[str]:
    """The packages that a text loads from a CDN, as name@major."""
    return {f"{name}@{major}" for name, major in ASKED.findall(text)}


def _wanted(texts: Iterable[Path]) -> list[str]:
    asked = {package for path in texts for package in asked_packages(path.read_text(errors="replace"))}
    return sorted({*ALWAYS, *asked})


def _split(package: str) -> tuple[str, str]:
    name, _, major = package[1:].partition("@")
    return package[0] + name, major


def _present(mirror: Path, package: str) -> bool:
    name, major = _split(package)
    versions = [path.name for path in (mirror / name).glob("*") if path.is_dir()]
    return any(not major or version.split(".")[0] == major for version in versions)


@dataclass(frozen=True)
class Npm:
    """How npm is started."""

    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)


def _npm(var: Path) -> Npm | None:
    """npm as installed, or as PyPI brings it."""
    installed = shutil.which("npm")
    if installed:
        return Npm([installed])
    wheel = bring_node(var)
    if wheel is None:
        return None
    # As pip does: trust the certificates that the machine trusts.
    trust = {"NODE_OPTIONS": "--use-system-ca"}
    return Npm([str(wheel / "bin/node"), str(wheel / "lib/node_modules/npm/bin/npm-cli.js")], trust)


def _fetch(npm: Npm, packages: Sequence[str], mirror: Path) -> str:
    """Fetches packages into the mirror; what is wrong, or an empty string."""
    mirror.mkdir(parents=True, exist_ok=True)
    environment = {"npm_config_cache": str(mirror.parent / "cache" / "npm"), **os.environ, **npm.environment}
    with tempfile.TemporaryDirectory(dir=mirror.parent, prefix=".cdn-") as work:
        command = [*npm.command, "pack", "--json", "--fetch-retries=1", "--pack-destination", work, *packages]
        try:
            done = subprocess.run(
                command, cwd=work, env=environment, check=False, capture_output=True, text=True, timeout=PACK_S
            )
            for archive in sorted(Path(work).glob("*.tgz")):
                _unpack(archive, mirror, Path(work) / archive.stem)
        except (OSError, subprocess.SubprocessError, tarfile.TarError, ValueError, KeyError) as error:
            return f"npm pack: {error}"
    said = [line for line in done.stderr.splitlines() if "error" in line.lower()]
    return "" if done.returncode == 0 else f"npm pack: {said[0] if said else f'exit {done.returncode}'}"


def _unpack(archive: Path, mirror: Path, work: Path) -> None:
    """Puts the files of an npm package, which lie in a folder of any name, into <mirror>/<package>/<version>."""
    with tarfile.open(archive) as tar:
        for member in tar:
            inside = Path(*Path(member.name).parts[1:])
            source = tar.extractfile(member) if member.isfile() and ".." not in inside.parts else None
            if source:
                (work / inside).parent.mkdir(parents=True, exist_ok=True)
                (work / inside).write_bytes(source.read())
    # the generator's image fills its mirror with this module before anything is installed: standard library only
    manifest = json.loads((work / "package.json").read_text())
    home = mirror / manifest["name"] / manifest["version"]
    if not home.exists():
        home.parent.mkdir(parents=True, exist_ok=True)
        work.rename(home)
