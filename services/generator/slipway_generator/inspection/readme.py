"""README.md: it has the sections that a reader, and the checks, look for."""

import re

from slipway_common.events import Finding
from slipway_generator.inspection.app import App, finding

_SECTIONS = {
    "summary": r"summary|overview|about|description|introduction|what (?:it|this) (?:is|does)|purpose",
    "setup": r"set[ -]?up|install(?:ation|ing)?|getting started|how to run|run(?:ning)?(?: it)?|quick ?start|deploy\w*",
    "usage": r"usage|how to use|using\b|use\b",
    "code explanation": r"code\b.*|explanation|how (?:it|this|the code|the page) works|architecture|implementation"
    r"|technical\b.*|structure|under the hood",
    "license": r"licen[cs]e|licensing",
}
_HEADING = re.compile(r"^#{1,6}[ \t]+(.+?)[ \t#]*$|^([^\s#>|`-][^\n]*)\n(?:=+|-{3,})[ \t]*$", re.MULTILINE)
_FENCE = re.compile(r"^(`{3,}|~{3,}).*?(?:^\1`*~*[ \t]*$|\Z)", re.MULTILINE | re.DOTALL)
_INTRODUCTION = 40
"""Characters of text under the title that count as a summary without a heading of its own."""


def inspect(app: App) -> list[Finding]:
    """Which sections are missing."""
    text = app.texts.get("README.md")
    if text is None:
        return [finding("README.md", None, "the app has no README.md.", f"Write it, with {', '.join(_SECTIONS)}.")]
    plain = _FENCE.sub("", text)
    headings = [(match.end(), (match[1] or match[2]).strip().lower()) for match in _HEADING.finditer(plain)]
    missing = [
        name
        for name, pattern in _SECTIONS.items()
        if not any(re.search(rf"\b(?:{pattern})", heading) for _, heading in headings)
    ]
    if "summary" in missing and headings:
        end = next((at for at, _ in headings[1:]), len(plain))
        under_title = plain[headings[0][0] : end].strip()
        if len(under_title.partition("\n#")[0]) >= _INTRODUCTION:
            missing.remove("summary")
    return [
        finding("README.md", None, f"there is no section on {name}.", f"Add a heading for it: {name.capitalize()}.")
        for name in missing
    ]
