"""Reads the reply protocol: fenced blocks with the path on their first line."""

import re

from slipway_generator.reply.errors import (
    ConflictError,
    EmptyFileError,
    MalformedEditError,
    NoBlockError,
    PathError,
    ReplyError,
    UnterminatedBlockError,
)
from slipway_generator.reply.model import EditBlock, FileEdits, Part, Removal, Reply, WholeFile

_OPEN = re.compile(r"^(`{3,})[ \t]*([^`]*)$")
_PATH = re.compile(r"^(?!/)(?!.*(?:^|/)\.\.?(?:/|$))[\w.@+-]+(?:/[\w.@+-]+)*$")


def parse_reply(text: str) -> Reply:
    """What the reply says. Raises ReplyError (its subclasses say what is wrong)."""
    lines = text.replace("\r\n", "\n").lstrip("\ufeff").split("\n")
    parts: list[Part] = []
    at = 0
    while at < len(lines):
        opening = _OPEN.match(lines[at])
        if not opening:
            at += 1
            continue
        close = re.compile(rf"^`{{{len(opening[1])},}}[ \t]*$")
        end = next((n for n in range(at + 1, len(lines)) if close.match(lines[n])), None)
        if end is None:
            raise UnterminatedBlockError("the block has no closing fence; send it whole", line=at + 1)
        parts += _block(opening[2].strip(), lines[at + 1 : end], at + 1)
        at = end + 1
    if not parts:
        raise NoBlockError("the reply has no file block; send each file in a fence with its path on the first line")
    return Reply(_merged(parts))


def _block(info: str, body: list[str], line: int) -> list[Part]:
    if info == "remove":
        return [Removal(_path(item.strip(), line), line) for item in body if item.strip()]
    if not body or "." not in body[0] or " " in body[0].strip():
        return []
    path = _path(body[0].strip(), line)
    content = body[1:]
    if any(item.startswith("<<<<<<< SEARCH") for item in content):
        return [FileEdits(path, tuple(_edits(content, path, line)), line)]
    if not "".join(content).strip():
        raise EmptyFileError("the file is empty", line=line, path=path)
    return [WholeFile(path, "\n".join(content) + "\n", line)]


def _path(path: str, line: int) -> str:
    if not _PATH.match(path):
        raise PathError(f"{path!r} is not a relative path inside the app", line=line)
    return path


def _edits(content: list[str], path: str, line: int) -> list[EditBlock]:
    blocks: list[EditBlock] = []
    search: list[str] = []
    replace: list[str] = []
    state, begun = "between", line
    for number, text in enumerate(content, line + 2):
        mark = text.rstrip()
        if state == "between":
            if mark == "<<<<<<< SEARCH":
                state, begun, search, replace = "search", number, [], []
            elif mark:
                raise MalformedEditError(f"text between the edit blocks: {mark!r}", line=number, path=path)
        elif mark == "=======" and state == "search":
            state = "replace"
        elif mark == ">>>>>>> REPLACE" and state == "replace":
            if not "".join(search).strip():
                raise MalformedEditError("the SEARCH part is blank", line=begun, path=path)
            blocks.append(EditBlock("\n".join(search), "\n".join(replace), begun))
            state = "between"
        elif mark in ("<<<<<<< SEARCH", "=======", ">>>>>>> REPLACE"):
            raise MalformedEditError(f"{mark} is out of order", line=number, path=path)
        else:
            (search if state == "search" else replace).append(text)
    if state != "between":
        raise MalformedEditError("the last edit block is not closed", line=begun, path=path)
    return blocks


def _merged(parts: list[Part]) -> tuple[Part, ...]:
    merged: dict[str, Part] = {}
    for part in parts:
        before = merged.get(part.path)
        if isinstance(before, FileEdits) and isinstance(part, FileEdits):
            merged[part.path] = FileEdits(part.path, before.blocks + part.blocks, before.line)
        elif before is not None and before != part:
            raise ConflictError("the reply says two different things about this file", line=part.line, path=part.path)
        else:
            merged[part.path] = part
    return tuple(merged.values())


__all__ = ["ReplyError", "parse_reply"]
