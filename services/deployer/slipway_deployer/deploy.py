"""The stage: one commit on `main`, one Pages site, and the wait until the world sees the new bytes.

Requests, when nothing goes wrong: a new project POST repository, GET info/refs, POST git-receive-pack, POST pages;
a revision the two in the middle; an event that comes again the first of these two. Looks at the public page are not
GitHub requests. Whatever the outcome of an earlier attempt was, doing it again leads to the same one commit.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TypeVar

import structlog

from slipway_common.events import Deployed, Generated, Received
from slipway_common.git_http import GitError, GitRefusedError
from slipway_common.naming import is_ours
from slipway_common.project import RECORD_PATH, ProjectRecord
from slipway_common.repository import App, CommitInfo, read_app
from slipway_common.stage import Pause, Reject, Retry
from slipway_deployer.commit import UnsafePathError, build_commit, commit_message, trailers_of
from slipway_deployer.errors import ConflictError, ForgeError, NameTakenError, NotThereError, outcome_of
from slipway_deployer.github import GitHub
from slipway_deployer.hand_back import hand_back
from slipway_deployer.pages import PublicSite, witnesses
from slipway_deployer.project import Project, project_of
from slipway_deployer.push import BranchMovedError, PushDeclinedError, push
from slipway_deployer.scan import SecretScan
from slipway_deployer.settings import DeployerSettings
from slipway_deployer.site import SiteDoctor, brings_workflow, wanted_build_type

log = structlog.get_logger()

SEARCHED_COMMITS = 50
MAX_RACES = 5
SETTLING_PAUSES_S = (0.3, 0.6, 1.2, 2.4)
"""A new repository answers 404 or 409 for some seconds."""
SHIPPING_MARGIN_S = 20.0

T = TypeVar("T")


@dataclass(frozen=True)
class Tools:
    """What the stage works with. `packing` has one thread: more CPU-bound ones would starve the event loop."""

    settings: DeployerSettings
    github: GitHub
    site: PublicSite
    scan: SecretScan
    packing: Executor

    async def pack(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self.packing, work)


@dataclass(frozen=True)
class _Placed:
    """The job's commit on the branch, and the bytes that its page (or that of a later commit) has to show."""

    commit: str
    expected: Mapping[str, bytes]


@dataclass(frozen=True)
class _Claim:
    """The repository is ours. `has_pages` is False for one that was only just made."""

    new: bool
    has_pages: bool


async def deploy(event: Generated, tools: Tools) -> Deployed | Received:
    """Commit, push, publish. A Received is the job given back because the branch moved since its app was made."""
    found = await tools.pack(
        lambda: tools.scan.run({file.path: file.data for file in event.files}, commit_message(event))
    )
    if found:
        raise Reject("credentials must not be published: " + "; ".join(map(str, found)))
    try:
        return await _deploy(event, tools)
    except (ForgeError, GitError) as error:
        raise outcome_of(error) from None
    except UnsafePathError as error:
        raise Reject(str(error)) from None


async def check_forge(tools: Tools) -> None:
    """The probe while paused: raises while the token is refused."""
    await tools.github.check_token()


async def _deploy(event: Generated, tools: Tools) -> Deployed | Received:
    project = project_of(event.job, tools.settings)
    claim = None
    if event.base_commit is None:
        claim = await _create_or_claim(project, event, tools)
    elif not _builds_on_ours(event):
        claim = await _claim(project, event, tools)
    if brings_workflow(event) and (claim is None or claim.has_pages):
        # before the push: what the push starts must find the site switched
        await _switch_to_workflow(project, tools)
    placed = await _place(event, project, claim, tools)
    if isinstance(placed, Received):
        log.info("handed back, the branch moved", hand_backs=placed.hand_backs)
        return placed
    if claim is not None and not claim.has_pages:
        await _settled(lambda: tools.github.create_pages(project.name, wanted_build_type(event)))
    if not project.pages_url:
        project = await _ask_pages_url(project, tools)
    doctor = SiteDoctor(tools.github, project, placed.commit, wanted_build_type(event))
    budget = _patience(event, tools.settings.pages_wait_s)
    reason = await tools.site.wait(project.pages_url, placed.expected, budget, doctor.on_miss)
    not_live = f"{reason}; {doctor.finding}" if reason and doctor.finding else reason
    log.info("deployed", commit=placed.commit, live=not not_live, not_live=not_live)
    return Deployed(
        job=event.job,
        at=datetime.now(UTC),
        repo_url=project.repo_url,
        commit_sha=placed.commit,
        pages_url=project.pages_url,
        live=not not_live,
        not_live=not_live,
    )


async def _create_or_claim(project: Project, event: Generated, tools: Tools) -> _Claim:
    """Make the repository; where the name is taken, see whether by us (an earlier attempt, an earlier round 1)."""
    try:
        await tools.github.create_repository(project.name, project.description, project.pages_url)
    except NameTakenError:
        return await _claim(project, event, tools)
    return _Claim(new=True, has_pages=False)


async def _claim(project: Project, event: Generated, tools: Tools) -> _Claim:
    found = await tools.github.repository(project.name)
    if found is None:
        raise Retry(f"{project.repo_url} is said to exist and is not there")
    if not is_ours(found.description, event.job.email, event.job.task):
        raise Reject(f"{project.repo_url} was not made by Slipway; rename or delete it, then replay the job")
    if found.archived:
        raise Reject(f"{project.repo_url} is archived; unarchive it, then replay the job")
    return _Claim(new=False, has_pages=found.has_pages)


