"""What tests of the deployer share: its real tools in the sandbox, jobs, apps, and the runtime's way with outcomes."""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from slipway_common.delivery import Delivery, begin_attempt
from slipway_common.events import AttachmentRef, Deployed, File, Generated, Job, KeptFile, Received, Request, job_id
from slipway_common.project import RECORD_PATH, ProjectRecord
from slipway_common.repository import App, read_app
from slipway_common.stage import Pause, Retry, Wait
from slipway_deployer.deploy import deploy
from slipway_deployer.pages import PublicSite
from slipway_deployer.project import Project, project_of
from slipway_deployer.settings import DeployerSettings
from slipway_deployer.tools import Tools, open_tools
from slipway_sandbox.client import Sandbox

EMAIL = "student@example.org"
TOKEN = "sandbox-token-0123456789"
MAX_ATTEMPTS = 8


@dataclass
class Story:
    """What became of an event until it was deployed: the outcomes on the way, one per attempt."""

    result: Deployed | Received
    outcomes: list[str] = field(default_factory=list)

    @property
    def deployed(self) -> Deployed:
        assert isinstance(self.result, Deployed), self.result
        return self.result


@dataclass(frozen=True)
class DeployerWorld:
    """One deployer in one sandbox."""

    sandbox: Sandbox
    settings: DeployerSettings
    tools: Tools

    def project(self, job: Job) -> Project:
        return project_of(job, self.settings)

    async def deploy(self, event: Generated) -> Deployed:
        """The stage function, which must succeed."""
        result = await deploy(event, self.tools)
        assert isinstance(result, Deployed), result
        return result

    async def again(self, event: Generated) -> Deployed:
        """The same for an event that the broker gives out a second time."""

        async def redelivered() -> Deployed:
            begin_attempt(Delivery(redelivered=True))
            return await self.deploy(event)

        return await asyncio.create_task(redelivered())

    async def to_the_end(self, event: Generated) -> Story:
        """Attempt after attempt, as the stage runtime would, without its delays (but with those that GitHub asks)."""

        async def attempts() -> Story:
            outcomes: list[str] = []
            for attempt in range(1, MAX_ATTEMPTS + 1):
                begin_attempt(Delivery(attempt=attempt))
                try:
                    return Story(await deploy(event, self.tools), outcomes)
                except (Retry, Pause) as outcome:
                    outcomes.append(type(outcome).__name__)
                except Wait as wait:
                    outcomes.append("Wait")
                    assert wait.after <= 5, f"{wait.reason}: {wait.after} s"
                    await asyncio.sleep(wait.after)
            raise AssertionError(f"not deployed after {outcomes}")

        return await asyncio.create_task(attempts())

    async def read(self, job: Job, history: int = 50) -> App | None:
        return await read_app(self.settings.github_git_url, *self._place(job), history=history)

    async def head(self, job: Job) -> App:
        app = await self.read(job)
        assert app is not None
        return app

    def clone(self, job: Job, folder: Path) -> Path:
        """With plain git, as anybody would."""
        git("clone", "-q", self.project(job).repo_url, str(folder))
        return folder

    def requests(self) -> list[str]:
        """GitHub's REST and git requests so far, as `POST /user/repos`; looks at the page are none."""
        return [
            f"{record.method} {record.path.removeprefix('/api').removeprefix('/git')}"
            for record in self.sandbox.requests()
            if record.target in ("github", "git")
        ]

    def _place(self, job: Job) -> tuple[str, str]:
        project = self.project(job)
        return project.owner, project.name


@asynccontextmanager
async def deployer_world(sandbox: Sandbox, **changes: str | float | None) -> AsyncIterator[DeployerWorld]:
    """A deployer with its real parts; looks at the page follow each other fast. It knows its owner's kind already."""
    settings = DeployerSettings.model_validate(
        {
            "amqp_url": "amqp://nobody@127.0.0.1/",
            "github_token": TOKEN,
            "github_username": "sandbox",
            "github_api_url": sandbox.api_url,
            "github_git_url": sandbox.git_url,
            "github_pages_url": f"{sandbox.url}/pages/{{owner}}/{{repo}}/",
            "slipway_forge": "sandbox",
            "github_timeout_s": 20,
            "git_timeout_s": 30.0,
            "pages_wait_s": 20.0,
            **changes,
        }
    )
    async with open_tools(settings) as tools:
        fast = replace(tools, site=PublicSite(tools.site.client, pauses_s=(0.02, 0.05, 0.1)))
        yield DeployerWorld(sandbox, settings, fast)


def new_job(task: str | None = None, round_: int = 1, nonce: str = "nonce", minute: float = 0, replay: int = 0) -> Job:
    """A job that was accepted `minute` minutes from now; without a task, of a task of its own."""
    task = task or f"task {os.urandom(6).hex()}"
    at = datetime.now(UTC) + timedelta(minutes=minute)
    return Job(
        id=job_id(EMAIL, task, round_, nonce),
        email=EMAIL,
        task=task,
        round=round_,
        nonce=nonce,
        evaluation_url="http://evaluator.example/notify",
        accepted_at=at,
        due_at=at + timedelta(minutes=10),
        replay=replay,
    )


def made(
    job: Job,
    files: Mapping[str, bytes] | None = None,
    base: App | None = None,
    *,
    attachments: tuple[AttachmentRef, ...] = (),
    inline: frozenset[str] = frozenset(),
    hand_backs: int = 0,
) -> Generated:
    """What a generator would make: `files` and the record on top of `base`, whose other files stay.

    Every call differs in some byte from the last, as a model would. Paths in `inline` come with their bytes.
    """
    new = {"index.html": f"<!DOCTYPE html><title>{os.urandom(8).hex()}</title>".encode()} | dict(files or {})
    request = Request(brief=f"Make the page of round {job.round}", attachments=attachments)
    record = ((base.record if base else None) or ProjectRecord()).with_round(job, request)
    new[RECORD_PATH] = record.dump()
    old = base.files if base and job.round > 1 else {}
    new |= {path: old[path].data for path in inline if path in old and path not in new}
    same = {path for path, file in old.items() if new.get(path, file.data) == file.data and path not in inline}
    return Generated(
        job=job,
        base_commit=base.commit if base else None,
        files=tuple(File.of(path, data) for path, data in sorted(new.items()) if path not in same),
        kept=tuple(KeptFile(path=path, mode=old[path].mode, sha=old[path].sha) for path in sorted(same)),
        request=request,
        hand_backs=hand_backs,
    )


def git(*arguments: str, cwd: Path | None = None) -> str:
    """Runs git without anybody's configuration; its output."""
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_TERMINAL_PROMPT": "0"}
    done = subprocess.run(
        ["git", "-c", "core.quotepath=off", *arguments], cwd=cwd, env=environment, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode().strip()
