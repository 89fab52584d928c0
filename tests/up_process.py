"""`./run up` as a process of its own, on free ports and in a folder of its own."""

import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from slipway_cli.ports import free_port
from slipway_cli.process_identity import ProcessIdentity

ROOT = Path(__file__).resolve().parents[1]
UP_S = 90
# Given as empty they hide those of a developer's .env file.
NO_KEYS = dict.fromkeys(("GEMINI_API_KEY", "GITHUB_TOKEN", "GITHUB_USERNAME", "STUDENT_SECRET"), "")
SANDBOX = {**NO_KEYS, "SLIPWAY_WORLD": "sandbox"}
PORTS = ("INTAKE_PORT", "GENERATOR_PORT", "DEPLOYER_PORT", "NOTIFIER_PORT", "SANDBOX_PORT")


@dataclass(frozen=True)
class Up:
    """A running `./run up`."""

    process: subprocess.Popen[str]
    screen: Path
    environment: dict[str, str]

    def printed(self, pattern: str) -> str:
        """The first group of `pattern` in what it printed. Waits for it."""
        until = time.monotonic() + UP_S
        while time.monotonic() < until:
            match = re.search(pattern, self.screen.read_text(), re.MULTILINE)
            if match:
                return match[1]
            assert self.process.poll() is None, self.screen.read_text()
            time.sleep(0.1)
        raise AssertionError(f"{pattern!r} was not printed:\n{self.screen.read_text()}")

    def all_processes(self) -> list[ProcessIdentity]:
        """It and everything below it, by following children from its own pid."""
        found, waiting = [], [self.process.pid]
        while waiting:
            pid = waiting.pop()
            identity = ProcessIdentity.of(pid)
            if identity:
                found.append(identity)
                waiting += _children(pid)
        return found


@contextmanager
def running(folder: Path, *arguments: str) -> Iterator[Up]:
    folder.mkdir(parents=True, exist_ok=True)
    screen = folder / "screen.txt"
    environment = {**os.environ, **SANDBOX, "VAR_DIR": str(folder), **{name: str(free_port()) for name in PORTS}}
    with screen.open("w") as output:
        process = subprocess.Popen(
            [ROOT / "run", "up", *arguments], env=environment, stdout=output, stderr=subprocess.STDOUT, text=True
        )
    try:
        yield Up(process, screen, environment)
    finally:
        process.kill()
        process.wait()


def _children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task")
    try:
        return [int(child) for task in tasks.iterdir() for child in (task / "children").read_text().split()]
    except OSError:
        return []


def within(seconds: float, holds: Callable[[], bool]) -> bool:
    """Whether it came to hold in that time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if holds():
            return True
        time.sleep(0.2)
    return False
