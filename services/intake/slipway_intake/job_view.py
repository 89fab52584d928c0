"""A job as it is shown: what anybody may see, and what only the operator may."""

from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime, BaseModel, Field

from slipway_common.events import CheckOutcome, CheckResult, EditReport, Finding, ModelUse
from slipway_intake.record import JobRecord, State

Mark = Literal["late", "not live", "not checked", "edited", "rewritten"]


class EditView(BaseModel):
    """How a revision changed the page. `untouched` = share (0..1) of the old lines kept in order."""

    rewrite: bool
    untouched: float


class OpenJob(BaseModel):
    """What anybody may see of a job."""

    job: str
    task: str
    round: int
    state: State
    marks: list[Mark]
    times: dict[str, AwareDatetime] = Field(description="state -> when the job first came to it; `accepted` and `due`")
    repo_url: str | None
    pages_url: str | None


class FullJob(OpenJob):
    """What the operator sees of a job."""

    replay: int
    commit_sha: str | None
    notification_status: int | None
    notification_tries: int | None
    checks: dict[CheckOutcome, int] = Field(description="outcome -> number of checks of all rounds")
    check_results: list[CheckResult]
    findings: list[Finding]
    edit: EditView | None
    message: str = Field(description="what the stage last said of it")
    error: str | None
    not_live: str | None
    attempts: dict[str, int] = Field(description="stage -> highest attempt")
    model: ModelUse
    notes: list[str]
    brief: str | None
    attachments: list[str]


def open_job(record: JobRecord, now: datetime) -> OpenJob:
    published = record.published
    return OpenJob(
        job=record.job,
        task=record.identity.task,
        round=record.identity.round,
        state=record.state,
        marks=marks(record, now),
        times={
            "accepted": record.identity.accepted_at,
            **record.times.known(),
            "due": record.identity.due_at,
            "since": record.standing.at,
        },
        repo_url=published.repo_url if published else None,
        pages_url=published.pages_url if published else None,
    )


def full_job(record: JobRecord, now: datetime) -> FullJob:
    report = record.made.report if record.made else None
    published, told, standing = record.published, record.told, record.standing
    edit = report.edit if report else None
    return FullJob(
        **open_job(record, now).model_dump(),
        replay=record.identity.replay,
        commit_sha=published.commit_sha if published else None,
        notification_status=told.status if told else None,
        notification_tries=told.tries if told else None,
        checks=check_counts(report.checks if report else ()),
        check_results=list(report.checks) if report else [],
        findings=list(report.findings) if report else [],
        edit=EditView(rewrite=edit.rewrite, untouched=edit.untouched) if edit else None,
        message=standing.message,
        error=f"{standing.error}: {standing.message}" if standing.error else None,
        not_live=published.not_live or None if published else None,
        attempts=record.attempts.model_dump(exclude={"replay"}),
        model=report.usage if report else ModelUse(),
        notes=list(report.notes) if report else [],
        brief=record.asked.brief if record.asked else None,
        attachments=list(record.asked.attachments) if record.asked else [],
    )


def check_counts(results: tuple[CheckResult, ...]) -> dict[CheckOutcome, int]:
    """How many checks had each outcome; every outcome is there."""
    counts: dict[CheckOutcome, int] = {"true": 0, "false": 0, "inconclusive": 0, "not_run": 0}
    for result in results:
        counts[result.outcome] += 1
    return counts


def marks(record: JobRecord, now: datetime) -> list[Mark]:
    """What is to be said of a job besides its state.

    `late`: told (or, while unfinished, still not told) after its due time. `not live`: the page did not answer with the
    new bytes in time. `not checked`: no check of the app came to true or false. `edited` or `rewritten`: a revision.
    """
    found: list[Mark] = []
    ended = record.times.notified or (None if record.finished else now)
    if ended and ended > record.identity.due_at:
        found.append("late")
    if record.published and not record.published.live:
        found.append("not live")
    if record.made:
        report = record.made.report
        if not any(result.outcome in ("true", "false") for result in report.checks):
            found.append("not checked")
        if report.edit:
            found.append(_how(report.edit))
    return found


def _how(edit: EditReport) -> Literal["edited", "rewritten"]:
    return "rewritten" if edit.rewrite else "edited"
