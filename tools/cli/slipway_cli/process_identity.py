"""Which process is meant: a pid together with the moment it began, so that a reused pid is never taken for ours."""

import contextlib
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

POLL_S = 0.02


@dataclass(frozen=True)
class ProcessIdentity:
    """A process that was seen alive; two processes are the same only if pid and beginning are equal."""

    pid: int
    began: str

    @classmethod
    def of(cls, pid: int) -> "ProcessIdentity | None":
        """The identity of a running process, or None if there is none (a zombie counts as none)."""
        began = _began(pid)
        return cls(pid, began) if began else None

    def alive(self) -> bool:
        """True while this very process runs; False once it ended or another one has its pid."""
        return _began(self.pid) == self.began

    def send(self, number: signal.Signals) -> None:
        """Sends the signal if the process still runs."""
        if self.alive():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def end(self, grace_s: float) -> None:
        """Asks it to end, waits at most `grace_s` seconds, then kills it; returns when it is gone.

        Raises TimeoutError if even the kill did not end it within five seconds.
        """
        if grace_s > 0:
            self.send(signal.SIGTERM)
            if self.wait(grace_s):
                return
        self.send(signal.SIGKILL)
        if not self.wait(5):
            raise TimeoutError(f"process {self.pid} is still there 5 s after SIGKILL")

    def wait(self, timeout_s: float) -> bool:
        """Waits until it is gone; False if it still runs after `timeout_s` seconds."""
        until = time.monotonic() + timeout_s
        while self.alive():
            if time.monotonic() > until:
                return False
            time.sleep(POLL_S)
        return True


def _began(pid: int) -> str | None:
    """When the process began, in a form that differs between boots; None if it does not run."""
    proc = Path("/proc")
    if not (proc / "self" / "stat").exists():
        shown = subprocess.run(
            ["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
        ).stdout.split(maxsplit=1)
        return shown[1].strip() if len(shown) == 2 and not shown[0].startswith("Z") else None
    try:
        # proc(5): the command name, field 2, may hold spaces; state is field 3 and the start time field 22.
        fields = (proc / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    if fields[0] in "ZX":
        return None
    boot = (proc / "sys/kernel/random/boot_id").read_text().strip()
    return f"{boot}/{fields[19]}"
