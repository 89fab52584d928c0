"""Programs from Debian's package archive: installed as root, or unpacked into a folder without root."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

POLICY = Path("/usr/sbin/policy-rc.d")
# Another C library than the loader's crashes every program; interpreters are not what is unpacked for.
# Neither are the compilers that draw three-dimensional graphics without a graphics card: 200 MB.
LIBRARY = re.compile(r"lib(?!c6|c-bin|python|perl|llvm|z3|gl1-mesa-dri).*")


class AptError(Exception):
    """apt is missing or refused; the message says what was asked and ends with apt's own last line."""


def available() -> bool:
    """Whether this machine has apt at all."""
    return shutil.which("apt-get") is not None and shutil.which("dpkg-deb") is not None


def install(packages: Sequence[str], *, services: Sequence[str] = ()) -> None:
    """Installs packages as root, without leaving a service running or set to start at boot. Raises AptError."""
    command = [
        "apt-get", "install", "-y", "-q", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=120", *packages,
    ]  # fmt: skip
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with _no_service_starts():
        try:
            _run(command, environment=environment)
        except AptError:
            # A machine without package lists, or with lists that name versions long gone.
            _run(["apt-get", "update", "-q", "-o", "DPkg::Lock::Timeout=120"], environment=environment)
            _run(command, environment=environment)
    for service in services:
        for command in (["systemctl", "disable", "--quiet", service], ["update-rc.d", service, "disable"]):
            if shutil.which(command[0]):
                subprocess.run(command, check=False, capture_output=True)


def unpack(
    package: str, target: Path, *, family: re.Pattern[str], finish: Callable[[Path], None] = lambda _: None
) -> None:
    """Unpacks a package into `target`, without root, with what it needs to run from there.

    That is: everything it depends on whose name fits `family`, and those libraries it depends on that this machine does
    not have. `finish` may change the unpacked tree. `target` appears only when it is whole. Raises AptError.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as name:
        work = Path(name)
        (work / "debs").mkdir()
        try:
            options: list[str] = []
            wanted = _needed(package, options, family)
            _run(["apt-get", *options, "download", *wanted], folder=work / "debs")
        except AptError:
            options = _own_lists(work)
            wanted = _needed(package, options, family)
            _run(["apt-get", *options, "download", *wanted], folder=work / "debs")
        for deb in sorted((work / "debs").glob("*.deb")):
            _run(["dpkg-deb", "-x", str(deb), str(work / "root")])
        (work / "root").chmod(0o755)
        finish(work / "root")
        (work / "root").rename(target)


def library_folders(root: Path) -> list[Path]:
    """Where the shared libraries of an unpacked tree lie; some packages keep theirs in a folder of their own."""
    homes = [*root.glob("usr/lib/*-linux-gnu*"), *root.glob("lib/*-linux-gnu*")]
    folders = [folder for home in homes for folder in (home, *sorted(home.iterdir())) if folder.is_dir()]
    return [folder for folder in folders if any(folder.glob("lib*.so*"))]


def _needed(package: str, options: Sequence[str], family: re.Pattern[str]) -> list[str]:
    switches = ["no-recommends", "no-suggests", "no-conflicts", "no-breaks", "no-replaces", "no-enhances"]
    tree = _run(["apt-cache", *options, "depends", "--recurse", *(f"--{switch}" for switch in switches), package])
    relatives = [name for name in re.findall(r"(?m)^([\w.+-]+)", tree) if family.fullmatch(name)]
    plan = _run(["apt-get", *options, "-s", "-q", "--no-install-recommends", "install", package])
    missing = [name for name in re.findall(r"(?m)^Inst (\S+)", plan) if LIBRARY.fullmatch(name)]
    return sorted({package, *relatives, *missing})


def _own_lists(work: Path) -> list[str]:
    """Package lists of our own, for a machine that has none and a user who may not fetch them for all."""
    for folder in ("lists/partial", "cache/archives/partial"):
        (work / folder).mkdir(parents=True)
    options = ["-o", f"Dir::State::lists={work / 'lists'}", "-o", f"Dir::Cache={work / 'cache'}"]
    _run(["apt-get", *options, "update", "-q"])
    return options


@contextmanager
def _no_service_starts() -> Iterator[None]:
    """Debian's packages ask /usr/sbin/policy-rc.d whether they may start their services; 101 means no."""
    ours = not POLICY.exists()
    if ours:
        POLICY.write_text("#!/bin/sh\nexit 101\n")
        POLICY.chmod(0o755)
    try:
        yield
    finally:
        if ours:
            POLICY.unlink(missing_ok=True)


def _run(command: Sequence[str], *, folder: Path | None = None, environment: Mapping[str, str] | None = None) -> str:
    # Its words are read above: they must not be translated.
    environment = {**(environment or os.environ), "LC_ALL": "C.UTF-8"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if line.strip()] or [f"exit {done.returncode}"]
        raise AptError(f"{' '.join(command[:2])} {command[-1]}: {lines[-1].strip()}")
    return done.stdout
