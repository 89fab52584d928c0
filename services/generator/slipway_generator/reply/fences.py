"""Cuts a reply into its fenced blocks, and tells which fence closes a block that holds fences itself."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from slipway_generator.reply.edit_blocks import EditSpan, read_edits, starts_edits
from slipway_generator.reply.errors import PathError, ReplyError, UnterminatedBlockError
from slipway_generator.reply.paths import path_in_comment, path_in_info, path_in_label, path_on_line, visible

_FENCE = re.compile(r"^([ \t]*)(`{3,}|~{3,})[ \t]*([^`]*)$")
_MARKDOWN = (".md", ".markdown")
_LICENSE_HEADING = re.compile(r"^#{1,6}\s.*\blicen[cs]e\b", re.IGNORECASE)
_DOCUMENT = re.compile(r"\s*(?:<!doctype html|<html[\s>])", re.IGNORECASE)


@dataclass(frozen=True)
class Fence:
    """A line that opens or closes a fenced block; `at` counts lines from 0."""

    at: int
    indent: str
    marks: str
    info: str

    def inside(self, opening: "Fence") -> bool:
        """Whether this line could be a fence to a block opened by `opening`; otherwise it is mere content."""
        return (
            self.indent == opening.indent
            and self.marks[0] == opening.marks[0]
            and len(self.marks) >= len(opening.marks)
        )


@dataclass(frozen=True)
class FileBlock:
    """A fenced block that names a file: `body` are its lines from `body_at` (from 0) on, without the path's line."""

    path: str
    line: int
    body: tuple[str, ...]
    body_at: int
    note: str = ""


@dataclass(frozen=True)
class EditFence:
    """A fenced block of SEARCH/REPLACE pairs; pairs of several files may share it."""

    spans: tuple[EditSpan, ...]
    line: int


@dataclass(frozen=True)
class RemovalBlock:
    """A fenced block that lists files to remove."""

    paths: tuple[str, ...]
    line: int


Block = FileBlock | EditFence | RemovalBlock


@dataclass(frozen=True)
class _Header:
    path: str
    body_at: int


