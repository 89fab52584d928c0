"""Prepares .venv/ for ./run: the pinned packages and the paths of the workspace. Uses the standard library only."""

import fcntl
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
BOOTSTRAP = ROOT / "requirements" / "bootstrap.txt"
PINNED = ROOT / "requirements" / "dev.txt"
STAMP = VENV / "slipway-stamp"
UNFINISHED = VENV / "slipway-unfinished"
LOG = ROOT / "var" / "setup.log"


def main() -> None:
    """Leaves .venv/ ready and stamped; safe against a second ./run beside it and after an interrupted one."""
    (ROOT / "var").mkdir(exist_ok=True)
    with (ROOT / "var" / "setup.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        held = lock.fileno()
        wanted = f"{ROOT}\n{PINNED.read_text().rstrip(chr(10))}\n"
        if STAMP.exists() and STAMP.read_text() == wanted and _runs(PYTHON):
            return
        _say("setting up .venv (once; about half a minute)")
        LOG.write_text("")
        # An interrupted install can leave a package half written that looks complete: then everything is written again.
        again = UNFINISHED.exists()
        if not _usable():
            _step(held, "make .venv", [sys.executable, "-m", "venv", "--clear", str(VENV)])
        UNFINISHED.touch()
        STAMP.unlink(missing_ok=True)
        _install(held, again)
        _link_workspace()
        STAMP.write_text(wanted)
        UNFINISHED.unlink()


def _runs(python: Path) -> bool:
    return python.exists() and subprocess.run([python, "-c", ""], check=False, capture_output=True).returncode == 0


def _usable() -> bool:
    check = "import sys, pip; sys.exit(sys.version_info < (3, 11) or sys.prefix != sys.argv[1])"
    return PYTHON.exists() and subprocess.run(
        [PYTHON, "-c", check, str(VENV)], check=False, capture_output=True
    ).returncode == 0


def _install(held: int, again: bool) -> None:
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--require-hashes", "-r"]
    # The machine's own certificates, as pip uses them: behind a company's proxy there are no others.
    uv = [str(VENV / "bin" / "uv"), "pip", "install", "--quiet", "--system-certs", "--python", str(PYTHON)]
    uv += ["--require-hashes", *(["--reinstall"] if again else []), "-r", str(PINNED)]
    if not _try(held, [*pip, str(BOOTSTRAP)]) or not _try(held, uv):
        # uv does not read pip's configuration: where only pip knows the way to the package index, pip does it all.
        _step(held, "install the pinned packages", [*pip, str(PINNED), *(["--force-reinstall"] if again else [])])


def _link_workspace() -> None:
    """Makes the packages of the workspace importable from where they lie."""
    projects = (path for group in ("libs", "services", "tools") for path in ROOT.glob(f"{group}/*/pyproject.toml"))
    homes = sorted(path.parent for path in projects)
    site_packages = next((VENV / "lib").glob("python3*/site-packages"))
    (site_packages / "slipway.pth").write_text("".join(f"{home}\n" for home in homes))


def _try(held: int, command: list[str]) -> bool:
    """Runs a step that holds the lock too: one that outlives us must not meet the next ./run in .venv/."""
    with LOG.open("a") as log:
        log.write(f"$ {' '.join(command)}\n")
        log.flush()
        return subprocess.run(command, check=False, stdout=log, stderr=log, pass_fds=[held]).returncode == 0


def _step(held: int, what: str, command: list[str]) -> None:
    if not _try(held, command):
        tail = "\n".join(LOG.read_text().splitlines()[-8:])
        _give_up(f"could not {what}; the end of {LOG.relative_to(ROOT)}:\n{tail}")


def _say(text: str) -> None:
    sys.stderr.write(f"run: {text}\n")


def _give_up(text: str) -> NoReturn:
    _say(text)
    sys.exit(1)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
