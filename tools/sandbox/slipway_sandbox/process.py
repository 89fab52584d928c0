"""Starts a sandbox as a process of its own and ends it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from slipway_sandbox.client import Sandbox


class SandboxNotStartedError(RuntimeError):
    """The process ended before it listened; it says why on stderr."""


@contextmanager
def running_sandbox(
    data: Path, *, examples: Path | None = None, port: int = 0, arguments: tuple[str, ...] = ()
) -> Iterator[Sandbox]:
    """A sandbox on 127.0.0.1 while the block runs; port 0 = any free one. Raises SandboxNotStartedError."""
    command = [sys.executable, "-m", "slipway_sandbox", "--port", str(port), "--data", str(data), *arguments]
    if examples is not None:
        command += ["--examples", str(examples)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        line = process.stdout.readline() if process.stdout else ""
        if not line:
            raise SandboxNotStartedError(f"sandbox: exit status {process.wait(5)}")
        with Sandbox(f"http://127.0.0.1:{json.loads(line)['port']}") as sandbox:
            yield sandbox
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout:
            process.stdout.close()
