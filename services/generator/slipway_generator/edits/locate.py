"""Finds the one place in the original that an edit block means, or says why there is none.

The ways to find it are tried in order, and the first that finds anything decides: exactly; as whole lines; as whole
lines but for blanks at their ends; but for an indentation that differs by the same on every line; but for typography.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from slipway_generator.edits.errors import EditFailure
from slipway_generator.edits.indentation import Shift, moved, shift_between
from slipway_generator.edits.original import Original, fold
from slipway_generator.reply import EditBlock
from slipway_generator.reply.placeholders import elision

_WORD = re.compile(r"[\w$-]")
_TRIVIAL = 8
"""A replacement of fewer characters stands in any file by chance; finding it proves nothing."""


@dataclass(frozen=True)
class Hit:
    """Where a block was found, and the text for that span. `lines` says that whole lines go, with their line end."""

    index: int
    block: EditBlock
    start: int
    end: int
    new: str
    lines: bool = False


def locate(original: Original, index: int, block: EditBlock, path: str = "") -> Hit | EditFailure:
    """The block's place in the original. `index` counts the file's blocks, `path` tells the kind of file."""
    if block.search == block.replace:
        return EditFailure(index, block, "no change", "SEARCH and REPLACE are the same text")
    return (
        _exactly(original, index, block)
        or _by_lines(original, index, block)
        or _not_found(original, index, block, path)
    )


def _exactly(original: Original, index: int, block: EditBlock) -> Hit | EditFailure | None:
    text, length = original.text, len(block.search)
    places = occurrences(text, block.search)
    if not places:
        return None
    whole = [at for at in places if _begins_line(text, at) and _ends_line(text, at + length)]
    if len(whole) != 1 and len(places) > 1:
        return _ambiguous(original, index, block, [original.line_at(at) for at in places])
    at = whole[0] if whole else places[0]
    if not whole and _splits_word(text, at, at + length):
        line = original.line_at(at) + 1
        message = f"the text stands only inside a longer word, at line {line}; search for whole lines"
        return EditFailure(index, block, "not found", message, (line,))
    if whole:
        return _checked(original, Hit(index, block, at, at + length, block.replace, lines=not block.replace))
    return _checked(original, _within_lines(original, index, block, at))


def _within_lines(original: Original, index: int, block: EditBlock, at: int) -> Hit:
    text, end = original.text, at + len(block.search)
    line_start = text.rfind("\n", 0, at) + 1
    line_end = text.find("\n", end)
    line_end = len(text) if line_end < 0 else line_end
    indent = text[line_start:at]
    if indent.strip() or text[end:line_end].strip() or "\n" in block.search:
        return Hit(index, block, at, end, block.replace)
    # A line's whole text without its indentation: the new lines are indented as that line is.
    if not block.replace:
        return Hit(index, block, line_start, line_end, "", lines=True)
    first, *more = block.replace.split("\n")
    if not all(line.startswith(indent) for line in more if line.strip()):
        more = [indent + line if line.strip() else line for line in more]
    return Hit(index, block, at, end, "\n".join([first, *more]))


def _by_lines(original: Original, index: int, block: EditBlock) -> Hit | EditFailure | None:
    search = block.search.split("\n")
    plain = _runs(original.stripped_at, original.stripped, [line.strip() for line in search])
    plain_shifts = {at: shift_between(search, original.lines[at : at + len(search)]) for at in plain}
    trailing = {at: shift for at, shift in plain_shifts.items() if shift == Shift()}
    indented = {at: shift for at, shift in plain_shifts.items() if shift is not None}
    typographic = {
        at: shift
        for at in ([] if indented else _runs(original.folded_at, original.folded, [fold(s).strip() for s in search]))
        if (shift := shift_between(map(fold, search), map(fold, original.lines[at : at + len(search)]))) is not None
    }
    for found in (trailing, indented, typographic):
        if len(found) > 1:
            return _ambiguous(original, index, block, list(found))
        for at, shift in found.items():
            return _lines_hit(original, index, block, at, shift)
    return None


def _lines_hit(original: Original, index: int, block: EditBlock, at: int, shift: Shift) -> Hit | EditFailure:
    search = block.search.split("\n")
    replace = block.replace.split("\n") if block.replace else []
    after = at + len(search)
    new = moved(search, replace, original.lines[at:after], shift)
    if new is None:
        message = "the file is indented less than the SEARCH part, and the REPLACE part cannot be moved left as much"
        return EditFailure(index, block, "indentation", message, tuple(range(at + 1, after + 1)))
    end = original.starts[after - 1] + len(original.lines[after - 1])
    return _checked(original, Hit(index, block, original.starts[at], end, "\n".join(new), lines=not block.replace))


def _checked(original: Original, hit: Hit) -> Hit | EditFailure:
    """The hit, unless its new text already stands around it: then the edit was made before."""
    for inside in occurrences(hit.new, original.text[hit.start : hit.end]) if hit.new else ():
        if hit.start >= inside and original.text.startswith(hit.new, hit.start - inside):
            return _already(original, hit.index, hit.block, hit.start - inside)
    return hit


def _not_found(original: Original, index: int, block: EditBlock, path: str) -> EditFailure:
    if len(re.sub(r"\s+", "", block.replace)) >= _TRIVIAL:
        places = [original.line_at(at) for at in occurrences(original.text, block.replace)]
        places = places or _runs(
            original.folded_at, original.folded, [fold(line).strip() for line in block.replace.split("\n")]
        )
        if places:
            return _already(original, index, block, original.starts[places[0]])
    if comment := next((found for line in block.search.split("\n") if (found := elision(line, path))), None):
        message = f"the SEARCH part leaves lines out ({comment[:60]}); copy every line, or split the edit in two"
    else:
        message = "the file holds no such text; copy the lines to search for exactly from the file as it stands"
    return EditFailure(index, block, "not found", message)


def _ambiguous(original: Original, index: int, block: EditBlock, places: Sequence[int]) -> EditFailure:
    lines = tuple(sorted({at + 1 for at in places}))
    shown = ", ".join(map(str, lines[:8])) + (" and more" if len(lines) > 8 else "")
    message = f"found {len(places)} times (lines {shown}); take neighbouring lines into SEARCH and REPLACE to name one"
    return EditFailure(index, block, "ambiguous", message, lines)


def _already(original: Original, index: int, block: EditBlock, at: int) -> EditFailure:
    line = original.line_at(at) + 1
    message = f"the new text already stands at line {line}; leave this edit out"
    return EditFailure(index, block, "already applied", message, (line,))


def occurrences(text: str, part: str) -> list[int]:
    """Every offset at which `part` stands in `text`, overlapping ones as well."""
    places, at = [], text.find(part)
    while at >= 0:
        places.append(at)
        at = text.find(part, at + 1)
    return places


def _runs(at: dict[str, list[int]], lines: Sequence[str], wanted: Sequence[str]) -> list[int]:
    """The line numbers (from 0) at which the wanted lines stand in a row."""
    rarest = min(range(len(wanted)), key=lambda n: len(at.get(wanted[n], ())))
    starts = (place - rarest for place in at.get(wanted[rarest], ()))
    return [start for start in starts if start >= 0 and lines[start : start + len(wanted)] == wanted]


def _begins_line(text: str, at: int) -> bool:
    return at == 0 or text[at - 1] == "\n"


def _ends_line(text: str, at: int) -> bool:
    return at == len(text) or text[at] == "\n"


def _splits_word(text: str, start: int, end: int) -> bool:
    """Whether a span begins or ends inside a word or number, so that the text found there is part of another one."""
    return _joined(text, start) or _joined(text, end)


def _joined(text: str, at: int) -> bool:
    before, after = text[max(at - 2, 0) : at], text[at : at + 2]
    if not before or not after:
        return False
    if _WORD.match(before[-1]) and _WORD.match(after[0]):
        return True
    return bool(re.fullmatch(r".*\d\.?", before) and re.match(r"\.?\d", after))
