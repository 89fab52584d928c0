"""Subresource integrity: a model cannot know a file's hash, and a wrong one blocks the file; so none is kept."""

from collections.abc import Mapping

from slipway_common.events import Finding
from slipway_generator.inspection.app import finding
from slipway_generator.markup import Attribute, Markup


def strip_integrity(html: str) -> str:
    """The page without `integrity` attributes of scripts and links; everything else stays byte for byte."""
    pieces, at = [], 0
    for attribute in _attributes(Markup(html)):
        start = attribute.start
        while html[start - 1].isspace():
            start -= 1
        pieces.append(html[at:start])
        at = attribute.end
    return "".join([*pieces, html[at:]])


def without_integrity(files: Mapping[str, bytes]) -> tuple[dict[str, bytes], list[Finding]]:
    """The files with `strip_integrity` applied to each page, and a warning for each attribute that went."""
    stripped, found = dict(files), []
    for path, data in files.items():
        if not path.lower().endswith((".html", ".htm")) or b"integrity" not in data.lower():
            continue
        try:
            text = data.decode()
        except UnicodeDecodeError:
            continue
        page = Markup(text)
        for attribute in _attributes(page):
            message = "an integrity hash was removed: it was not computed from the file it names."
            found.append(finding(path, page.line(attribute.start), message, "Nothing to do.", "warning"))
        stripped[path] = strip_integrity(text).encode()
    return stripped, found


def _attributes(page: Markup) -> list[Attribute]:
    return [
        attribute
        for tag in page.start_tags
        if tag.name in ("script", "link")
        for attribute in tag.attributes
        if attribute.name == "integrity"
    ]
