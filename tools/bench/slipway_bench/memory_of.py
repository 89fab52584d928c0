"""How much memory processes have, as Linux tells it under /proc."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from slipway_bench.figures import NotMeasuredError

_PROC = Path("/proc")
_FIELDS = {name: re.compile(rf"^{name}:\s+(\d+) kB", re.MULTILINE) for name in ("Pss", "Rss")}


def resident_mib(pid: int) -> float:
    """The resident set of one process in MiB. Raises NotMeasuredError."""
    return _kib(pid, "Rss") / 1024


def proportional_mib(pids: Iterable[int]) -> float:
    """The memory of several processes in MiB; pages that they share are counted once. Raises NotMeasuredError."""
    return sum(_kib(pid, "Pss") for pid in pids) / 1024


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


def _kib(pid: int, field: str) -> int:
    try:
        text = (_PROC / str(pid) / "smaps_rollup").read_text()
    except ProcessLookupError:
        return 0
    except OSError as error:
        if (_PROC / "self" / "smaps_rollup").exists():
            return 0  # it ended meanwhile
        raise NotMeasuredError(f"memory cannot be read here: {error}") from None
    found = _FIELDS[field].search(text)
    return int(found[1]) if found else 0
