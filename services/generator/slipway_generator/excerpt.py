"""What the model is shown of an attachment: the whole text where it fits, else head, tail and a summary."""

import csv
import io
import json
from dataclasses import dataclass

from slipway_generator.attachments import Material

MAX_CHARS = 24_000
_HEAD_LINES = 40
_TAIL_LINES = 10
_LINE_CHARS = 400


@dataclass(frozen=True)
class Excerpt:
    """`note` describes the attachment in a line, `text` is what is shown of it, `cut` says what was left out."""

    note: str
    text: str = ""
    cut: str = ""


def excerpt(material: Material) -> Excerpt:
    """Never raises: what cannot be read as text is described by its type and size."""
    if material.media_type.startswith("image/") and material.media_type != "image/svg+xml":
        return Excerpt("An image; where you can see images, it is part of this message.")
    try:
        text = material.data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return Excerpt("A binary file.")
    note = _summary(material.media_type, text)
    if len(text) <= MAX_CHARS:
        return Excerpt(note, text)
    lines = text.splitlines()
    head = [line[:_LINE_CHARS] for line in lines[:_HEAD_LINES]]
    tail = [line[:_LINE_CHARS] for line in lines[max(_HEAD_LINES, len(lines) - _TAIL_LINES) :]]
    left_out = max(0, len(lines) - len(head) - len(tail))
    shown = "\n".join([*head, f"[{left_out} lines left out]", *tail])
    return Excerpt(note, shown, f"{left_out} of {len(lines)} lines not shown to the model")


def _summary(media_type: str, text: str) -> str:
    if media_type in {"text/csv", "text/tab-separated-values"}:
        delimiter = "\t" if media_type.endswith("values") else ","
        rows = csv.reader(io.StringIO(text), delimiter=delimiter)
        header = next(rows, [])
        return f"Columns: {', '.join(header)}. Data rows: {sum(1 for row in rows if row)}."
    if media_type == "application/json":
        try:
            value = json.loads(text)
        except ValueError:
            return "Not valid JSON."
        if isinstance(value, dict):
            return f"A JSON object with the keys {', '.join(map(str, value))}."
        return f"A JSON array of {len(value)} items." if isinstance(value, list) else "A JSON value."
    return f"{len(text.splitlines())} lines of text."
