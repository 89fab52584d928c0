"""What the demo knows of each of its jobs, and the evaluator's own record of what it was told."""

import time
from dataclasses import dataclass

import httpx
from pydantic import BaseModel, JsonValue, TypeAdapter

from slipway_cli.examples import Request
from slipway_cli.job import Checks, Edit, JobView


class Outcome(BaseModel):
    """One job, as `--json` writes it. `notification_status` is the evaluator's own record; `edit` is for revisions."""

    task: str
    round: int
    job: str | None = None
    state: str
    notification_status: int | None = None
    repo_url: str | None = None
    commit_sha: str | None = None
    pages_url: str | None = None
    seconds: float | None = None
    checks: Checks = Checks()
    edit: Edit | None = None


@dataclass
class Run:
    """One job on its way. `told` is the status that the evaluator says it answered."""

    project: str
    request: Request
    began: float | None = None
    seconds: float | None = None
    view: JobView | None = None
    refused: str = ""
    told: int | None = None

    @property
    def name(self) -> str:
        return f"{self.project} round {self.request.round}"

    @property
    def state(self) -> str:
        if self.refused:
            return "refused"
        if self.view:
            return self.view.state
        return "sent" if self.began else "not sent"

    @property
    def checks(self) -> Checks:
        return self.view.checks if self.view else Checks()

    @property
    def for_person(self) -> int:
        """How many checks only a person can judge."""
        return sum(check.for_person for check in self.view.check_results) if self.view else 0

    @property
    def unproven(self) -> int:
        """How many checks a program could decide and none did: not run, or inconclusive."""
        return self.checks.not_run + self.checks.inconclusive - self.for_person

    @property
    def elapsed_s(self) -> float | None:
        """Seconds since it was sent, or until it ended."""
        if self.seconds is not None or self.began is None:
            return self.seconds
        return time.monotonic() - self.began

    def outcome(self) -> Outcome:
        seen = self.view
        return Outcome(
            task=self.request.task,
            round=self.request.round,
            job=seen.job if seen else None,
            state=self.state,
            notification_status=self.told,
            repo_url=seen.repo_url if seen else None,
            commit_sha=seen.commit_sha if seen else None,
            pages_url=seen.pages_url if seen else None,
            seconds=round(self.seconds, 2) if self.seconds is not None else None,
            checks=self.checks,
            edit=seen.edit if seen else None,
        )


class Told(BaseModel):
    """One POST to the evaluator as it recorded it; `status` is what it answered."""

    status: int | None
    body: JsonValue = None

    def is_of(self, request: Request) -> bool:
        """Whether it tells of this request."""
        wanted = request.model_dump(include={"email", "task", "round", "nonce"})
        return isinstance(self.body, dict) and all(self.body.get(name) == value for name, value in wanted.items())


async def read_told(sandbox_origin: str) -> list[Told]:
    """The evaluator's record. Raises httpx.HTTPError."""
    async with httpx.AsyncClient(timeout=10, trust_env=False) as client:
        answer = await client.get(f"{sandbox_origin}/_sandbox/notifications")
        answer.raise_for_status()
        return TypeAdapter(list[Told]).validate_json(answer.content)
