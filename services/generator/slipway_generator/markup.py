"""Cuts an HTML file into tags, comments and raw text, with their places; it never changes or repairs anything.

The rules are those of the tokenizer in the HTML standard (section 13.2.5), as far as pages need them.
"""

import html
import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

_TAG = re.compile(
    r"<!--(?P<comment>.*?)(?P<comment_end>--!?>|\Z)"
    r"|<(?P<close>/?)(?P<name>[a-zA-Z][^\s/>]*+)(?P<attributes>(?:[^>\"']++|\"[^\"]*+\"|'[^']*+')*+)(?P<tag_end>>?)"
    r"|<[!?][^>]*>",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(
    r"(?P<name>[^\s\"'<>/=][^\s/>=]*)(?P<value>\s*=\s*(?:\"(?P<double>[^\"]*)\"|'(?P<single>[^']*)'|(?P<bare>[^\s>]+)))?"
)
_RAW = frozenset({"script", "style", "textarea", "title", "iframe", "noembed", "noframes", "xmp"})


class Attribute(NamedTuple):
    """One attribute: its name in lower case, its value unescaped, and its span in the file."""

    name: str
    value: str
    start: int
    end: int


class Tag(NamedTuple):
    """A start or end tag and its span in the file."""

    name: str
    start: int
    end: int
    closing: bool
    self_closing: bool
    attributes: tuple[Attribute, ...]

    def get(self, name: str) -> str | None:
        """The value of an attribute; the first one counts."""
        return next((attribute.value for attribute in self.attributes if attribute.name == name), None)


@dataclass(frozen=True)
class RawText:
    """The text of a script, style or other element that holds no tags, and where it begins."""

    tag: Tag
    text: str
    start: int


@dataclass(frozen=True)
class Unfinished:
    """Something that the file ends inside of: a comment, a tag or a raw-text element."""

    what: str
    start: int


class Markup:
    """An HTML file, tokenised once."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.tags: list[Tag] = []
        self.raw: list[RawText] = []
        self.comments: list[tuple[int, str]] = []
        """Where each comment begins, and its text."""
        self.unfinished: Unfinished | None = None
        self.doctype = re.match(r"[\ufeff\s]*(?:<!--.*?-->\s*)*<!doctype html\b", source, re.IGNORECASE | re.DOTALL)
        self._scan()

    def line(self, offset: int) -> int:
        """The line (from 1) of an offset."""
        return bisect_right(self._line_starts, offset)

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *(match.end() for match in re.finditer("\n", self.source))]

    @property
    def start_tags(self) -> list[Tag]:
        """The start tags, in order."""
        return [tag for tag in self.tags if not tag.closing]

    @cached_property
    def ids(self) -> dict[str, int]:
        """The ids in the markup, and the line of each."""
        return {value: self.line(tag.start) for tag in self.start_tags if (value := tag.get("id"))}

    def scripts(self) -> list[RawText]:
        """The scripts with a text of their own."""
        return [raw for raw in self.raw if raw.tag.name == "script" and raw.tag.get("src") is None]

    def styles(self) -> list[RawText]:
        """The style elements."""
        return [raw for raw in self.raw if raw.tag.name == "style"]

    def _scan(self) -> None:
        at = 0
        while match := _TAG.search(self.source, at):
            at = match.end()
            if match["comment"] is not None:
                self.comments.append((match.start(), match["comment"]))
                if not match["comment_end"]:
                    self.unfinished = Unfinished("comment", match.start())
            elif match["name"]:
                if not match["tag_end"]:
                    self.unfinished = Unfinished(f"tag <{match['close']}{match['name']}", match.start())
                    break
                tag = self._tag(match)
                self.tags.append(tag)
                if not tag.closing and tag.name in _RAW:
                    at = self._raw_text(tag)

    def _tag(self, match: re.Match[str]) -> Tag:
        text, at = match["attributes"], match.start("attributes")
        attributes = tuple(
            Attribute(
                found["name"].lower(),
                html.unescape(found["double"] or found["single"] or found["bare"] or ""),
                at + found.start(),
                at + found.end(),
            )
            for found in (_ATTRIBUTE.finditer(text) if text and not match["close"] else ())
        )
        return Tag(
            match["name"].lower(),
            match.start(),
            match.end(),
            bool(match["close"]),
            text.endswith("/"),
            attributes,
        )

    def _raw_text(self, tag: Tag) -> int:
        end = re.compile(rf"</{tag.name}(?=[\s/>])", re.IGNORECASE).search(self.source, tag.end)
        if end is None:
            self.unfinished = Unfinished(f"<{tag.name}>", tag.start)
        stop = end.start() if end else len(self.source)
        self.raw.append(RawText(tag, self.source[tag.end : stop], tag.end))
        return stop
