"""The deployer alone, in this process: requests by the sandbox's own record, times beside plain git, the loop's blocks.

What a deployer would need that works with plain git is measured in the same run: clone, commit and push of the
same update. (Creating repository and Pages site costs both the same.)
"""

import asyncio
import os
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Annotated

from slipway_bench.figures import Figures, Told
from slipway_bench.grounds import Grounds
from slipway_bench.loop_watch import watched_loop
from slipway_bench.world import running_world
from slipway_common.delivery import Delivery, begin_attempt
from slipway_common.events import Deployed, File, Generated, Job, KeptFile, Request, job_id
from slipway_common.project import RECORD_PATH, ProjectRecord
from slipway_common.repository import App, read_app
from slipway_deployer.deploy import deploy
from slipway_deployer.pages import PublicSite
from slipway_deployer.project import project_of
from slipway_deployer.settings import DeployerSettings
from slipway_deployer.tools import Tools, open_tools
from slipway_sandbox.client import Sandbox

CONCURRENT = 50
EMAIL = "student@example.com"
PAGE_LINES = 400
PAUSES_S = (0.02, 0.05, 0.1)


class DeployFigures(Figures):
    """Requests are those to GitHub's REST interface and its git server; looks at the public page are none."""

    new: Annotated[int, Told("requests", "for a new repository", key="new.requests")]
    update: Annotated[int, Told("requests", "for a later round", key="update.requests")]
    redelivered: Annotated[int, Told("requests", "for an event that comes again", key="redelivered.requests")]
    read: Annotated[int, Told("requests", "to read an app for its next round (git only)", key="read.requests")]
    update_s: Annotated[float, Told("s", "a later round, until its page is live", key="update.seconds")]
    plain_git_s: Annotated[float, Told("s", "baseline: clone, commit, push with git", key="plain_git.seconds")]
    update_ratio: Annotated[float, Told("", "later round / plain git", key="update.ratio")]
    concurrent: Annotated[int, Told("jobs", "deployed at the same time")]
    concurrent_s: Annotated[float, Told("s", "until the last of them was live")]
    longest_block_s: Annotated[float, Told("s", "longest block of the event loop meanwhile")]
    idle_block_s: Annotated[float, Told("s", "baseline: the same loop for as long without work, at most 2 s")]
    block_ratio: Annotated[float, Told("", "longest block / baseline")]


@dataclass
class _Deployer:
    sandbox: Sandbox
    settings: DeployerSettings
    tools: Tools
    counted: int = 0

    async def deploy(self, event: Generated) -> Deployed:
        result = await deploy(event, self.tools)
        if not isinstance(result, Deployed) or not result.live:
            raise RuntimeError(f"not deployed as it should be: {result!r}")
        return result

    async def redelivered(self, event: Generated) -> Deployed:
        """The same event as the broker gives it out for a second time."""

        async def again() -> Deployed:
            begin_attempt(Delivery(redelivered=True))
            return await self.deploy(event)

        return await asyncio.create_task(again())

    async def read(self, job: Job) -> App:
        project = project_of(job, self.settings)
        app = await read_app(self.settings.github_git_url, project.owner, project.name)
        if app is None:
            raise RuntimeError(f"{project.repo_url} cannot be read")
        return app

    def requests(self) -> int:
        """How many there were since the last call."""
        before = self.counted
        self.counted = sum(record.target in ("github", "git") for record in self.sandbox.requests())
        return self.counted - before


async def measure(grounds: Grounds) -> DeployFigures:
    async with _deployer(grounds) as deployer:
        first = _made(_job("counted"))
        await deployer.deploy(first)
        new = deployer.requests()
        base = await deployer.read(first.job)
        read = deployer.requests()
        second = _made(_job("counted", round_=2), base)
        await deployer.deploy(second)
        update = deployer.requests()
        await deployer.redelivered(second)
        redelivered = deployer.requests()
        update_s, plain_git_s = await _compared(deployer, first.job, rounds=5 if grounds.quick else 20)
        events = [_made(_job(f"concurrent-{number}")) for number in range(CONCURRENT)]
        start = time.perf_counter()
        async with watched_loop() as watch:
            await asyncio.gather(*(deployer.deploy(event) for event in events))
        concurrent_s = time.perf_counter() - start
        async with watched_loop() as idle:
            await asyncio.sleep(min(concurrent_s, 2))
        return DeployFigures(
            new=new, update=update, redelivered=redelivered, read=read,
            update_s=update_s, plain_git_s=plain_git_s, update_ratio=update_s / plain_git_s,
            concurrent=CONCURRENT, concurrent_s=concurrent_s,
            longest_block_s=watch.longest_s, idle_block_s=idle.longest_s, block_ratio=watch.longest_s / idle.longest_s,
        )  # fmt: skip


