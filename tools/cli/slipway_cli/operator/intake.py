"""The intake as the operator's program talks to it."""

from datetime import datetime
from http import HTTPStatus
from types import TracebackType
from typing import Self, TypeVar

import httpx
from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from slipway_cli.operator.errors import OperatorError
from slipway_cli.operator.reach import Reach

_TIMEOUT_S = 30.0
ENDED = frozenset({"notified", "dead", "dropped"})


class _Answer(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Accepted(_Answer):
    """What `POST /ready` answers."""

    status: str
    job: str
    task: str
    round: int
    status_url: str


class JobState(_Answer):
    """What `/jobs/{job}` tells; the second half only with the token."""

    job: str
    task: str
    round: int
    state: str
    marks: list[str] = []
    times: dict[str, AwareDatetime | None] = {}
    repo_url: str | None = None
    pages_url: str | None = None

    message: str = ""
    error: str | None = None
    commit_sha: str | None = None
    notification_status: int | None = None
    checks: dict[str, int] = {}
    attempts: dict[str, int] = {}

    def reached(self) -> list[tuple[str, datetime]]:
        """State and time, in the order of time, without what is no state."""
        known = [(state, at) for state, at in self.times.items() if at and state not in ("accepted", "due", "since")]
        return sorted(known, key=lambda item: item[1])


class Counts(_Answer):
    """What `/status` tells."""

    model: str
    forge: str
    history_read: bool
    total: int
    unfinished: int
    oldest_unfinished_s: float | None = None
    states: dict[str, int]


class _JobPage(_Answer):
    jobs: list[JobState]


class _Problem(_Answer):
    detail: str = ""
    errors: list["_FieldProblem"] = []


class _FieldProblem(_Answer):
    field: str
    message: str


AnswerT = TypeVar("AnswerT", bound=BaseModel)


class RefusedError(OperatorError):
    """The intake said no; `status` is its HTTP status."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class Intake:
    """A client of one intake. Enter it as a context. Its methods raise OperatorError."""

    def __init__(self, reach: Reach) -> None:
        self._url = reach.url
        headers = {"Authorization": f"Bearer {reach.admin_token}"} if reach.admin_token else {}
        # the intake is ours: no proxy of the environment stands between
        self._client = httpx.Client(base_url=reach.url, headers=headers, timeout=_TIMEOUT_S, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def submit(self, body: bytes) -> Accepted:
        return self._ask("POST", "/ready", Accepted, body)

    def job(self, job: str) -> JobState:
        return self._ask("GET", f"/jobs/{job}", JobState)

    def counts(self) -> Counts:
        return self._ask("GET", "/status", Counts)

    def newest_jobs(self, number: int) -> list[JobState]:
        """The newest jobs, newest first; needs the token."""
        return self._ask("GET", f"/jobs?limit={number}", _JobPage).jobs

    def _ask(self, method: str, path: str, shape: type[AnswerT], body: bytes | None = None) -> AnswerT:
        headers = {"Content-Type": "application/json"} if body is not None else {}
        try:
            answer = self._client.request(method, path, content=body, headers=headers)
        except httpx.HTTPError as error:
            raise OperatorError(
                f"no intake answers at {self._url} ({type(error).__name__}); `./run up` starts one; or set SLIPWAY_URL"
            ) from None
        if answer.status_code != HTTPStatus.OK:
            raise RefusedError(answer.status_code, f"{self._url}{path} answers {answer.status_code}: {_why(answer)}")
        try:
            return shape.model_validate_json(answer.content)
        except ValidationError as error:
            raise OperatorError(
                f"what answers at {self._url} is not an intake: {error.error_count()} fields are wrong"
            ) from None


def _why(answer: httpx.Response) -> str:
    try:
        problem = _Problem.model_validate_json(answer.content)
    except ValidationError:
        return answer.reason_phrase
    fields = "; ".join(f"{item.field}: {item.message}" for item in problem.errors)
    return fields or problem.detail or answer.reason_phrase
