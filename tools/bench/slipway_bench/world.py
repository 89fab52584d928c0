"""A Slipway to be measured: services and sandbox as processes, and what a sender does with them."""

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from slipway_cli.job import Intake
from slipway_cli.processes import Child
from slipway_cli.stack import SERVICES, Plan, Stack, running_stack
from slipway_cli.worlds import SANDBOX_SECRET, Service, sandbox_world
from slipway_sandbox.client import Sandbox
from slipway_sandbox.records import Notification

POLL_S = 0.1
JOBS_S = 120.0
NO_BROWSER = "/nonexistent"
"""Browser checks are measured on their own (`browser`); everywhere else they would hide what is measured."""

Request = Mapping[str, object]


class TooSlowError(Exception):
    """The evaluator was not told of every job in time; the message says how many and where they stand."""


@dataclass(frozen=True)
class World:
    """What is running, and the clients to use it."""

    stack: Stack
    intake: Intake
    sandbox: Sandbox

    def request(self, **fields: object) -> Request:
        """A complete request for a project of its own; `fields` take the place of single values."""
        return {
            "email": "student@example.com",
            "secret": SANDBOX_SECRET,
            "task": f"task-{uuid.uuid4().hex[:10]}",
            "round": 1,
            "nonce": uuid.uuid4().hex,
            "brief": "Show a friendly greeting.",
            "evaluation_url": self.sandbox.notify_url,
            **fields,
        }

    async def submit(self, request: Request) -> str:
        """Send it; the job's id. Raises RefusedError, httpx.TransportError."""
        return (await self.intake.submit(json.dumps(request).encode())).job

    def told(self) -> dict[str, list[Notification]]:
        """What the evaluator answered with 200, by nonce and in the order of time."""
        found: dict[str, list[Notification]] = {}
        for note in self.sandbox.notifications():
            if isinstance(note.body, dict) and note.status == 200:
                found.setdefault(str(note.body.get("nonce")), []).append(note)
        return found

    async def until_told(self, requests: Sequence[Request], timeout_s: float = JOBS_S) -> float:
        """Waits until the evaluator was told of all of them; when that was (seconds of the epoch).

        Raises TooSlowError.
        """
        until = time.monotonic() + timeout_s
        while True:
            told = self.told()
            missing = [request for request in requests if request["nonce"] not in told]
            if not missing:
                return max(told[str(request["nonce"])][0].at.timestamp() for request in requests)
            if time.monotonic() > until:
                states = (await self.intake.counts()).states
                raise TooSlowError(
                    f"the evaluator was not told of {len(missing)} of {len(requests)} jobs within {timeout_s:g} s; "
                    f"all jobs by state: {states}"
                )
            await asyncio.sleep(POLL_S)

    async def restart(self, name: str) -> Child:
        """Kill -9 of a service and its new start, at once, as `./run up` does; not waited for until it is ready."""
        supervisor = self.stack.supervisor
        child = self.stack.child(name)
        child.kill()
        await child.wait()
        supervisor.take_ended()
        child.log.rename(child.log.with_suffix(f".{child.pid}.log"))
        return await supervisor.spawn(child.program)

    async def timed(self, number: int, timeout_s: float = JOBS_S) -> float:
        """Seconds from the first request to the last notification of `number` projects sent at once."""
        requests = [self.request() for _ in range(number)]
        start = time.time()
        await asyncio.gather(*(self.submit(request) for request in requests))
        return await self.until_told(requests, timeout_s) - start


@asynccontextmanager
async def running_world(
    folder: Path,
    amqp_url: str,
    *,
    services: tuple[Service, ...] = SERVICES,
    generators: int = 1,
    settings: Mapping[str, str] | None = None,
) -> AsyncIterator[World]:
    """Services and a sandbox whose Pages builds take no time, ready; gone when the block is left."""
    plan = Plan(
        folder,
        sandbox_world(),
        amqp_url,
        services=services,
        generators=generators,
        settings={"CHROMIUM_PATH": NO_BROWSER, **(settings or {})},
    )
    async with running_stack(plan) as stack, Intake(stack.intake_url, plan.admin_token) as intake:
        assert stack.sandbox
        with Sandbox(stack.sandbox.origin) as sandbox:
            sandbox.change_settings(pages_build_s=0)
            yield World(stack, intake, sandbox)