class FenceReader:
    """Reads the blocks of one reply. What lies outside of them, or in fences that name no file, is chatter."""

    def __init__(self, lines: Sequence[str], known: frozenset[str] = frozenset()) -> None:
        self._lines = lines
        self._known = known
        self._fences = tuple(self._find_fences())
        self.chatter: list[int] = []
        """Lines (from 0) that belong to no block."""
        self.errors: list[ReplyError] = []

    def blocks(self) -> list[Block]:
        """The blocks in order. Errors are gathered in `errors`; reading goes on behind each."""
        found: list[Block] = []
        at = 0
        while at < len(self._lines):
            fence = next((fence for fence in self._fences if fence.at >= at), None)
            if fence is None:
                self.chatter.extend(range(at, len(self._lines)))
                break
            self.chatter.extend(range(at, fence.at))
            try:
                block, at = self._read(fence)
            except ReplyError as error:
                self.errors.append(error)
                at = self._next_opening(fence.at + 1)
            else:
                if block is not None:
                    found.append(block)
        return found

    def _find_fences(self) -> list[Fence]:
        found = []
        for at, line in enumerate(self._lines):
            text = line.rstrip()
            if "```" not in text and "~~~" not in text:
                continue
            if match := _FENCE.match(text.lstrip("\ufeff\u200b\u2060").replace("\u00a0", " ")):
                found.append(Fence(at, match[1], match[2], visible(match[3])))
        return found

    def _read(self, opening: Fence) -> tuple[Block | None, int]:
        inner = [fence for fence in self._fences if fence.at > opening.at and fence.inside(opening)]
        if opening.info.lower() in ("remove", "delete"):
            return self._read_removal(opening, inner)
        header = self._header(opening)
        if header is None:
            return self._skip(opening, inner)
        start = self._first_content(header.body_at)
        if start is not None and starts_edits(self._lines[start]):
            spans, end = read_edits(self._lines, start, header.path, opening.marks)
            return EditFence(tuple(spans), opening.at + 1), end
        return self._read_file(opening, header, inner)

    def _header(self, opening: Fence) -> _Header | None:
        """The file that a fence opens, if it names one: inside it, in its info string, or on the line before."""
        after = opening.at + 1
        first = self._lines[after] if after < len(self._lines) else ""
        on_line = first.strip() if first.strip() in self._known else path_on_line(first)
        if info := path_in_info(opening.info):
            return _Header(info, after + 1 if on_line == info else after)
        if on_line:
            return None if self._lists_files(after) else _Header(on_line, after + 1)
        if label := self._label(opening.at):
            return _Header(label, after)
        if comment := path_in_comment(first):
            return _Header(comment, after + 1)
        return None

    def _label(self, at: int) -> str | None:
        before = self._first_content(at - 1, -1)
        if before is None or at - before > 2 or _FENCE.match(self._lines[before]):
            return None
        return path_in_label(self._lines[before])

    def _first_content(self, at: int, step: int = 1) -> int | None:
        while 0 <= at < len(self._lines):
            if visible(self._lines[at]):
                return at
            at += step
        return None

    def _lists_files(self, at: int) -> bool:
        """Whether a fence holds nothing but file names, two or more: then it shows the app's layout."""
        names = 0
        for line in self._lines[at:]:
            if _FENCE.match(line):
                break
            if line.strip():
                if not path_on_line(line):
                    return False
                names += 1
        return names > 1

    def _names_file(self, fence: Fence) -> bool:
        """Whether a fence surely opens a block; a bare one does so only by the path on its first line."""
        if fence.info:
            return fence.info.lower() in ("remove", "delete") or self._header(fence) is not None
        after = fence.at + 1
        if after + 1 < len(self._lines) and _FENCE.match(self._lines[after + 1]):
            return False  # a closing fence, then a label, then the next block's fence
        return after < len(self._lines) and bool(path_on_line(self._lines[after])) and not self._lists_files(after)

    def _next_opening(self, at: int) -> int:
        later = (fence.at for fence in self._fences if fence.at >= at and self._names_file(fence))
        return next(later, len(self._lines))

    def _read_removal(self, opening: Fence, inner: Sequence[Fence]) -> tuple[Block, int]:
        close = next(iter(inner), None)
        if close is None or close.info:
            raise UnterminatedBlockError(
                "the `remove` block has no closing fence; send it again, closed", line=opening.at + 1
            )
        body = [visible(line).strip("`*- ") for line in self._lines[opening.at + 1 : close.at]]
        return RemovalBlock(tuple(path for path in body if path), opening.at + 1), close.at + 1

    def _skip(self, opening: Fence, inner: Sequence[Fence]) -> tuple[None, int]:
        """Steps over a fence that names no file, unless it plainly was meant to."""
        close = next((fence for fence in inner if not fence.info), None)
        if close is None or any(fence.at < close.at and self._names_file(fence) for fence in inner):
            return None, opening.at + 1
        body = self._lines[opening.at + 1 : close.at]
        if any(starts_edits(line) for line in body) or (body and _DOCUMENT.match("\n".join(body))):
            raise PathError(
                "this block does not say which file it is; put the file's path alone on its first line",
                line=opening.at + 1,
            )
        return None, close.at + 1

    def _read_file(self, opening: Fence, header: _Header, inner: Sequence[Fence]) -> tuple[Block, int]:
        def block(end: int, note: str = "") -> FileBlock:
            body = tuple(self._lines[header.body_at : end])
            return FileBlock(header.path, opening.at + 1, body, header.body_at, note)

        whole = _whole_test(header.path)

        def is_whole(end: int) -> bool:
            return whole is not None and whole("\n".join(self._lines[header.body_at : end]).rstrip())

        openings = [number for number, fence in enumerate(inner) if self._names_file(fence)]
        extended = False
        for limit in (*openings, len(inner)):
            segment = inner[:limit]
            closing = [n for n in range(limit) if _closes(segment, n)]
            if limit < len(inner) and not inner[limit].info and not closing:
                continue  # this bare fence may itself close the block, and the path behind it be chatter
            if extended and not header.path.endswith(_MARKDOWN):
                closing = [n for n in closing if is_whole(segment[n].at)]
            if len(closing) > 1:
                closing = [n for n in closing if is_whole(segment[n].at)] or closing
            if len(closing) == 1:
                end = segment[closing[0]].at
                return block(end), end + 1
            if closing:
                raise UnterminatedBlockError(
                    "it cannot be told which of its fences closes this block; "
                    "fence the file with four backticks (````) and send it again",
                    line=opening.at + 1,
                    path=header.path,
                )
            stray = [n for n in range(limit) if not segment[n].info and _pairs(segment[:n]) and is_whole(segment[n].at)]
            if len(stray) == 1:
                end = segment[stray[0]].at
                return block(end, "a stray fence behind the block"), end + 1
            extended = True
            end = inner[limit].at if limit < len(inner) else len(self._lines)
            if _pairs(segment) and is_whole(end):
                last = self._first_content(end - 1, -1)
                return block(end if last is None else last + 1, "the block's closing fence was missing"), end
        raise UnterminatedBlockError(
            "the block has no closing fence, so it may be cut off; send the whole block again, closed "
            "(a file that itself holds ``` lines is fenced with four backticks)",
            line=opening.at + 1,
            path=header.path,
        )


def _pairs(fences: Sequence[Fence]) -> bool:
    """Whether the fences open and close in turn: each second one must be bare."""
    return len(fences) % 2 == 0 and all(not fence.info for fence in fences[1::2])


def _closes(segment: Sequence[Fence], number: int) -> bool:
    return not segment[number].info and _pairs(segment[:number]) and _pairs(segment[number + 1 :])


def _whole_test(path: str) -> Callable[[str], bool] | None:
    """A test for kinds of files whose text shows that it is complete."""
    name = path.lower()
    if name.endswith((".html", ".htm")):
        return lambda text: text.lower().endswith("</html>")
    if name.endswith(".svg"):
        return lambda text: text.endswith("</svg>")
    if name.endswith((".json", ".webmanifest")):
        return _is_json
    if name.endswith(_MARKDOWN):
        return lambda text: any(_LICENSE_HEADING.match(line) for line in text.split("\n"))
    return None


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
