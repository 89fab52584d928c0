"""Starts a program that ends when its parent does, even when the parent was killed with SIGKILL.

    python lifeline.py SIGNAL PARENT_PID PROGRAM [ARGUMENT ...]

Linux tells a process of its parent's death by prctl(PR_SET_PDEATHSIG); elsewhere the program is started as it is. The
"parent" is the *thread* that started it (prctl(2)): start long-lived programs from a thread that lives as long.
A small program instead of `preexec_fn`, which is not safe in a process with threads.
"""

import ctypes
import os
import sys
from collections.abc import Sequence
from pathlib import Path

PR_SET_PDEATHSIG = 1


def tied(command: Sequence[str | Path], *, signal_number: int) -> list[str]:
    """The command that runs `command` tied to the calling process; keep its pid: it is the program's own."""
    # Isolated: neither this folder's names nor the environment's paths may take the place of the standard library's.
    return [sys.executable, "-I", "-S", __file__, str(int(signal_number)), str(os.getpid()), *map(str, command)]


def main() -> None:
    """Ties itself to the parent, then becomes the program."""
    number, parent, *command = sys.argv[1:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(number), 0, 0, 0)
        if os.getppid() != int(parent):
            sys.exit(0)  # the parent died before the tie was made
    os.execvp(command[0], command)  # noqa: S606


if __name__ == "__main__":
    main()
