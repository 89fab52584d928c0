"""`slipway submit`, `status`, `watch`: jobs on their way."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from slipway_cli.job import ENDED, Accepted, Intake, JobView
from slipway_cli.operator.errors import OperatorError
from slipway_cli.operator.plain import cell
from slipway_cli.operator.reach import find_running_system
from slipway_cli.operator.screen import screen, write
from slipway_cli.operator.submit import request_body

_POLL_S = 0.5
_SHOWN = 50


def submit(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="a task request as JSON")],
    watch: Annotated[bool, typer.Option("--watch", help="follow the job; exit 0 if it ends notified, else 1")] = False,
    as_is: Annotated[bool, typer.Option("--as-is", help="send the file's bytes, nothing filled in")] = False,
    timeout: Annotated[float, typer.Option(min=1, help="seconds that --watch follows it")] = 1800,
) -> None:
    """Send a task request: this system's secret, a fresh nonce and the sandbox's evaluator are filled in."""
    reach = find_running_system()
    body = request_body(file, reach, as_is=as_is)

    async def send() -> bool:
        async with reach.intake() as intake:
            accepted = await intake.submit(body)
            write(f"job {accepted.job}{' (a repeat: nothing was started)' if accepted.repeat else ''}")
            write(f"status {accepted.status_url}")
            return not watch or await _follow(intake, accepted, timeout)

    if not asyncio.run(send()):
        raise typer.Exit(1)


def status(
    job: Annotated[str, typer.Argument(metavar="[JOB]", help="a job's id; without: all in numbers")] = "",
) -> None:
    """Show where one job stands, or how many jobs stand where."""
    reach = find_running_system()

    async def ask() -> None:
        async with reach.intake() as intake:
            if job:
                _show_job(await _known(intake, job))
            else:
                await _show_all(intake, everything=bool(reach.admin_token))

    asyncio.run(ask())


def watch(
    seconds: Annotated[float, typer.Option(min=0, help="stop after so many seconds; 0: on Ctrl-C")] = 0,
) -> None:
    """Write a line whenever a job comes to another state (of the newest 50 jobs). Needs ADMIN_TOKEN."""
    reach = find_running_system()
    if not reach.admin_token:
        raise OperatorError("ADMIN_TOKEN is not set and no `./run up` is running here; `slipway status JOB` needs none")

    async def look() -> None:
        seen: dict[str, str] = {}
        async with reach.intake() as intake:
            async for _ in _ticks(seconds or float("inf")):
                for job in reversed(await intake.newest_jobs(_SHOWN)):
                    if seen.get(job.job) != job.state:
                        seen[job.job] = job.state
                        write(_line(job))

    asyncio.run(look())


async def _known(intake: Intake, job: str) -> JobView:
    view = await intake.job(job)
    if view is None:
        raise OperatorError(f"{job}: the history knows no such job")
    return view


async def _follow(intake: Intake, accepted: Accepted, timeout_s: float) -> bool:
    """Write each state that the job comes to; whether it ended notified. Raises OperatorError after `timeout_s`."""
    told: set[tuple[str, object]] = set()
    beside = ""
    async for _ in _ticks(timeout_s):
        job = await intake.job(accepted.job)
        if job is None:
            continue  # another intake took it, and this one has not read of it yet
        for state, at in job.reached():
            if (state, at) not in told:
                told.add((state, at))
                write(f"{at:%H:%M:%S} {state}")
        now = f"{job.state} {job.message}" if job.state not in job.times else ""
        if now and now != beside:
            write(cell(now))
        beside = now
        if job.state in ENDED:
            _show_job(job)
            return job.state == "notified"
    raise OperatorError(f"job {accepted.job} has not ended after {timeout_s:g} s; `slipway status {accepted.job}`")


async def _ticks(seconds: float) -> AsyncIterator[None]:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        yield
        await asyncio.sleep(_POLL_S)


def _line(job: JobView) -> str:
    marks = f" ({', '.join(job.marks)})" if job.marks else ""
    page = f" {job.pages_url}" if job.state in ENDED and job.pages_url else ""
    return cell(f"{job.job} {job.task} round {job.round}: {job.state}{marks}{page}")


def _show_job(job: JobView) -> None:
    checks = {outcome.replace("_", " "): number for outcome, number in job.checks.model_dump().items() if number}
    rows = {
        "job": job.job,
        "task": f"{job.task}, round {job.round}",
        "state": ", ".join([job.state, *job.marks]),
        "error": job.error or "",
        "repository": job.repo_url or "",
        "commit": job.commit_sha or "",
        "page": job.pages_url or "",
        "notification": str(job.notification_status or ""),
        "checks": ", ".join(f"{number} {outcome}" for outcome, number in checks.items()),
        "attempts": ", ".join(f"{stage} {number}" for stage, number in job.attempts.items() if number),
        "times": ", ".join(f"{state} {at:%H:%M:%S}" for state, at in job.reached()),
    }
    for name, value in rows.items():
        if value:
            write(f"{name:<13}{cell(value)}")


async def _show_all(intake: Intake, *, everything: bool) -> None:
    counts = await intake.counts()
    write(f"model: {counts.model}, forge: {counts.forge}")
    oldest = f", the oldest for {counts.oldest_unfinished_s:.0f} s" if counts.oldest_unfinished_s else ""
    write(f"{counts.total} jobs, {counts.unfinished} unfinished{oldest}")
    for state, number in counts.states.items():
        write(f"  {state} {number}")
    for budget in counts.budgets:
        held = f", asked to wait until {budget.held_until:%H:%M:%S}" if budget.held_until else ""
        write(f"{budget.name}: {budget.used} of {budget.limit}{held}")
    if not counts.history_read:
        write("the history is still being read: the numbers lag behind")
    jobs = await intake.newest_jobs(_SHOWN) if everything else []
    if jobs:
        table = Table("job", "task", "round", "state", "since", "page", box=None)
        for job in jobs:
            since = job.times.get("since")
            state = ", ".join([job.state, *job.marks])
            values = (job.job, job.task, str(job.round), state, f"{since:%H:%M:%S}" if since else "", job.pages_url)
            table.add_row(*(cell(value or "") for value in values))
        screen().print(table)
