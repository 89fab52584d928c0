"""Credentials that must not be published, and passwords in addresses: found here, the model can still take them out."""

import re

from slipway_common.credentials import FORMS, Form
from slipway_common.events import Finding
from slipway_generator.inspection.app import App, finding, line_of

_PASSWORD_IN_AN_ADDRESS = Form(
    "password in an address", ("@",), re.compile(r"\bhttps?://[^/\s:@\"'`<>{}$]+:[^/\s:@\"'`<>{}$]+@[\w.-]+\.\w")
)


def inspect(app: App) -> list[Finding]:
    """Which credentials stand in the app's texts; the finding never repeats them."""
    found: list[Finding] = []
    for path, text in app.texts.items():
        for form in (*FORMS, _PASSWORD_IN_AN_ADDRESS):
            for match in form.pattern.finditer(text) if form.may_be_in(text) else ():
                message = f"what looks like a {form.kind} stands here; everyone could read it."
                found.append(finding(path, line_of(text, match.start()), message, "Remove it."))
    return found
