"""A service as a process of its own, the way it runs in earnest: `python -m slipway_<name>` with an environment."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx

from slipway_cli.lifeline import tied
from slipway_cli.ports import free_port

READY_S = 60.0
ADMIN_TOKEN = "operators-own-token"


class ServiceProcess:
    """A running service and its HTTP address."""

    def __init__(self, module: str, environment: Mapping[str, str], log: Path, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._log = log
        known = {name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPYCACHEPREFIX") if name in os.environ}
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                tied([sys.executable, "-m", module], signal_number=signal.SIGKILL),
                env={**known, **environment, "PYTHONUNBUFFERED": "1", "ADMIN_TOKEN": ADMIN_TOKEN},
                stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            )  # fmt: skip

    @property
    def log(self) -> str:
        """All that it has logged."""
        return self._log.read_text()

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def stop(self) -> int:
        """SIGTERM; its exit code."""
        self._process.terminate()
        return self._process.wait(30)

    def wait(self) -> int:
        """Its exit code, once it has ended by itself."""
        return self._process.wait(30)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def wait_for(self, path: str, status: int = 200) -> None:
        """Until the path answers with the status."""
        until = time.monotonic() + READY_S
        answer: object = "nothing"
        while time.monotonic() < until:
            assert self.running, f"it ended\n{self.log}"
            try:
                answer = httpx.get(self.url + path, timeout=5, trust_env=False)
                if answer.status_code == status:
                    return
            except httpx.TransportError as error:
                answer = error
            time.sleep(0.02)
        raise AssertionError(f"{path} gave {answer}\n{self.log}")


@contextmanager
def running_service(
    name: str, amqp_url: str, folder: Path, *, wait_for: str = "/health/ready", **environment: str
) -> Iterator[ServiceProcess]:
    """A service on a free port, ready, ended when the block is left. Its log is appended to in `folder`."""
    port = int(environment.pop("port", "") or free_port())
    settings = {"AMQP_URL": amqp_url, f"{name.upper()}_PORT": str(port), "SLIPWAY_MODEL": "sandbox"}
    process = ServiceProcess(f"slipway_{name}", {**settings, **environment}, folder / f"{name}.log", port)
    try:
        process.wait_for(wait_for)
        yield process
    finally:
        if process.running:
            process.kill()
