"""What the intake says over HTTP, as far as its clients here read it."""

from datetime import datetime
from typing import Literal

import httpx
from pydantic import BaseModel

State = Literal[
    "received", "generating", "generated", "deploying", "deployed", "notified",
    "waiting", "retrying", "paused", "dead", "dropped",
]  # fmt: skip
NO_STATES = frozenset({"accepted", "due", "since"})
"""What a job's times tell besides when it came to a state."""
ENDED: frozenset[State] = frozenset({"notified", "dead", "dropped"})


class RefusedError(Exception):
    """The intake answered with an error; the message is its own."""


class Checks(BaseModel):
    """How many checks had each outcome."""

    true: int = 0
    false: int = 0
    inconclusive: int = 0
    not_run: int = 0


class CheckResult(BaseModel):
    """The outcome of one check; `for_person`: no program can decide it."""

    outcome: Literal["true", "false", "inconclusive", "not_run"]
    for_person: bool = False


class Edit(BaseModel):
    """How a revision changed the page; `untouched` is the share (0..1) of the old lines that stayed."""

    rewrite: bool
    untouched: float


class JobView(BaseModel):
    """A job as its operator sees it."""

    job: str
    task: str
    round: int
    state: State
    marks: list[str] = []
    times: dict[str, datetime] = {}
    repo_url: str | None = None
    pages_url: str | None = None
    commit_sha: str | None = None
    checks: Checks = Checks()
    check_results: list[CheckResult] = []
    edit: Edit | None = None
    error: str | None = None
    not_live: str | None = None
    message: str = ""
    notes: list[str] = []
    notification_status: int | None = None
    attempts: dict[str, int] = {}

    def reached(self) -> list[tuple[str, datetime]]:
        """The states of the path that it came to and when, in the order of time."""
        states = [(name, at) for name, at in self.times.items() if name not in NO_STATES]
        return sorted(states, key=lambda item: item[1])


class Accepted(BaseModel):
    """The answer to a request that was taken."""

    job: str
    repeat: bool = False
    status_url: str = ""


class Budget(BaseModel):
    """What is used of a limit of the outside world within a window of time."""

    name: str
    used: int
    limit: int
    held_until: datetime | None = None


class Counts(BaseModel):
    """All jobs in numbers. `history_read` is false while the numbers still lag behind."""

    model: str
    forge: str
    history_read: bool
    total: int
    unfinished: int
    oldest_unfinished_s: float | None = None
    states: dict[str, int]
    budgets: list[Budget] = []


class JobPage(BaseModel):
    """Jobs from the newest on."""

    jobs: list[JobView]


class FieldProblem(BaseModel):
    """One invalid field of a request."""

    field: str
    message: str


class Problem(BaseModel):
    """An error of the intake (RFC 9457)."""

    title: str = ""
    detail: str = ""
    errors: list[FieldProblem] = []


class Intake:
    """A client of one intake. Use it in an `async with` block."""

    def __init__(self, url: str, admin_token: str) -> None:
        headers = {"Authorization": f"Bearer {admin_token}"} if admin_token else {}
        # It is on this machine: a proxy of the environment is not asked.
        self._http = httpx.AsyncClient(base_url=url, headers=headers, timeout=30, trust_env=False)

    async def __aenter__(self) -> "Intake":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def submit(self, request: bytes) -> Accepted:
        """Sends a request, a JSON document. Raises RefusedError, or httpx.TransportError when nobody answers."""
        answer = await self._http.post("/ready", content=request, headers={"Content-Type": "application/json"})
        return Accepted.model_validate_json(_content(answer))

    async def job(self, job: str) -> JobView | None:
        """Where a job stands; None while the intake does not know it. Raises RefusedError, httpx.TransportError."""
        answer = await self._http.get(f"/jobs/{job}")
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        return JobView.model_validate_json(_content(answer))

    async def counts(self) -> Counts:
        """How many jobs stand where. Raises RefusedError, httpx.TransportError."""
        return Counts.model_validate_json(_content(await self._http.get("/status")))

    async def newest_jobs(self, number: int) -> list[JobView]:
        """The newest jobs, the newest first; for the operator only. Raises RefusedError, httpx.TransportError."""
        return JobPage.model_validate_json(_content(await self._http.get(f"/jobs?limit={number}"))).jobs


def _content(answer: httpx.Response) -> bytes:
    if answer.status_code != httpx.codes.OK:
        asked = f"{answer.request.method} {answer.request.url.path}"
        raise RefusedError(f"{asked}: {answer.status_code} {_detail(answer)}")
    return answer.content


def _detail(answer: httpx.Response) -> str:
    try:
        problem = Problem.model_validate_json(answer.content)
    except ValueError:
        return answer.text[:200]
    fields = "; ".join(f"{item.field}: {item.message}" for item in problem.errors)
    return fields or problem.detail or problem.title
