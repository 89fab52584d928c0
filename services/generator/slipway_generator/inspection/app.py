"""The app as the inspections see it: its files as text, its pages tokenised once."""

from collections.abc import Mapping
from functools import cached_property
from typing import Literal

from slipway_common.events import Finding
from slipway_generator.markup import Markup

_PAGES = (".html", ".htm")
_TEXT = (
    *_PAGES,
    *(".css", ".js", ".mjs", ".json", ".webmanifest", ".svg", ".xml", ".csv", ".tsv", ".md", ".markdown", ".txt"),
    *(".yml", ".yaml", ".py", ".sh", ".toml"),
)


def finding(
    file: str, line: int | None, message: str, fix: str, severity: Literal["error", "warning"] = "error"
) -> Finding:
    """A finding of the static inspection."""
    return Finding(file=file, line=line, message=message, fix=fix, source="static", severity=severity)


class App:
    """Files by path. `texts` holds those of a text type that are UTF-8; `undecodable` names those that are not."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.files = files
        self.texts: dict[str, str] = {}
        self.undecodable: list[str] = []
        for path, data in files.items():
            if path.lower().endswith(_TEXT):
                try:
                    self.texts[path] = data.decode("utf-8-sig")
                except UnicodeDecodeError:
                    self.undecodable.append(path)

    @cached_property
    def pages(self) -> dict[str, Markup]:
        """The HTML files."""
        return {path: Markup(text) for path, text in self.texts.items() if path.lower().endswith(_PAGES)}

    def ending(self, *extensions: str) -> dict[str, str]:
        """The text files with one of these extensions."""
        return {path: text for path, text in self.texts.items() if path.lower().endswith(extensions)}

    @cached_property
    def scripts(self) -> dict[str, str]:
        """All script there is: JavaScript files, and the inline scripts of each page in one text."""
        inline = {path: "\n".join(raw.text for raw in page.scripts()) for path, page in self.pages.items()}
        return {**self.ending(".js", ".mjs"), **inline}


def line_of(text: str, offset: int) -> int:
    """The line (from 1) of an offset in a text."""
    return text.count("\n", 0, offset) + 1
