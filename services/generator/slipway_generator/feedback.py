"""What the model is told when its answer was not good enough: text that says what to mend and how to send it."""

from slipway_common.events import CheckResult, Finding
from slipway_generator.edits import ChangeRefused
from slipway_generator.reply import ReplyError
from slipway_generator.verdict import Verdict

_MAX_FINDINGS = 20


def of_refusal(error: ReplyError | ChangeRefused) -> str:
    """Why nothing of the answer was applied."""
    return f"Nothing of your answer was applied:\n\n{error.report()}\n"


def of_verdict(verdict: Verdict, *, kept: bool) -> str:
    """What is wrong with the version that the answer made; `kept` says whether one goes on from it."""
    parts = [
        "Your answer was applied and the app was tried in a browser. Mend what follows with SEARCH/REPLACE pairs "
        "against the files as they now are, and change nothing else."
        if kept
        else "Your answer made the app worse, so it was undone: the files are again as they were before it. "
        "Mend what follows with SEARCH/REPLACE pairs against those files."
    ]
    false = [check for check in verdict.checks if check.outcome == "false"]
    if false:
        parts.append("Checks that do not hold:\n" + "\n".join(map(_check, false)))
    errors = sorted(verdict.findings, key=lambda finding: finding.severity)[:_MAX_FINDINGS]
    if errors:
        parts.append("Findings:\n" + "\n".join(map(_finding, errors)))
    return "\n\n".join(parts) + "\n"


def _check(check: CheckResult) -> str:
    return f"- (round {check.round}) {check.check}\n  {check.detail}"


def _finding(finding: Finding) -> str:
    where = f"{finding.file}:{finding.line}" if finding.line else finding.file
    return f"- {where}: {finding.message} {finding.fix}".rstrip()
