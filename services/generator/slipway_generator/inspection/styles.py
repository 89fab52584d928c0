"""Style sheets: no brace, comment or string is left open, which would silence the rules behind it."""

import re

from slipway_common.events import Finding
from slipway_generator.inspection.app import App, finding, line_of

_TOKEN = re.compile(
    r"(?P<comment>/\*(?:.*?\*/|.*\Z))|(?P<string>\"(?:[^\"\\\n]|\\.)*\"?|'(?:[^'\\\n]|\\.)*'?)"
    r"|url\(\s*[^\"'\s)][^)]*\)|(?P<brace>[{}])",
    re.DOTALL | re.IGNORECASE,
)


def inspect(app: App) -> list[Finding]:
    """What is left open, in style elements and .css files."""
    sheets = [(path, text, 1) for path, text in app.ending(".css").items()]
    for path, page in app.pages.items():
        sheets += [(path, style.text, page.line(style.start)) for style in page.styles()]
    return [item for path, text, line in sheets for item in _inspect_sheet(path, text, line)]


def _inspect_sheet(path: str, text: str, first_line: int) -> list[Finding]:
    open_at: list[int] = []
    for match in _TOKEN.finditer(text):
        line = first_line + line_of(text, match.start()) - 1
        if match["comment"] and (len(match["comment"]) < 4 or not match["comment"].endswith("*/")):
            return [finding(path, line, "a style comment is not closed.", "Write */ where it ends.")]
        if match["brace"] == "{":
            open_at.append(line)
        elif match["brace"] == "}":
            if not open_at:
                return [finding(path, line, "} closes no style rule.", "Remove it, or write the rule's start.")]
            open_at.pop()
    if open_at:
        return [finding(path, open_at[-1], "{ is not closed in this style sheet.", "Write } where the rule ends.")]
    return []
