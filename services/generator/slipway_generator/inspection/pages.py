"""HTML pages: whole, ended, and with every element closed that must be."""

import re
from dataclasses import dataclass
from typing import Literal

from slipway_common.events import Finding
from slipway_generator.inspection.app import App, finding
from slipway_generator.markup import Markup, Tag

# HTML standard, section 13.1.2: elements without end tag, and those whose end tag may be left out.
_VOID = frozenset("area base br col embed hr img input link meta source track wbr param".split())
_OPTIONAL = frozenset(
    "html head body p li dt dd rt rp optgroup option colgroup caption thead tbody tfoot tr td th".split()
)
# Misnesting of these is mended by every browser without loss (standard, section 13.2.6.4.7, adoption agency).
_INLINE = frozenset("a b big code em font i s small span strike strong tt u label abbr cite sub sup mark time".split())
_ENDS = re.compile(r"</html\s*>\s*(?:<!--.*?-->\s*)*\Z", re.IGNORECASE | re.DOTALL)


def inspect(app: App) -> list[Finding]:
    """What is wrong with the structure of each page."""
    return [found for path, page in app.pages.items() for found in _inspect_page(path, page)]


def _inspect_page(path: str, page: Markup) -> list[Finding]:
    found: list[Finding] = []
    if page.unfinished:
        line = page.line(page.unfinished.start)
        return [
            finding(path, line, f"the file ends inside a {page.unfinished.what} that begins here.", "Write its end.")
        ]
    whole = any(tag.name == "html" for tag in page.start_tags) or path == "index.html"
    if whole and not page.doctype:
        found.append(finding(path, 1, "the page does not begin with <!DOCTYPE html>.", "Put it on the first line."))
    if whole and not _ENDS.search(page.source):
        last = page.line(len(page.source.rstrip()))
        found.append(finding(path, last, "the page does not end with </html>.", "Write the page to its end."))
    return found + _nesting(path, page)


@dataclass
class _Open:
    tag: Tag
    foreign: bool


def _nesting(path: str, page: Markup) -> list[Finding]:
    found: list[Finding] = []
    stack: list[_Open] = []
    for tag in page.tags:
        if tag.name in _VOID or tag.name in _OPTIONAL:
            continue
        foreign = tag.name in ("svg", "math") or (bool(stack) and stack[-1].foreign)
        if not tag.closing:
            if not (foreign and tag.self_closing):
                stack.append(_Open(tag, foreign and tag.name != "foreignobject"))
            continue
        depth = next((n for n in range(len(stack) - 1, -1, -1) if stack[n].tag.name == tag.name), None)
        if depth is None:
            line = page.line(tag.start)
            message = f"</{tag.name}> closes nothing."
            found.append(finding(path, line, message, "Remove it, or write the start tag.", _severity(tag)))
            continue
        for unclosed in stack[depth + 1 :]:
            found.append(_unclosed(path, page, unclosed.tag, f"</{tag.name}> at line {page.line(tag.start)}"))
        del stack[depth:]
    return found + [_unclosed(path, page, unclosed.tag, "the end of the file") for unclosed in stack]


def _unclosed(path: str, page: Markup, tag: Tag, before: str) -> Finding:
    line = page.line(tag.start)
    message = f"<{tag.name}> is not closed before {before}."
    return finding(path, line, message, f"Write </{tag.name}> where it ends.", _severity(tag))


def _severity(tag: Tag) -> Literal["error", "warning"]:
    return "warning" if tag.name in _INLINE else "error"
