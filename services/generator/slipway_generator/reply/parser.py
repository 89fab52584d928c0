"""Reads the reply protocol: fenced blocks with a file's path on the first line, strictly."""

import html
import re
from collections.abc import Collection, Iterable

from slipway_generator.reply.edit_blocks import is_marker
from slipway_generator.reply.errors import (
    ConflictError,
    EmptyFileError,
    MalformedEditError,
    NoBlockError,
    PlaceholderError,
    ReplyError,
)
from slipway_generator.reply.fences import EditFence, FenceReader, FileBlock, RemovalBlock
from slipway_generator.reply.model import EditBlock, FileEdits, Part, Removal, Reply, WholeFile
from slipway_generator.reply.paths import checked_path, visible
from slipway_generator.reply.placeholders import elision
from slipway_generator.reply.transport import normalise, unescaped_lines, wrapped_files

_MAY_BE_EMPTY = (".nojekyll", ".gitkeep", "__init__.py")
_MARKUP = (".html", ".htm", ".svg", ".xml")
# How a file of a kind begins, and what its literal line breaks follow, when it was sent as one escaped line.
_ESCAPED = {
    ".html": re.compile(r"\s*<.*?(?:>\\n.*?){2}", re.DOTALL),
    ".svg": re.compile(r"\s*<.*?(?:>\\n.*?){2}", re.DOTALL),
    ".css": re.compile(r".*?(?:[{};]\\n.*?){3}", re.DOTALL),
    ".js": re.compile(r".*?(?:[{};,]\\n.*?){3}", re.DOTALL),
    ".md": re.compile(r"\s*#.*?\\n", re.DOTALL),
    ".json": re.compile(r"\s*[{[]\\n", re.DOTALL),
    ".yml": re.compile(r"[\w#' -]+:.*?\\n", re.DOTALL),
}


def parse_reply(text: str, known: Collection[str] = ()) -> Reply:
    """What a model's reply says.

    What transport did to it (line ends, wrappers, escapes) is undone first and told in `notes`; from there on the
    reading is strict, and a reply with any error is refused in full. Leading blank lines of a whole file are dropped,
    everything else in it is kept. `known` are paths of the app that may look like no path (with blanks, without
    extension).

    Raises the first ReplyError, with all others in its `others`.
    """
    text, notes = normalise(text)
    if (files := wrapped_files(text)) is not None:
        parts = [_file(path, content.removesuffix("\n").split("\n"), 1, 1)[0] for path, content in files.items()]
        return _assemble(parts, [*notes, "the reply was JSON instead of fenced blocks"])
    lines = text.split("\n")
    reader = FenceReader(lines, frozenset(known))
    blocks = reader.blocks()
    errors = reader.errors
    if not errors:
        errors += [
            MalformedEditError("an edit outside of a fenced block; fence it, the path on the first line", line=at + 1)
            for at in reader.chatter
            if is_marker(lines[at])
        ][:1]
    found: list[Part] = []
    mended: list[str] = []
    for block in blocks:
        try:
            if isinstance(block, FileBlock):
                file, note = _file(block.path, block.body, block.line, block.body_at + 1)
                found.append(file)
                mended += [f"{file.path}: {text}" for text in (block.note, note) if text]
            else:
                found += _changes(block)
        except ReplyError as error:
            errors.append(error)
    _raise_all(errors)
    if not found:
        raise NoBlockError(
            "the reply has no file block; send each file in a fenced block, its path alone on the block's first line"
        )
    return _assemble(found, [*notes, *mended])


def _changes(block: EditFence | RemovalBlock) -> list[Part]:
    if isinstance(block, RemovalBlock):
        return [Removal(checked_path(path, block.line), block.line) for path in block.paths]
    return [_edits(checked_path(span.path, span.line), span.blocks, span.line) for span in block.spans]


def _edits(path: str, blocks: tuple[EditBlock, ...], line: int) -> FileEdits:
    for block in blocks:
        old = set(block.search.split("\n"))
        for offset, text in enumerate(block.replace.split("\n")):
            if text not in old and (comment := elision(text, path)):
                at = block.line + block.search.count("\n") + 3 + offset
                raise _elided(comment, path, at, "write the new lines out, or leave out what does not change")
    return FileEdits(path, tuple(dict.fromkeys(blocks)), line)


def _file(raw_path: str, body: Iterable[str], line: int, first_line: int) -> tuple[WholeFile, str]:
    path = checked_path(raw_path, line)
    lines = list(body)
    while lines and not visible(lines[0]):
        lines.pop(0)
        first_line += 1
    name = path.rpartition("/")[2]
    if not lines:
        if name in _MAY_BE_EMPTY:
            return WholeFile(path, "", line), ""
        raise EmptyFileError(
            "the block holds no content; send the whole file, or list it in a `remove` block to delete it",
            line=line,
            path=path,
        )
    sent = "\n".join(lines)
    text = _unescaped(path, sent)
    note = "its escapes were undone" if text != sent else ""
    text += "\n"
    for number, item in enumerate(text.split("\n")):
        if is_marker(item):
            raise MalformedEditError(
                "edit markers inside a whole file; send the whole file, or SEARCH/REPLACE pairs and nothing else",
                line=first_line + number,
                path=path,
            )
        if comment := elision(item, path):
            raise _elided(comment, path, first_line + number, "send the file in full, or send edits")
    return WholeFile(path, text, line), note


def _unescaped(path: str, text: str) -> str:
    """One file's text without escapes that a file of its kind cannot be meant to have."""
    extension = "." + path.rpartition(".")[2].lower()
    escaped = _ESCAPED.get(extension)
    if escaped and escaped.match(text) and (decoded := unescaped_lines(text)) is not None:
        text = decoded.rstrip("\n")
    if extension in _MARKUP and "<" not in text and "&lt;" in text:
        text = html.unescape(text)
    return text


def _elided(comment: str, path: str, line: int, way_out: str) -> PlaceholderError:
    return PlaceholderError(f"{comment[:80]!r} stands where content belongs; {way_out}", line=line, path=path)


def _assemble(parts: Iterable[Part], notes: Iterable[str]) -> Reply:
    merged: dict[str, Part] = {}
    errors: list[ReplyError] = []
    for part in parts:
        before = merged.setdefault(part.path, part)
        if isinstance(before, FileEdits) and isinstance(part, FileEdits):
            if before is not part:
                blocks = tuple(dict.fromkeys((*before.blocks, *part.blocks)))
                merged[part.path] = FileEdits(part.path, blocks, before.line)
        elif before != part:
            what = (
                "the file comes in two different versions; send one"
                if isinstance(before, WholeFile) and isinstance(part, WholeFile)
                else "the reply asks for two different kinds of change; choose the whole file, edits or removal"
            )
            errors.append(ConflictError(what, line=part.line, path=part.path))
    _raise_all(errors)
    return Reply(tuple(merged.values()), tuple(notes))


def _raise_all(errors: list[ReplyError]) -> None:
    if errors:
        errors.sort(key=lambda error: error.line or 0)
        errors[0].others = tuple(errors[1:])
        raise errors[0]
