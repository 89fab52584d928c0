"""What an inspection proves: the outcome of each check, what is wrong, how it looks."""

import re
from dataclasses import dataclass, field

from slipway_common.events import CheckOutcome, CheckResult, Finding, Screenshot
from slipway_generator.browser.network import Traffic

_MAX_FINDINGS = 20
_MAX_TEXT = 400
_NOT_IN_PACKAGE = "This version of the package has no such file: use one that it has."
_MISSING_NAME = re.compile(
    r"\b(?:ReferenceError|TypeError|is not defined|is not a function|Failed to fetch|NetworkError)"
)


@dataclass(frozen=True)
class Evidence:
    """`available` says whether a browser looked; if not, `reason` says why and what it would have run is not_run.

    `checks` are in the order in which they were given. `notes` tell what a reader should know besides.
    """

    available: bool
    reason: str = ""
    title: str = ""
    checks: tuple[CheckResult, ...] = ()
    findings: tuple[Finding, ...] = ()
    screenshots: tuple[Screenshot, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Complaint:
    """An error that the browser reported: an uncaught exception, console.error, a CSP violation."""

    kind: str
    text: str
    url: str = ""
    line: int | None = None


@dataclass
class Observed:
    """What was seen while one app was looked at; `url` is where it was served."""

    url: str
    traffic: Traffic
    complaints: list[Complaint] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)
    title: str | None = None
    blank: bool = False
    stopped: str = ""
    outcomes: dict[int, tuple[bool, str]] = field(default_factory=dict)
    screenshots: list[Screenshot] = field(default_factory=list)


def findings_of(seen: Observed) -> tuple[Finding, ...]:
    """What is wrong with the app itself. What may come from a withheld request is a warning that says so."""
    found: list[Finding] = []
    if seen.stopped:
        found.append(_finding(seen.stopped, "Find the endless loop, redirect or oversized content and end it."))
    for path, kind in seen.traffic.missing.items():
        ours = not path.startswith("https://")
        fix = "Add this file, or ask for one that the app has, by relative path." if ours else _NOT_IN_PACKAGE
        found.append(_finding(f"{path or 'index.html'} ({kind}) answers 404", fix))
    for url in seen.traffic.departures:
        found.append(_finding(f"the page leaves for {url}", "Stay on the page; offer a link if it is needed."))
    doubtful = set(seen.traffic.decisive.values()) - {"stylesheet"}
    for complaint in dict.fromkeys(seen.complaints):
        if complaint.text.startswith("Failed to load resource") or _is_foreign(complaint, seen.traffic):
            continue
        warn = (bool(doubtful) and bool(_MISSING_NAME.search(complaint.text))) or (
            bool(doubtful) and complaint.kind == "console error"
        )
        fix = (
            f"Maybe only because {next(iter(seen.traffic.decisive))} could not be loaded here."
            if warn
            else "Mend the cause, not the message."
        )
        found.append(
            _finding(
                f"{complaint.kind}: {complaint.text}", fix, complaint.url.removeprefix(seen.url), complaint.line, warn
            )
        )
    if seen.title is not None and not seen.title.strip() and not seen.traffic.departures:
        found.append(_finding("the page has no title", "Give index.html a <title>."))
    if seen.blank and not seen.traffic.departures:
        found.append(_finding("the page shows nothing", "Show the content without any click."))
    if seen.dialogs:
        found.append(
            _finding(f"the page opens a dialog: {seen.dialogs[0]}", "Show it in the page; a dialog stops everything.")
        )
    return tuple(found[:_MAX_FINDINGS])


def _finding(message: str, fix: str, file: str = "", line: int | None = None, warn: bool = False) -> Finding:
    return Finding(
        file=file.partition("?")[0].partition("#")[0] or "index.html",
        line=line,
        message=message[:_MAX_TEXT],
        fix=fix,
        source="browser",
        severity="warning" if warn else "error",
    )


def _is_foreign(complaint: Complaint, traffic: Traffic) -> bool:
    """Whether it only says that a withheld or a replaced file was not the one that the page wanted."""
    return any(url in complaint.text or complaint.url == url for url in traffic.withheld) or (
        "integrity" in complaint.text and any(url in complaint.text for url in traffic.inexact)
    )


def settle(holds: bool, detail: str, traffic: Traffic) -> tuple[CheckOutcome, str]:
    """Outcome and detail of a page check: what is false while the network withheld something is inconclusive."""
    if holds:
        return "true", detail
    if traffic.decisive:
        url = next(iter(traffic.decisive))
        return "inconclusive", f"{detail} (could not be loaded here: {url})"
    return "false", detail
