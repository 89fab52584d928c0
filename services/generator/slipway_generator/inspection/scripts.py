"""Scripts: each one compiles, in pages, in files, in event handlers; data in scripts is JSON."""

import json
import posixpath
import re

from slipway_common.events import Finding
from slipway_generator.inspection.app import App, finding
from slipway_generator.markup import Markup, RawText
from slipway_generator.v8 import SyntaxFault, handler_fault, module_fault, script_fault

_CLASSIC = ("", "text/javascript", "application/javascript", "text/ecmascript", "application/ecmascript")
_DATA = ("importmap", "speculationrules", "application/json", "application/ld+json")
_MODULE_SYNTAX = re.compile(r"Cannot use import statement|Unexpected token 'export'|import\.meta|await is only valid")
_FIX = "Correct the syntax; nothing of this script runs as it is."


def inspect(app: App) -> list[Finding]:
    """What does not compile."""
    found = [item for path, page in app.pages.items() for item in _inspect_page(path, page)]
    modules = _modules(app)
    for path, text in app.ending(".js", ".mjs").items():
        is_module = path.lower().endswith(".mjs") or modules.get(path)
        fault = module_fault(text) if is_module else script_fault(text)
        if fault and is_module is None and _MODULE_SYNTAX.search(fault.message):
            fault = module_fault(text)
        if fault:
            found.append(finding(path, fault.line, f"{fault.message}.", _FIX))
    return found


def _inspect_page(path: str, page: Markup) -> list[Finding]:
    found: list[Finding] = []
    for script in page.scripts():
        if fault := _inline_fault(script):
            line = page.line(script.start) + fault.line - 1
            found.append(finding(path, line, f"{fault.message}.", _FIX))
    for tag in page.start_tags:
        for attribute in tag.attributes:
            if attribute.name.startswith("on") and (fault := handler_fault(attribute.value)):
                message = f"{attribute.name} of <{tag.name}>: {fault.message}."
                found.append(finding(path, page.line(attribute.start), message, "Correct the handler's syntax."))
    return found


def _inline_fault(script: RawText) -> SyntaxFault | None:
    kind = (script.tag.get("type") or "").strip().lower()
    if not script.text.strip():
        return None
    if kind == "module":
        return module_fault(script.text)
    if kind in _CLASSIC:
        return script_fault(script.text)
    if kind in _DATA:
        try:
            json.loads(script.text)
        except json.JSONDecodeError as error:
            return SyntaxFault(error.lineno, f"not JSON: {error.msg}")
    return None


def _modules(app: App) -> dict[str, bool]:
    """Which JavaScript files pages load as modules (True) or as classic scripts (False); imported ones are modules."""
    found: dict[str, bool] = {}
    for path, page in app.pages.items():
        for tag in page.start_tags:
            if tag.name == "script" and (source := tag.get("src")):
                target = posixpath.normpath(posixpath.join(posixpath.dirname(path), source.partition("?")[0]))
                found[target] = (tag.get("type") or "").strip().lower() == "module"
    return found
