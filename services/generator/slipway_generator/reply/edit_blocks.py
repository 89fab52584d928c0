"""Reads SEARCH/REPLACE pairs, by their markers alone: inside a pair nothing else has a meaning."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from slipway_generator.reply.errors import MalformedEditError, UnterminatedBlockError
from slipway_generator.reply.model import EditBlock
from slipway_generator.reply.paths import path_on_line, visible

SEARCH = "<<<<<<< SEARCH"
DIVIDER = "======="
REPLACE = ">>>>>>> REPLACE"
_SEARCH = re.compile(r"<{5,9} ?SEARCH:?", re.IGNORECASE)
_REPLACE = re.compile(r">{5,9} ?REPLACE:?", re.IGNORECASE)
_DIVIDER = re.compile(r"={5,9}")
_OTHER_MARKER = re.compile(r"(?:<{7}|>{7})(?: ?\w+)?")
_FORM = f"a pair is `{SEARCH}`, the old lines, `{DIVIDER}`, the new lines, `{REPLACE}`, each marker alone on its line"


@dataclass(frozen=True)
class EditSpan:
    """Pairs that stand together under one path."""

    path: str
    blocks: tuple[EditBlock, ...]
    line: int


def starts_edits(line: str) -> bool:
    """Whether a line is the marker that begins a pair."""
    return _SEARCH.fullmatch(visible(line)) is not None


def is_marker(line: str) -> bool:
    """Whether a line is a marker that can hardly be content: it begins or ends a pair."""
    text = visible(line)
    return bool(_SEARCH.fullmatch(text) or _REPLACE.fullmatch(text))


def read_edits(lines: Sequence[str], at: int, path: str, fence: str) -> tuple[list[EditSpan], int]:
    """The pairs from line `at` (from 0) up to the closing fence, and the line behind it.

    Raises MalformedEditError and UnterminatedBlockError.
    """
    spans: list[EditSpan] = []
    blocks: list[EditBlock] = []
    begun = at
    while at < len(lines):
        text = visible(lines[at])
        if starts_edits(text):
            block, at = _read_pair(lines, at, path)
            blocks.append(block)
            continue
        if text and not text.strip(fence[0]) and len(text) >= len(fence):
            return [*spans, EditSpan(path, tuple(blocks), begun + 1)], at + 1
        named = path_on_line(text) if text else None
        if named and named != path and blocks:
            spans.append(EditSpan(path, tuple(blocks), begun + 1))
            path, blocks, begun = named, [], at
        elif text.startswith(fence):
            break
        elif text and named != path:
            raise MalformedEditError(
                f"{text[:60]!r} stands between two pairs; put nothing there. {_FORM}", line=at + 1, path=path
            )
        at += 1
    raise UnterminatedBlockError(
        "the edits have no closing fence, so some may be missing; send all edits of this file again, closed",
        line=begun + 1,
        path=path,
    )


def _read_pair(lines: Sequence[str], begun: int, path: str) -> tuple[EditBlock, int]:
    body: list[str] = []
    for at in range(begun + 1, len(lines)):
        text = visible(lines[at])
        if _REPLACE.fullmatch(text):
            return _pair(body, begun + 1, path), at + 1
        if _SEARCH.fullmatch(text):
            raise MalformedEditError(
                f"a second `{SEARCH}` comes before the pair's `{REPLACE}`. {_FORM}", line=at + 1, path=path
            )
        if _OTHER_MARKER.fullmatch(text):
            raise MalformedEditError(f"{text!r} is no marker of a pair. {_FORM}", line=at + 1, path=path)
        body.append(lines[at])
    if any(re.fullmatch(r"`{3,}|~{3,}", visible(line)) for line in body):
        raise MalformedEditError(f"the pair has no `{REPLACE}`. {_FORM}", line=begun + 1, path=path)
    raise UnterminatedBlockError(
        "the reply ends inside an edit, so it may be cut off; send all edits of this file again",
        line=begun + 1,
        path=path,
    )


def _pair(body: Sequence[str], line: int, path: str) -> EditBlock:
    dividers = [n for n, text in enumerate(body) if text.rstrip() == DIVIDER] or [
        n for n, text in enumerate(body) if _DIVIDER.fullmatch(visible(text))
    ]
    if len(dividers) != 1:
        what = f"has no `{DIVIDER}` line" if not dividers else f"has {len(dividers)} `{DIVIDER}` lines"
        way_out = "" if not dividers else " Choose lines to search and replace that hold no such line."
        raise MalformedEditError(f"the pair {what}. {_FORM}.{way_out}", line=line, path=path)
    search, replace = body[: dividers[0]], body[dividers[0] + 1 :]
    if not any(visible(text) for text in search):
        raise MalformedEditError(
            "the SEARCH part is blank; copy into it the existing line that the new text belongs next to, "
            "and repeat that line in the REPLACE part",
            line=line,
            path=path,
        )
    return EditBlock("\n".join(search), "\n".join(replace), line)
