"""Ids that executable checks name: each one is in the markup, or a script may make it."""

import re
from collections.abc import Sequence

from slipway_common.events import Finding
from slipway_generator.inspection.app import App, finding

_LOOKUP = re.compile(r"(?:getElementById|querySelector(?:All)?|closest|matches)\(\s*(?:\"[^\"\n]*\"|'[^'\n]*'|`[^`]*`)")
_BY_ID = re.compile(r"getElementById\(\s*([\"'`])([A-Za-z_][\w-]*)\1\s*\)")
_SELECTOR = re.compile(r"(?:querySelector(?:All)?|closest|matches|\$\$?)\(\s*(?:\"([^\"]*)\"|'([^']*)'|`([^`$]*)`)")
_IN_SELECTOR = re.compile(r"#([A-Za-z_][\w-]*)|\[id=[\"']?([A-Za-z_][\w-]*)[\"']?\]")
# The text of attribute values and of quoted strings may hold a # that is no id: `a[href="#top"]`.
_VALUE = re.compile(r"\[(?!id=)[^\]]*\]")


def inspect(app: App, checks: Sequence[str]) -> list[Finding]:
    """Ids that a check names, no markup has, and no script says other than to look them up."""
    in_markup = {name for page in app.pages.values() for name in page.ids}
    # A script that only looks an id up does not make it.
    said = _LOOKUP.sub("", "\n".join(app.scripts.values()))
    found: list[Finding] = []
    for name, check in named_ids(checks).items():
        if name not in in_markup and not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", said):
            message = f"no element has the id {name!r} that a check names: {check[:120]}"
            found.append(finding("index.html", None, message, f'Give the element it means id="{name}".'))
    return found


def named_ids(checks: Sequence[str]) -> dict[str, str]:
    """The ids that checks look up, each with the first check that names it."""
    found: dict[str, str] = {}
    for check in checks:
        names = [match[2] for match in _BY_ID.finditer(check)]
        for match in _SELECTOR.finditer(check):
            selector = _VALUE.sub("", next((group for group in match.groups() if group is not None), ""))
            names += [first or second for first, second in _IN_SELECTOR.findall(selector)]
        for name in names:
            found.setdefault(name, check)
    return found
