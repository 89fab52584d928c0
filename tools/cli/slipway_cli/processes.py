"""Child processes of a run: started with an environment and a log file, waited for until ready, stopped in order.

Nothing is left behind: a child dies with the process that started it, even when that one is killed with SIGKILL.
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from pydantic import BaseModel

from slipway_cli.lifeline import tied

READY_S = 40.0
POLL_S = 0.05
# What every program may know of the machine; settings and keys are given to each on purpose.
OF_THE_MACHINE = (
    "PATH", "HOME", "USER", "LANG", "LC_ALL", "TZ", "TMPDIR", "PYTHONPYCACHEPREFIX", "LD_LIBRARY_PATH",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY",
    "http_proxy", "https_proxy", "no_proxy",
)  # fmt: skip


class ProcessError(Exception):
    """A program ended early or did not become ready; the message has its name and its last words."""


@dataclass(frozen=True)
class Program:
    """A Python module to be run as a program."""

    name: str
    module: str
    environment: Mapping[str, str]
    arguments: Sequence[str] = ()
    ready_url: str | None = None
    """Answers 200 once the program is ready; without it, being started is enough."""


class Readiness(BaseModel):
    """What a health endpoint says when it is asked too early."""

    failing: dict[str, str] = {}


class Child:
    """A running program."""

    def __init__(self, program: Program, process: asyncio.subprocess.Process, log: Path) -> None:
        self.program = program
        self.log = log
        self._process = process

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; the negative number of the signal that ended it."""
        return self._process.returncode

    async def wait(self) -> int:
        """Waits until it ends; its exit code."""
        return await self._process.wait()

    def kill(self) -> None:
        """Ends it at once, as a crash would."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    async def stop(self, grace_s: float) -> int:
        """Asks it to end and kills it after `grace_s` seconds; its exit code."""
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        try:
            async with asyncio.timeout(grace_s):
                await self._process.wait()
        except TimeoutError:
            self.kill()
        # What it started itself is in its process group and must not outlive it.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        return await self._process.wait()

    def last_words(self, lines: int = 6) -> str:
        """The end of its log."""
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        except FileNotFoundError:
            return ""


class Supervisor:
    """Starts programs and stops them again; whether one that ends is started again is the caller's business."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self.children: list[Child] = []

    async def start(self, program: Program, *, ready_s: float = READY_S) -> Child:
        """Starts a program and returns when it is ready. Raises ProcessError."""
        child = await self.spawn(program)
        await self.wait_ready(child, ready_s)
        return child

    async def spawn(self, program: Program) -> Child:
        """Starts a program without waiting for it. Call it from the main thread (see `lifeline`)."""
        self._logs.mkdir(parents=True, exist_ok=True)
        path = self._logs / f"{program.name}.log"
        environment = {name: os.environ[name] for name in OF_THE_MACHINE if name in os.environ}
        for name in ("NO_PROXY", "no_proxy"):  # what runs on this machine is never asked for through a proxy
            environment[name] = ",".join(filter(None, (environment.get(name), "127.0.0.1,localhost")))
        command = [sys.executable, "-m", program.module, *program.arguments]
        with path.open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                *tied(command, signal_number=signal.SIGKILL),
                env={**environment, "PYTHONUNBUFFERED": "1", **program.environment},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Ctrl-C reaches the whole group of a terminal: children are told by us, in order.
                process_group=0,
            )
        child = Child(program, process, path)
        self.children.append(child)
        return child

    async def wait_ready(self, child: Child, timeout_s: float = READY_S) -> None:
        """Returns when the program's health endpoint says 200. Raises ProcessError."""
        if child.program.ready_url is None:
            return
        reason = "it does not answer"
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s), httpx.AsyncClient(timeout=5, trust_env=False) as client:
                while child.exit_code is None:
                    with contextlib.suppress(httpx.TransportError):
                        answer = await client.get(child.program.ready_url)
                        if answer.status_code == httpx.codes.OK:
                            return
                        reason = _reason(answer)
                    await asyncio.sleep(POLL_S)
                reason = f"it ended with exit code {child.exit_code}"
        raise ProcessError(f"{child.program.name} is not ready: {reason}\n{child.last_words()}".rstrip())

    def take_ended(self) -> list[Child]:
        """The programs that have ended although nobody stopped them; they are not looked after any more."""
        ended = [child for child in self.children if child.exit_code is not None]
        self.children = [child for child in self.children if child.exit_code is None]
        return ended

    async def stop(self, grace_s: float) -> dict[str, int]:
        """Stops all programs at the same time; their exit codes by name."""
        children, self.children = self.children, []
        codes = await asyncio.gather(*(child.stop(grace_s) for child in children))
        return {child.program.name: code for child, code in zip(children, codes, strict=True)}


@asynccontextmanager
async def supervisor(logs: Path, *, grace_s: float) -> AsyncIterator[Supervisor]:
    """A supervisor whose programs are stopped when the block is left, however it is left."""
    running = Supervisor(logs)
    try:
        yield running
    finally:
        await asyncio.shield(running.stop(grace_s))


def _reason(answer: httpx.Response) -> str:
    try:
        failing = Readiness.model_validate_json(answer.content).failing
    except ValueError:
        failing = {}
    return "; ".join(f"{name}: {why}" for name, why in failing.items()) or f"it answers {answer.status_code}"
