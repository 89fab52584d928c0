"""What a check is: an expression for the page, a statement about files that code can decide, or work for a person."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from slipway_common.events import Check, JsCheck
from slipway_generator.checks import javascript, prose
from slipway_generator.checks.javascript import Form, NotJavaScriptError

_TIME = re.compile(
    r"\b(within|in under|under|in less than|in at most|in|after|wait(?:s|ing)?(?: for)?)\s+(\d+(?:\.\d+)?)\s*"
    r"(ms|milliseconds?|s|secs?|seconds?|m|mins?|minutes?)\b",
    re.IGNORECASE,
)
_TIMER = re.compile(r"setTimeout\(.*?,\s*(\d{2,6})\s*\)", re.DOTALL)
_PREFIX = re.compile(r"\s*js\s*:\s*", re.IGNORECASE)
_PAGE_NAME = re.compile(r"(?<![\w$.#-])(?:document|window)(?![\w$-])")
_PARAMETER = re.compile(r"\?([A-Za-z_][\w-]*)=(\S*)")
_NEGATED = re.compile(r"\b(?:not|no|never|without|doesn't|isn't)\b", re.IGNORECASE)
_SHOWN = re.compile(r"\b(?:show|display|render|print|reflect|visible|appear)", re.IGNORECASE)
_GIVEN = re.compile(r"\b(?:passed|given|provided|supplied|value|param)", re.IGNORECASE)


@dataclass(frozen=True)
class OnPage:
    """JavaScript to evaluate on the page until it is true; `seconds` is the time that it has for that."""

    source: str
    form: Form
    seconds: float


@dataclass(frozen=True)
class Shown:
    """A value passed in the query string as `parameter` has to be seen on the page."""

    parameter: str
    value: str
    seconds: float


@dataclass(frozen=True)
class OnFiles:
    """A statement about the app's files."""

    rule: prose.Rule

    def decide(self, files: Mapping[str, bytes]) -> tuple[bool, str]:
        """Whether it holds, and what was found."""
        return self.rule(files)


@dataclass(frozen=True)
class NotRun:
    """Nothing here decides it; `reason` says why, `for_person` whether nothing but a person could."""

    reason: str
    for_person: bool = False


Plan = OnPage | Shown | OnFiles | NotRun
_FOR_A_PERSON = NotRun("for a person to judge", for_person=True)


def text_of(check: Check) -> str:
    """A check as people read it."""
    return check.js if isinstance(check, JsCheck) else check


def seconds_for(text: str, usual: float) -> float:
    """The seconds that a check gives the page: those it names ("within 15 s"), otherwise `usual`.

    What it waits itself ("after 3 s", `setTimeout(..., 3000)`) comes on top of the usual time.
    """
    waits = sum(int(found) / 1000 for found in _TIMER.findall(text))
    found = _TIME.search(text)
    if found is None:
        return usual + waits
    unit = found[3].lower()
    scale = 0.001 if unit.startswith(("ms", "milli")) else 60.0 if unit.startswith("m") else 1.0
    seconds = float(found[2]) * scale
    return usual + seconds if found[1].lower().startswith(("after", "wait")) else seconds + waits


def plan(check: Check, usual: float = 5.0) -> Plan:
    """How `check` is to be decided; `usual` is the time, in seconds, that a check has which names none.

    JavaScript is `{"js": ...}`, a string `js: ...`, and a bare string that parses as an expression and names
    `document` or `window`. A `${...}` that was never filled in makes a check undecidable.
    """
    text = text_of(check)
    prefix = _PREFIX.match(text)
    source = text[prefix.end() :] if prefix else text
    declared = isinstance(check, JsCheck) or prefix is not None
    gap = javascript.unresolved(source)
    if gap:
        return NotRun(f"unresolved {gap}: the sender's template was not filled in")
    if declared or _PAGE_NAME.search(source):
        try:
            form = javascript.form_of(source)
        except NotJavaScriptError as error:
            if declared:
                return NotRun(f"it is not JavaScript: {error}")
        else:
            if declared or form == "expression":
                return OnPage(source.strip(), form, seconds_for(text, usual))
    return _plan_prose(text, usual)


def _plan_prose(text: str, usual: float) -> Plan:
    if _NEGATED.search(text):
        return _FOR_A_PERSON
    parameter = _PARAMETER.search(text)
    if parameter is not None and _SHOWN.search(text) and _GIVEN.search(text):
        return Shown(parameter[1], _sample(parameter[1]), seconds_for(text, usual))
    rule = prose.rule_for(text)
    return OnFiles(rule) if rule is not None else _FOR_A_PERSON


def _sample(parameter: str) -> str:
    """A value that no page shows by chance. What is named url gets the shape of one."""
    return (
        "https://example.com/slipway-7f3a9c.png" if re.search("url|src|link|href", parameter, re.I) else "Slipway7f3a9c"
    )
