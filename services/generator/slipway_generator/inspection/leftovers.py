"""Text that was meant to be replaced: elided code, dummy text, names and keys to fill in."""

import re

from slipway_common.events import Finding
from slipway_generator.inspection.app import App, finding, line_of
from slipway_generator.reply.placeholders import elision

_DUMMY = re.compile(r"lorem ipsum", re.IGNORECASE)
_FILL_IN = re.compile(
    r"\[(?i:your|insert|add|enter|fill in) [a-zA-Z][^\],\n]{0,40}\](?!\()|<(?i:your)[-_ ][a-zA-Z][^>\n]{0,40}>"
    r"|\b(?i:your[-_ ]?(?:name|company|title|text|content|email|(?:github[-_ ]?)?username)[-_ ]here)\b"
    r"|\bYOUR_[A-Z_]*(?:KEY|TOKEN|ID|URL|NAME|HERE)\b|\bREPLACE_ME\b|\bINSERT_[A-Z_]*HERE\b"
)
_TODO = re.compile(r"(?://|/\*|<!--|^\s*#)\s*(?:TODO|FIXME|XXX)\b", re.MULTILINE)
_CODE = (".html", ".htm", ".css", ".js", ".mjs", ".yml", ".yaml", ".py")


def inspect(app: App, wanted: str) -> list[Finding]:
    """Leftovers in the app's texts. Dummy text that the brief or the checks ask for is fine."""
    found: list[Finding] = []
    for path, text in app.ending(*_CODE, ".md", ".svg").items():
        for number, line in enumerate(text.split("\n"), 1):
            if ("..." in line or "\u2026" in line or "<!--" in line or "/*" in line or "//" in line) and (
                comment := elision(line, path)
            ):
                message = f"{comment[:80]!r} stands where content belongs."
                found.append(finding(path, number, message, "Write the content out."))
        for match in _FILL_IN.finditer(text):
            message = f"{match[0][:60]!r} was meant to be filled in."
            found.append(finding(path, line_of(text, match.start()), message, "Fill it in, or leave it out."))
        if not _DUMMY.search(wanted) and (dummy := _DUMMY.search(text)):
            found.append(finding(path, line_of(text, dummy.start()), "dummy text.", "Write real text.", "warning"))
        for match in _TODO.finditer(text):
            message = "a note says that something is still to be done."
            found.append(finding(path, line_of(text, match.start()), message, "Do it and remove the note.", "warning"))
    return found
