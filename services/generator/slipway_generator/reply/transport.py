"""Undoes what transport does to a reply as a whole: line ends, wrappers, escapes. Content is left alone."""

import html
import json
import re

from slipway_generator.reply.paths import path_in_info, path_on_line, visible

_FENCE = re.compile(r"^(`{3,}|~{3,})[ \t]*([^`]*)$")
_WRAPPER_INFO = ("", "markdown", "md", "text", "txt", "plaintext")
_MANY = 3
"""Fewer literal `\\n` than this may well be meant."""


def normalise(text: str) -> tuple[str, tuple[str, ...]]:
    """The reply as it was meant to arrive, and notes on what was undone. Lines end in LF."""
    notes: list[str] = []
    text = text.replace("\r\n", "\n")
    if "\n" not in text:
        text = text.replace("\r", "\n")
    text = text.lstrip("\ufeff\u200b\u2060")
    if "<" not in text and "&lt;" in text:
        text = html.unescape(text)
        notes.append("the whole reply was HTML-escaped")
    if "```" in text and (decoded := unescaped_lines(text)) is not None:
        text = decoded
        notes.append("the reply's line breaks were written as \\n")
    elif text.lstrip().startswith('"') and (decoded := _json_string(text)) is not None:
        text = decoded
        notes.append("the reply was a JSON string")
    if (inner := _unwrapped(text)) is not None:
        text = inner
        notes.append("the reply was wrapped in an outer fence")
    return text, tuple(notes)


def unescaped_lines(text: str) -> str | None:
    """A text of one line with its literal `\\n` turned into line breaks; None unless it has several of them."""
    line = text.strip()
    if "\n" in line or line.count("\\n") < _MANY:
        return None
    decoded = _json_string(line if line.startswith('"') else f'"{line}"')
    if decoded is None:
        decoded = line.replace("\\n", "\n").replace("\\t", "\t").replace('\\"', '"')
    return decoded


def wrapped_files(text: str) -> dict[str, str] | None:
    """The files of a reply that is one JSON object (`{"files": {path: text}}`, a list of them, or plain pairs)."""
    body = text.strip()
    lines = body.split("\n")
    if len(lines) > 2 and (opening := _FENCE.match(lines[0])) and opening[2].strip() == "json":
        body = "\n".join(lines[1:-1]) if _FENCE.match(lines[-1]) else body
    if not body.startswith(("{", "[")):
        return None
    try:
        value: object = json.loads(body, strict=False)
    except ValueError:
        return None
    if isinstance(value, dict) and set(value) == {"files"}:
        value = value["files"]
    pairs = [_entry(item) for item in value] if isinstance(value, list) else _items(value)
    files = {path: content for path, content in pairs if path is not None and content is not None}
    return files if pairs and len(files) == len(pairs) and all(path_on_line(path) for path in files) else None


def _items(value: object) -> list[tuple[str | None, str | None]]:
    if not isinstance(value, dict):
        return []
    return [(str(path), content if isinstance(content, str) else None) for path, content in value.items()]


def _entry(item: object) -> tuple[str | None, str | None]:
    if not isinstance(item, dict):
        return None, None
    texts = {str(key): value for key, value in item.items() if isinstance(value, str)}
    path = next((texts[key] for key in ("path", "name", "file", "filename") if key in texts), None)
    return path, next((texts[key] for key in ("content", "text", "code", "contents") if key in texts), None)


def _json_string(text: str) -> str | None:
    try:
        value: object = json.loads(text, strict=False)
    except ValueError:
        return None
    return value if isinstance(value, str) else None


def _unwrapped(text: str) -> str | None:
    lines = text.strip("\n \t").split("\n")
    opening = _FENCE.match(lines[0])
    if opening is None or opening[2].strip().lower() not in _WRAPPER_INFO or len(lines) < 5:
        return None
    closing = _FENCE.match(visible(lines[-1]))
    if closing is None or closing[2].strip() or closing[1][0] != opening[1][0] or path_on_line(lines[1]):
        return None
    # Only a wrapper is followed by the opening of a file block before anything closes.
    for number, line in enumerate(lines[1:-1], 1):
        if inner := _FENCE.match(line):
            named = path_in_info(inner[2]) or path_on_line(lines[number + 1]) or inner[2].strip() == "remove"
            return "\n".join(lines[1:-1]) if named else None
    return None
