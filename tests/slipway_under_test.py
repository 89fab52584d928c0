"""A whole Slipway for a test: broker vhost, sandbox and four services as processes, and what a sender does with it."""

import asyncio
import json
import os
import subprocess
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from slipway_cli.job import ENDED, Intake, JobView
from slipway_cli.stack import Plan, Stack, running_stack
from slipway_cli.worlds import SANDBOX_SECRET, World, sandbox_world
from slipway_sandbox.client import Sandbox
from slipway_sandbox.process import running_sandbox
from slipway_sandbox.records import Notification

JOB_S = 60.0
POLL_S = 0.1


@dataclass(frozen=True)
class Slipway:
    """What is running, and the clients to use it."""

    stack: Stack
    intake: Intake
    sandbox: Sandbox

    def request(self, **fields: object) -> dict[str, Any]:
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

    async def submit(self, request: Mapping[str, object]) -> str:
        """Send it; the job's id."""
        return (await self.intake.submit(json.dumps(request).encode())).job

    async def ended(self, job: str, timeout_s: float = JOB_S) -> JobView:
        """The job once it is notified, dead or dropped."""
        async with asyncio.timeout(timeout_s):
            while True:
                view = await self.intake.job(job)
                if view is not None and view.state in ENDED:
                    return view
                await asyncio.sleep(POLL_S)

    async def run(self, **fields: object) -> JobView:
        """Send one request and wait for its end."""
        return await self.ended(await self.submit(self.request(**fields)))

    async def until(self, holds: Callable[[], bool], timeout_s: float = JOB_S) -> bool:
        """Whether it came to hold within the time."""
        for _ in range(int(timeout_s / POLL_S)):
            if holds():
                return True
            await asyncio.sleep(POLL_S)
        return False

    def commits(self, view: JobView) -> list[str]:
        """The commits on the branch of the job's repository, the oldest first, as plain git lists them."""
        assert view.repo_url
        with TemporaryDirectory() as folder:
            subprocess.run(["git", "clone", "-q", "--bare", view.repo_url, folder], check=True)
            listed = subprocess.run(
                ["git", "log", "--format=%H", "--reverse", "main"],
                cwd=folder,
                check=True,
                capture_output=True,
                text=True,
            )
        return listed.stdout.split()

    def told(self, nonce: str) -> list[Notification]:
        """What the evaluator was told of the job with this nonce, by its own record."""
        return [n for n in self.sandbox.notifications() if isinstance(n.body, dict) and n.body.get("nonce") == nonce]

    def told_commits(self, nonce: str) -> set[object]:
        """The commits that the evaluator was told of for the job with this nonce."""
        return {n.body.get("commit_sha") for n in self.told(nonce) if isinstance(n.body, dict)}


def _path(variable: str) -> Path | None:
    """What conftest has found."""
    return Path(os.environ[variable]) if variable in os.environ else None


@asynccontextmanager
async def running_slipway(
    folder: Path,
    amqp_url: str,
    *,
    settings: Mapping[str, str] | None = None,
    generators: int = 1,
    chromium: bool = True,
) -> AsyncIterator[Slipway]:
    """Started when the block is entered, gone when it is left. Without `chromium` no check is run."""
    browser = _path("CHROMIUM_PATH") if chromium else None
    plan = replace(
        _plan(folder, amqp_url, sandbox_world()),
        generators=generators,
        chromium=browser,
        settings=settings or {},
    )
    async with running_stack(plan) as stack, Intake(stack.intake_url, plan.admin_token) as intake:
        assert stack.sandbox
        with Sandbox(stack.sandbox.origin) as sandbox:
            yield Slipway(stack, intake, sandbox)


@asynccontextmanager
async def running_world(folder: Path, amqp_url: str, world: World) -> AsyncIterator[Slipway]:
    """A Slipway in any world; only its evaluator is certainly the sandbox's."""
    plan = _plan(folder, amqp_url, world)
    with running_sandbox(folder / "evaluator") as evaluator:
        async with running_stack(plan) as stack, Intake(stack.intake_url, plan.admin_token) as intake:
            yield Slipway(stack, intake, evaluator)


def _plan(folder: Path, amqp_url: str, world: World) -> Plan:
    return Plan(
        folder,
        world,
        amqp_url,
        chromium=_path("CHROMIUM_PATH"),
        node=_path("PLAYWRIGHT_NODEJS_PATH"),
        cdn=_path("CDN_DIR"),
    )
