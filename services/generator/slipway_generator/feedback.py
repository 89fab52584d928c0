"""What the model is told when its answer was not good enough, and what it may answer besides files."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from slipway_common.events import CheckResult, Finding
from slipway_generator.edits import ChangeRefused
from slipway_generator.reply import ReplyError
from slipway_generator.verdict import Verdict

_MAX_FINDINGS = 20
_SUPERSEDED = re.compile(r"^superseded: round (\d+) check (\d+): (.{3,300})$", re.IGNORECASE | re.MULTILINE)


class Superseded(NamedTuple):
    """The model's word that the new brief contradicts check `number` (from 1) of an earlier round."""

    round: int
    number: int
    why: str


def superseded_in(answer: str) -> tuple[Superseded, ...]:
    """Every such word in an answer."""
    return tuple(Superseded(int(m[1]), int(m[2]), m[3].strip()) for m in _SUPERSEDED.finditer(answer))


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
    false = _numbered(verdict.checks)
    if false:
        parts.append("Checks that do not hold:\n" + "\n".join(false))
    if verdict.broken:
        parts.append(
            "Those of earlier rounds held before. Only if the new brief itself rules one out, say so outside of the "
            "fences in a line of this form: `superseded: round 1 check 2: why`."
        )
    if verdict.violations:
        parts.append("More than the brief asks for:\n" + "\n".join(f"- {what}" for what in verdict.violations))
    errors = sorted(verdict.findings, key=lambda finding: finding.severity)[:_MAX_FINDINGS]
    if errors:
        parts.append("Findings:\n" + "\n".join(map(_finding, errors)))
    return "\n\n".join(parts) + "\n"


def _numbered(checks: Sequence[CheckResult]) -> list[str]:
    """The false ones, each with its place among the checks of its round."""
    count: dict[int, int] = {}
    lines = []
    for check in checks:
        count[check.round] = count.get(check.round, 0) + 1
        if check.outcome == "false":
            lines.append(f"- round {check.round} check {count[check.round]}: {check.check}\n  {check.detail}")
    return lines


def _finding(finding: Finding) -> str:
    where = f"{finding.file}:{finding.line}" if finding.line else finding.file
    return f"- {where}: {finding.message} {finding.fix}".rstrip()
