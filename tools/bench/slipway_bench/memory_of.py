"""How much memory processes have, as Linux tells it under /proc."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from slipway_bench.figures import NotMeasuredError

_PROC = Path("/proc")


def resident_mib(pid: int) -> float:
    """The resident set of one process in MiB. Raises NotMeasuredError."""
    return _kib(pid, "status", "VmRSS") / 1024


def proportional_mib(pids: Iterable[int]) -> float:
    """The memory of several processes in MiB; pages that they share are counted once. Raises NotMeasuredError.

    Chromium hides that of its sandboxed processes from everyone but root: of those it is the resident set.
    """
    return sum(map(_proportional_kib, pids)) / 1024


def _proportional_kib(pid: int) -> int:
    try:
        return _kib(pid, "smaps_rollup", "Pss")
    except PermissionError:
        return _kib(pid, "status", "VmRSS")


def below(root: int) -> set[int]:
    """The processes that descend from `root`, without itself."""
    children: dict[int, list[int]] = {}
    for pid, parent in _parents():
        children.setdefault(parent, []).append(pid)
    found = list(children.get(root, ()))
    for pid in found:
        found += children.get(pid, ())
    return set(found)


def _parents() -> Iterator[tuple[int, int]]:
    if not (_PROC / "self" / "stat").exists():
        raise NotMeasuredError("there is no /proc here to read memory from")
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            try:
                # proc(5): the command name, field 2, may hold spaces; field 4 is the parent
                yield int(entry.name), int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue  # it ended meanwhile


def _kib(pid: int, file: str, field: str) -> int:
    """A field of a file of the process; 0 if it ended meanwhile. Raises PermissionError, NotMeasuredError."""
    try:
        text = (_PROC / str(pid) / file).read_text()
    except (FileNotFoundError, ProcessLookupError):
        if (_PROC / "self" / file).exists():
            return 0
        raise NotMeasuredError(f"there is no /proc/*/{file} here to read memory from") from None
    found = re.search(rf"^{field}:\s+(\d+) kB", text, re.MULTILINE)
    return int(found[1]) if found else 0
