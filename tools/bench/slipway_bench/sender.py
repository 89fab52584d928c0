"""A sender that does what the outer contract asks of it: what is not answered with 200 is sent again as it is."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import httpx

from slipway_bench.world import Request, World
from slipway_cli.job import RefusedError

AGAIN_S = 0.5
PATIENCE_S = 180.0
REVISED_EVERY = 5
"""Every fifth job revises the app of the one before it."""


@dataclass
class Sent:
    """Requests and the ids of their jobs, once they were taken; `turned_away`: tries that had no 200."""

    requests: list[Request] = field(default_factory=list)
    jobs: dict[str, Request] = field(default_factory=dict)
    turned_away: int = 0

    def by_task(self) -> dict[str, list[str]]:
        """The jobs of each project."""
        found: dict[str, list[str]] = {}
        for job, request in self.jobs.items():
            found.setdefault(str(request["task"]), []).append(job)
        return found


def make_requests(world: World, number: int) -> list[Request]:
    """So many jobs; every fifth is round 2 of the project before it."""
    made: list[Request] = []
    for index in range(number):
        if index % REVISED_EVERY == REVISED_EVERY - 1:
            made.append(world.request(task=made[-1]["task"], round=2, brief="Add a section with the opening hours."))
        else:
            made.append(world.request())
    return made


async def send(world: World, requests: Sequence[Request], over_s: float) -> Sent:
    """Sends them spread over so many seconds, each until it is taken. Raises TimeoutError."""
    sent = Sent(list(requests))
    pause = over_s / max(1, len(requests))
    async with asyncio.TaskGroup() as sending:
        for request in requests:
            sending.create_task(_send(world, request, sent))
            await asyncio.sleep(pause)
    return sent


async def _send(world: World, request: Request, sent: Sent) -> None:
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            job = await world.submit(request)
        except (RefusedError, httpx.TransportError) as error:
            sent.turned_away += 1
            if time.monotonic() > until:
                raise TimeoutError(f"a request was not taken within {PATIENCE_S:g} s: {error}") from None
            await asyncio.sleep(AGAIN_S)
        else:
            sent.jobs[job] = request
            return