def _record(event: Generated) -> ProjectRecord | None:
    data = next((file.data for file in event.files if file.path == RECORD_PATH), None)
    return ProjectRecord.parse(data) if data is not None else None


def _builds_on_ours(event: Generated) -> bool:
    """Whether the base is known to be a commit of Slipway: its record of jobs was carried on, or nothing changes."""
    record = _record(event)
    return not event.files or (record is not None and len(record.jobs) > 1)


def _may_be_there(event: Generated) -> bool:
    """Whether the base may already hold this job: the generator changes nothing, or found the job in the record."""
    record = _record(event)
    return not event.files or (record is not None and record.commits_of(event.job) > 1)


async def _place(event: Generated, project: Project, claim: _Claim | None, tools: Tools) -> _Placed | Received:
    """Bring the job's commit on the branch, exactly once."""
    parent = event.base_commit
    if _may_be_there(event):
        app = await _read(project)
        if app is not None and (there := _commit_of(event, app)):
            return _found(there, app)
        return hand_back(event, app, tools.settings.max_hand_backs)
    for _ in range(MAX_RACES):
        try:
            sha = await _push(event, parent, project, claim, tools)
            return _Placed(sha, witnesses({file.path: file.data for file in event.files}))
        except BranchMovedError:
            app = await _read(project)
        if app is not None and (there := _commit_of(event, app)):
            return _found(there, app)
        if app is not None and app.record is not None and app.record.supersedes(event.job):
            raise Reject(f"superseded: a later round was accepted after this one ({event.job.round})") from None
        if event.base_commit is not None:
            return hand_back(event, app, tools.settings.max_hand_backs)
        # a full rebuild needs nothing of what is there: it goes on top
        parent = app.commit if app else None
    raise Retry(f"{project.repo_url}: main moved {MAX_RACES} times while pushing")


async def _push(event: Generated, parent: str | None, project: Project, claim: _Claim | None, tools: Tools) -> str:
    settings = tools.settings
    commit = await tools.pack(lambda: build_commit(event, parent))
    token = settings.github_token.get_secret_value()

    async def send() -> bool:
        try:
            return await asyncio.to_thread(push, project.repo_url, token, commit, settings.git_timeout_s)
        except GitRefusedError as error:
            if error.status == 404 and claim is not None and claim.new:
                raise NotThereError(str(error)) from None
            raise

    try:
        pushed = await _settled(send)
    except GitRefusedError as error:
        if error.status == 401:
            raise
        await _why_refused(event, project, tools)
        raise Pause(f"GITHUB_TOKEN may not push to {project.repo_url}: it needs Contents: read and write") from None
    except PushDeclinedError as error:
        raise Reject(f"{project.repo_url} declined the push: {error}") from None
    log.info("pushed" if pushed else "already pushed", commit=commit.sha)
    return commit.sha


async def _why_refused(event: Generated, project: Project, tools: Tools) -> None:
    """After 403 or 404 to a push: raise what the repository itself tells; return where only the token is left."""
    found = await tools.github.repository(project.name)
    if found is None:
        raise BranchMovedError(None)  # deleted since the app was made
    if found.archived:
        raise Reject(f"{project.repo_url} is archived; unarchive it, then replay the job")


async def _read(project: Project) -> App | None:
    return await read_app(project.git_url, project.owner, project.name, history=SEARCHED_COMMITS)


def _commit_of(event: Generated, app: App) -> CommitInfo | None:
    """This job's commit, by its trailers; its bytes may differ from the event's."""
    wanted = trailers_of(event.job).items()
    return next((commit for commit in app.history if wanted <= commit.trailers.items()), None)


def _found(commit: CommitInfo, app: App) -> _Placed:
    log.info("the job's commit is there already", commit=commit.sha)
    return _Placed(commit.sha, witnesses({path: file.data for path, file in app.files.items()}))


async def _settled(call: Callable[[], Awaitable[T]]) -> T:
    """Call again while a repository or site that was only just made is not there yet. Raises ForgeError, GitError."""
    for pause in SETTLING_PAUSES_S:
        try:
            return await call()
        except (NotThereError, ConflictError):
            await asyncio.sleep(pause)
    return await call()


async def _switch_to_workflow(project: Project, tools: Tools) -> None:
    try:
        await tools.github.switch_pages(project.name, "workflow")
    except NotThereError:
        return  # no site yet: it is made with the right source after the push


async def _ask_pages_url(project: Project, tools: Tools) -> Project:
    site = await tools.github.pages(project.name)
    if site is None or not site.html_url:
        raise Retry(f"{project.repo_url}: GitHub does not tell the address of its Pages site")
    return replace(project, pages_url=site.html_url.rstrip("/") + "/")


def _patience(event: Generated, longest_s: float) -> float:
    """How long to wait for the page: the stage's own budget, less where the job is due before; late jobs get it all."""
    left = (event.job.due_at - datetime.now(UTC)).total_seconds() - SHIPPING_MARGIN_S
    return longest_s if left <= 0 else min(longest_s, max(left, SHIPPING_MARGIN_S))
