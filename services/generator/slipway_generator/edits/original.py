"""The text that edits are made to: its lines, its line ends, and the way back from normalised places to real ones."""

import unicodedata
from bisect import bisect_right
from collections import defaultdict
from functools import cached_property

_BOM = "\ufeff"
_FOLD = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u00b4", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"),
        **dict.fromkeys("\u00a0\u2002\u2003\u2007\u2009\u202f", " "),
        **dict.fromkeys("\u200b\u2060\ufeff\u00ad"),
        "\u2026": "...",
    }
)


def fold(text: str) -> str:
    """The text with typographic quotes, dashes, blanks and dots as on a keyboard, in composed form."""
    return text if text.isascii() else unicodedata.normalize("NFC", text).translate(_FOLD)


class Original:
    """A file's text, seen with LF line ends and without BOM; places in that view are offsets into `text`."""

    def __init__(self, raw: str) -> None:
        self._raw = raw
        self._bom = _BOM if raw.startswith(_BOM) else ""
        self.text = raw.removeprefix(_BOM).replace("\r\n", "\n")
        self.ends_with_newline = self.text.endswith("\n")
        self.lines = self.text.removesuffix("\n").split("\n") if self.text else []

    @cached_property
    def _raw_lines(self) -> list[str]:
        return self._raw.removeprefix(_BOM).removesuffix("\n").split("\n")

    @cached_property
    def starts(self) -> list[int]:
        """The offset at which each line begins."""
        starts, at = [], 0
        for line in self.lines:
            starts.append(at)
            at += len(line) + 1
        return starts

    @cached_property
    def _raw_starts(self) -> list[int]:
        starts, at = [], len(self._bom)
        for line in self._raw_lines:
            starts.append(at)
            at += len(line) + 1
        return starts

    @cached_property
    def stripped(self) -> list[str]:
        """The lines without indentation and trailing blanks."""
        return [line.strip() for line in self.lines]

    @cached_property
    def folded(self) -> list[str]:
        """The lines without indentation, trailing blanks and typography."""
        return [fold(line).strip() for line in self.lines]

    @cached_property
    def stripped_at(self) -> dict[str, list[int]]:
        """Where each stripped line stands."""
        return _positions(self.stripped)

    @cached_property
    def folded_at(self) -> dict[str, list[int]]:
        """Where each folded line stands."""
        return _positions(self.folded)

    @cached_property
    def newline(self) -> str:
        """The line end that most lines have."""
        crlf = self._raw.count("\r\n")
        return "\r\n" if crlf * 2 > self._raw.count("\n") else "\n"

    def line_at(self, offset: int) -> int:
        """The number (from 0) of the line that holds an offset."""
        return max(bisect_right(self.starts, offset) - 1, 0)

    def newline_at(self, offset: int) -> str:
        """The line end of the line that holds an offset; the usual one where it has none."""
        line = self.line_at(offset)
        if line >= len(self.lines) - 1 and not self.ends_with_newline:
            return self.newline
        return "\r\n" if len(self._raw_lines[line]) > len(self.lines[line]) else "\n"

    def raw_place(self, offset: int) -> int:
        """The offset in the raw text of an offset in `text`."""
        if offset >= len(self.text):
            return len(self._raw)
        line = self.line_at(offset)
        return self._raw_starts[line] + offset - self.starts[line]

    def with_line_end(self, start: int, end: int) -> tuple[int, int]:
        """The span of whole lines widened by one line end, so that nothing is left where they stood."""
        if end < len(self.text):
            return start, end + 1
        return max(start - 1, 0), end

    def replaced(self, changes: list[tuple[int, int, str]]) -> str:
        """The raw text with spans replaced (start, end, new text with LF), given in order and not overlapping.

        What lies outside the spans stays byte for byte; new lines end as the line at their place does; the file ends
        with a line end if and only if it did before.
        """
        pieces, at = [], 0
        for start, end, new in changes:
            pieces.append(self._raw[at : self.raw_place(start)])
            pieces.append(new.replace("\n", self.newline_at(start)))
            at = self.raw_place(end)
        pieces.append(self._raw[at:])
        text = "".join(pieces)
        if self.ends_with_newline:
            return text if text.endswith("\n") or not text.removeprefix(_BOM) else text + self.newline
        while self.text and text.endswith("\n"):
            text = text.removesuffix("\n").removesuffix("\r")
        return text


def _positions(lines: list[str]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for number, line in enumerate(lines):
        found[line].append(number)
    return dict(found)
