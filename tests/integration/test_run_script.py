"""./run on a machine that lacks something: one clear line each, and nothing is made."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """What ./run needs of a clone that was never set up."""
    for path in ("run", "requirements/dev.txt", "tools/setup_venv.py"):
        (tmp_path / "clone" / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, tmp_path / "clone" / path)
    return tmp_path / "clone"


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A PATH with nothing but what a script cannot do without."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("bash", "dirname", "cat", "git"):
        found = shutil.which(name)
        assert found
        (folder / name).symlink_to(found)
    return folder


def python(programs: Path, name: str, says: str, venv: bool = True) -> None:
    """An interpreter as far as ./run asks it: for its version, and for venv."""
    script = f'#!{shutil.which("bash")}\ncase "$2" in *venv*) exit {0 if venv else 1};; *) echo {says};; esac\n'
    (programs / name).write_text(script)
    (programs / name).chmod(0o755)


def run(clone: Path, programs: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": str(programs), "HOME": os.environ.get("HOME", "/")}
    return subprocess.run(
        [clone / "run", *arguments], env=environment, capture_output=True, text=True, check=False, timeout=20
    )


def test_without_git_it_says_so(clone: Path, programs: Path) -> None:
    (programs / "git").unlink()
    done = run(clone, programs, "demo")
    assert (done.returncode, done.stderr) == (1, "run: git is missing; install the package 'git'\n")


def test_a_python_that_is_too_old_is_named(clone: Path, programs: Path) -> None:
    python(programs, "python3", "3.10")
    done = run(clone, programs, "demo")
    assert done.returncode == 1
    assert done.stderr.startswith("run: Python 3.11 or newer is needed, but python3 is Python 3.10; install python3.11")
    assert done.stderr.count("\n") == 1


def test_without_any_python_it_says_what_is_needed(clone: Path, programs: Path) -> None:
    done = run(clone, programs, "test")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "Python 3.11 or newer is needed; install python3.11" in done.stderr


def test_without_venv_the_package_is_named(clone: Path, programs: Path) -> None:
    python(programs, "python3", "3.10")
    python(programs, "python3.12", "3.12", venv=False)
    done = run(clone, programs, "up")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "has no venv module; install the package 'python3.12-venv'" in done.stderr


def test_help_and_an_unknown_command_show_the_commands_and_make_nothing(clone: Path, programs: Path) -> None:
    told = run(clone, programs, "help")
    assert told.returncode == 0
    assert "demo [--json FILE]" in told.stdout
    unknown = run(clone, programs, "deploy")
    assert unknown.returncode == 1
    assert unknown.stderr.endswith("run: there is no command 'deploy'; the commands are listed above\n")
    assert not (clone / ".venv").exists()
    assert not (clone / "var").exists()
