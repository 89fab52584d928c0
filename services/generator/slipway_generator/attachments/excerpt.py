"""What the model is shown of attachments: the whole text where it fits, else head, tail and a summary.

The budget is ATTACHMENTS_CHARS over all attachments together; a text of up to FILE_CHARS is shown whole as long as that
lasts, small ones first. Of a longer one EXCERPT_CHARS are shown, three quarters from its head and the rest from its
tail, by whole lines.
"""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass

from slipway_generator.attachments import Material

ATTACHMENTS_CHARS = 120_000
FILE_CHARS = 40_000
EXCERPT_CHARS = 8_000
_LEAST_CHARS = 1_000
_LINE_CHARS = 600
_MARKER_CHARS = 40
_NAME_CHARS = 60
_NAMES = 40
_ENOUGH_PRINTABLE = 0.97


@dataclass(frozen=True)
class Excerpt:
    """`note` describes the attachment, `text` is what is shown of it, `cut` says what was left out.

    All but `cut` may quote the attachment, so all of it is data.
    """

    note: str
    text: str = ""
    cut: str = ""


@dataclass(frozen=True)
class Text:
    """A text file as it reads; `encoding` other than UTF-8 has to be named by who fetches it."""

    content: str
    encoding: str = "utf-8"


def excerpts(materials: Sequence[Material]) -> tuple[Excerpt, ...]:
    """One for each, in order. Never raises: what cannot be read as text is described by its type."""
    texts = [_text_of(material) for material in materials]
    shown: dict[int, tuple[str, str]] = {}
    waiting = sorted((at for at, text in enumerate(texts) if text), key=lambda at: len(_content(texts[at])))
    left = ATTACHMENTS_CHARS
    for position, at in enumerate(waiting):
        content = _content(texts[at])
        share = left // (len(waiting) - position)
        if len(content) <= min(FILE_CHARS, share):
            shown[at] = content, ""
        else:
            shown[at] = _head_and_tail(content, min(EXCERPT_CHARS, share))
        left -= len(shown[at][0])
    return tuple(
        _excerpt(material, text, *shown.get(at, ("", "")))
        for at, (material, text) in enumerate(zip(materials, texts, strict=True))
    )


def _excerpt(material: Material, text: Text | None, shown: str, cut: str) -> Excerpt:
    if material.note:
        return Excerpt(material.note)
    if text is None:
        if material.media_type.startswith("image/"):
            return Excerpt("An image; where you can see images, it is part of this message.")
        return Excerpt("A binary file.")
    note = _summary(material.media_type, text.content)
    if text.encoding != "utf-8":
        note += f" Its encoding is {text.encoding}: decode it with new TextDecoder({text.encoding!r})."
    return Excerpt(note, shown, cut)


def _text_of(material: Material) -> Text | None:
    if material.media_type.startswith("image/") and material.media_type != "image/svg+xml":
        return None
    data = material.data
    try:
        if data.startswith((b"\xff\xfe", b"\xfe\xff")):
            return Text(data.decode("utf-16"), "utf-16le" if data.startswith(b"\xff\xfe") else "utf-16be")
        return None if b"\x00" in data else Text(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        pass
    text = data.decode("cp1252", errors="replace")
    readable = sum(char.isprintable() or char in "\r\n\t" for char in text[:20_000])
    if readable < _ENOUGH_PRINTABLE * min(len(text), 20_000):
        return None
    return Text(text, "windows-1252")


def _content(text: Text | None) -> str:
    return text.content if text else ""


def _head_and_tail(content: str, room: int) -> tuple[str, str]:
    """What is shown in at most about `room` characters, and what is not."""
    if room < _LEAST_CHARS:
        return "", f"all {len(content)} characters not shown"
    room -= _MARKER_CHARS
    lines = content.splitlines()
    head = _fitting(lines, room * 3 // 4)
    tail = _fitting(lines[len(head) :][::-1], room // 4)[::-1]
    shown = [_shortened(line) for line in (*head, *tail)]
    missing = []
    if left_out := len(lines) - len(shown):
        missing.append(f"{left_out} of {len(lines)} lines")
        shown.insert(len(head), f"[{left_out} lines left out]")
    if shortened := sum(len(line) > _LINE_CHARS for line in (*head, *tail)):
        missing.append(f"the middle of {shortened} long lines")
    return "\n".join(shown), " and ".join(missing) + " not shown"


def _fitting(lines: Sequence[str], room: int) -> list[str]:
    """As many of the first lines as fit."""
    found: list[str] = []
    for line in lines:
        room -= min(len(line), _LINE_CHARS + _MARKER_CHARS) + 1
        if room < 0:
            break
        found.append(line)
    return found


def _shortened(line: str) -> str:
    if len(line) <= _LINE_CHARS:
        return line
    return f"{line[: _LINE_CHARS * 3 // 4]} [{len(line) - _LINE_CHARS} characters] {line[-_LINE_CHARS // 4 :]}"


def _summary(media_type: str, text: str) -> str:
    if media_type in {"text/csv", "text/tab-separated-values"}:
        return _table_summary(text)
    if media_type == "application/json":
        return _json_summary(text)
    return f"{len(text.splitlines())} lines of text."


def _table_summary(text: str) -> str:
    first = text.partition("\n")[0]
    delimiter = max(",;\t|", key=first.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        header = next(rows, [])
        count = sum(1 for row in rows if row)
    except csv.Error as error:
        return f"{len(text.splitlines())} lines; not read as a table ({error})."
    by = "" if delimiter == "," else f" Separated by {delimiter!r}."
    return f"{len(header)} columns: {_names(header)}. Data rows: {count}.{by}"


def _json_summary(text: str) -> str:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return "Not valid JSON."
    if isinstance(value, dict):
        named = [f"{' '.join(key.split())[:_NAME_CHARS]} ({_kind(item)})" for key, item in value.items()]
        return f"A JSON object of {len(named)} keys: {_names(named)}."
    if isinstance(value, list):
        item = value[0] if value else None
        keys = f", the first with the keys {_names(list(item))}" if isinstance(item, dict) else ""
        return f"A JSON array of {len(value)} items{keys}."
    return f"A JSON {_kind(value)}."


def _kind(value: object) -> str:
    match value:
        case dict():
            return f"object of {len(value)} keys"
        case list():
            return f"array of {len(value)} items"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "string"
        case _:
            return "null"


def _names(names: Sequence[object]) -> str:
    listed = [" ".join(str(name).split())[: _NAME_CHARS + 30] for name in names[:_NAMES]]
    return ", ".join(listed) + (f" and {len(names) - _NAMES} more" if len(names) > _NAMES else "")
