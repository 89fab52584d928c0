"""Where the jobs stand, over HTTP: `/status`, `/jobs/{job}`, `/jobs`, `/logs`."""

import asyncio
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Self, get_args

from aiohttp import web
from pydantic import AwareDatetime, BaseModel, Field

from slipway_common.events import Budget
from slipway_common.health import is_admin, unauthorized
from slipway_common.problem import FieldProblem, problem
from slipway_intake.history_reader import HistoryReader
from slipway_intake.job_view import FullJob, full_job, open_job
from slipway_intake.projection import Projection
from slipway_intake.record import State
from slipway_intake.settings import IntakeSettings

_PAGE = 50
_MAX_PAGE = 500


class BudgetView(BaseModel):
    """What a service has used of a limit of the outside world, by its own account in the history.

    What it told longer ago than the window has left the window. One account is kept for each limit: that of the
    service that spoke last.
    """

    name: str
    used: int
    limit: int
    window_s: float
    as_of: AwareDatetime
    held_until: AwareDatetime | None = Field(description="the outside asked to be left alone until then")

    @classmethod
    def of(cls, budget: Budget, as_of: datetime, now: datetime) -> Self:
        held = budget.held_until
        return cls(
            name=budget.name,
            used=budget.used if (now - as_of).total_seconds() < budget.window_s else 0,
            limit=budget.limit,
            window_s=budget.window_s,
            as_of=as_of,
            held_until=held if held and held > now else None,
        )


class Status(BaseModel):
    """The whole in numbers. `states` has the states that jobs are in."""

    model: str
    forge: str
    version: str
    history_read: bool = Field(description="false: still reading, the numbers lag behind")
    total: int
    unfinished: int
    oldest_unfinished_s: float | None = Field(description="age in seconds of the oldest job that is not finished")
    states: dict[str, int]
    budgets: list[BudgetView]


class JobPage(BaseModel):
    """Jobs from the newest on. `next` is the value of `before` for the next page; null on the last one."""

    jobs: list[FullJob]
    next: str | None


class StatusEndpoints:
    """What the projection knows, for anybody in small and for the operator in full."""

    def __init__(self, settings: IntakeSettings, projection: Projection, reader: HistoryReader, version: str) -> None:
        self._settings = settings
        self._projection = projection
        self._reader = reader
        self._version = version

    def add_to(self, app: web.Application) -> None:
        app.router.add_get("/status", self.status)
        app.router.add_get("/jobs", self.jobs)
        app.router.add_get("/jobs/{job}", self.job)
        app.router.add_get("/logs", self.logs)

    async def status(self, _: web.Request) -> web.Response:
        counts = await asyncio.to_thread(self._projection.counts)
        budgets = await asyncio.to_thread(self._projection.budgets)
        oldest, now = counts.oldest_unfinished, datetime.now(UTC)
        status = Status(
            model=self._settings.slipway_model,
            forge=self._settings.slipway_forge,
            version=self._version,
            history_read=self._reader.caught_up,
            total=counts.total,
            unfinished=counts.unfinished,
            oldest_unfinished_s=round((now - oldest).total_seconds(), 3) if oldest else None,
            states=counts.by_state,
            budgets=[BudgetView.of(budget, as_of, now) for as_of, budget in budgets],
        )
        return web.json_response(text=status.model_dump_json())

    async def job(self, request: web.Request) -> web.Response:
        job = request.match_info["job"]
        record = await asyncio.to_thread(self._projection.get, job)
        if record is None:
            lagging = "" if self._reader.caught_up else "; the history is still being read, so ask again"
            return problem(HTTPStatus.NOT_FOUND, f"job: the history knows none with this id{lagging}")
        show = full_job if self._admin(request) else open_job
        return web.json_response(text=show(record, datetime.now(UTC)).model_dump_json())

    async def jobs(self, request: web.Request) -> web.Response:
        if not self._admin(request):
            return unauthorized()
        state = request.query.get("state", "")
        if state and state not in get_args(State):
            return _invalid("state", f"is one of {', '.join(get_args(State))}")
        limit = request.query.get("limit", str(_PAGE))
        if not (limit.isascii() and limit.isdigit() and 1 <= int(limit[:9]) <= _MAX_PAGE):
            return _invalid("limit", f"is a number from 1 to {_MAX_PAGE}")
        before = None
        if cursor := request.query.get("before"):
            at, _, job = cursor.partition("_")
            try:
                before = (float(at), job)
            except ValueError:
                return _invalid("before", "is the value of `next` in the page before")
        records = await asyncio.to_thread(self._projection.page, state=state, before=before, limit=int(limit) + 1)
        shown = records[: int(limit)]
        more = len(records) > len(shown)
        last = shown[-1] if more else None
        now = datetime.now(UTC)
        page = JobPage(
            jobs=[full_job(record, now) for record in shown],
            next=f"{last.identity.accepted_at.timestamp()!r}_{last.job}" if last else None,
        )
        return web.json_response(text=page.model_dump_json())

    async def logs(self, request: web.Request) -> web.Response:
        if not self._admin(request):
            return unauthorized()
        lines = await asyncio.to_thread(self._projection.story)
        return web.Response(text="".join(line.model_dump_json(exclude_defaults=True) + "\n" for line in lines))

    def _admin(self, request: web.Request) -> bool:
        return is_admin(request, self._settings.admin_token.get_secret_value())


def _invalid(field: str, message: str) -> web.Response:
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"invalid: {field}", fields=[FieldProblem(field, message)])
