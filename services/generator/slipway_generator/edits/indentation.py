"""Moves replacement lines by the indentation that a search text lacks or has too much."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher


@dataclass(frozen=True)
class Shift:
    """The same change of indentation for every line: `add` is put in front, or `cut` taken away."""

    add: str = ""
    cut: str = ""

    def applied(self, line: str) -> str | None:
        """The line after the shift; blank lines stay as they are. None if it does not begin with what to cut."""
        if not line.strip():
            return line
        return self.add + line[len(self.cut) :] if line.startswith(self.cut) else None


def shift_between(search: Iterable[str], lines: Iterable[str]) -> Shift | None:
    """The one shift that makes the indentation of each search line that of its line in the file; None if none does.

    The lines' texts are taken to be equal; blank lines do not count.
    """
    shifts = {
        _shift(_indent(wanted), _indent(real)) for wanted, real in zip(search, lines, strict=True) if wanted.strip()
    }
    return shifts.pop() if len(shifts) == 1 else None


def moved(search: Sequence[str], replace: Sequence[str], lines: Sequence[str], shift: Shift) -> list[str] | None:
    """The replacement's lines as they fit the file; None if one cannot be shifted.

    Lines that the block only repeats are taken from the file: their blanks and typography are not the block's business.
    """
    moved_lines: list[str] = []
    for tag, first, last, new_first, new_last in SequenceMatcher(None, search, replace, autojunk=False).get_opcodes():
        if tag == "equal":
            moved_lines += lines[first:last]
            continue
        for line in replace[new_first:new_last]:
            shifted = shift.applied(line)
            if shifted is None:
                return None
            moved_lines.append(shifted)
    return moved_lines


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def _shift(wanted: str, real: str) -> Shift | None:
    if real.endswith(wanted):
        return Shift(add=real[: len(real) - len(wanted)])
    return Shift(cut=wanted[: len(wanted) - len(real)]) if wanted.endswith(real) else None