@asynccontextmanager
async def _deployer(grounds: Grounds) -> AsyncIterator[_Deployer]:
    folder = grounds.folder / "deploy"
    async with running_world(folder, "amqp://none", services=()) as world:
        sandbox = world.sandbox
        settings = DeployerSettings.model_validate(
            {
                "amqp_url": "amqp://none",
                "github_token": "sandbox-token",
                "github_username": sandbox.settings().owner,
                "github_api_url": sandbox.api_url,
                "github_git_url": sandbox.git_url,
                "github_pages_url": f"{sandbox.url}/pages/{{owner}}/{{repo}}/",
                "slipway_forge": "sandbox",
            }
        )
        async with open_tools(settings) as tools:
            await tools.github.check_owner()  # once for each process, not for each job
            # the page is there at once, so that pauses between looks at it would only hide the work
            deployer = _Deployer(sandbox, settings, replace(tools, site=PublicSite(tools.site.client, PAUSES_S)))
            deployer.requests()
            yield deployer


async def _compared(deployer: _Deployer, first: Job, rounds: int) -> tuple[float, float]:
    """Medians of a later round, by the deployer and by plain git, in turns on the same repository."""
    ours, plain = [], []
    url = project_of(first, deployer.settings).repo_url
    for number in range(3, 3 + rounds):
        event = _made(_job("counted", round_=number), await deployer.read(first))
        start = time.perf_counter()
        await deployer.deploy(event)
        ours.append(time.perf_counter() - start)
        start = time.perf_counter()
        await asyncio.to_thread(_push_with_git, url)
        plain.append(time.perf_counter() - start)
    return median(ours), median(plain)


def _push_with_git(url: str) -> None:
    with TemporaryDirectory() as folder:
        _git("clone", "-q", "--depth", "1", url, folder)
        (Path(folder) / "index.html").write_bytes(_page())
        who = ("-c", "user.name=Bench", "-c", "user.email=bench@example.com")
        _git(*who, "commit", "-q", "-a", "-m", "Another page", cwd=folder)
        _git("push", "-q", url.replace("://", "://sandbox:sandbox-token@"), "HEAD:main", cwd=folder)


def _git(*arguments: str, cwd: str | None = None) -> None:
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_TERMINAL_PROMPT": "0"}
    subprocess.run(["git", *arguments], cwd=cwd, env=environment, check=True, capture_output=True)


def _job(task: str, round_: int = 1) -> Job:
    at = datetime.now(UTC)
    return Job(
        id=job_id(EMAIL, task, round_, "nonce"),
        email=EMAIL,
        task=task,
        round=round_,
        nonce="nonce",
        evaluation_url="http://evaluator.example/notify",
        accepted_at=at,
        due_at=at + timedelta(minutes=10),
    )


def _made(job: Job, base: App | None = None) -> Generated:
    """What a generator makes: another page and the record, on top of `base`, whose other files stay."""
    request = Request(brief=f"Make the page of round {job.round}")
    record = ((base.record if base else None) or ProjectRecord()).with_round(job, request)
    new = {"index.html": _page(), RECORD_PATH: record.dump()}
    if base is None:
        new |= {"README.md": b"# A page\n" * 40, "LICENSE": b"MIT License\n" * 20}
    old = base.files if base else {}
    return Generated(
        job=job,
        base_commit=base.commit if base else None,
        files=tuple(File.of(path, data) for path, data in sorted(new.items())),
        kept=tuple(KeptFile(path=path, mode=file.mode, sha=file.sha) for path, file in old.items() if path not in new),
        request=request,
    )


def _page() -> bytes:
    lines = "".join(f"<p>{number} {os.urandom(8).hex()}</p>\n" for number in range(PAGE_LINES))
    return f"<!DOCTYPE html>\n<title>A page</title>\n{lines}".encode()
