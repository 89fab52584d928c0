"""Bringing a job's commit on the branch exactly once, whatever else was pushed meanwhile."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import structlog

from slipway_common.events import File, Generated, Received
from slipway_common.git_http import GitRefusedError
from slipway_common.project import RECORD_PATH, ProjectRecord
from slipway_common.repository import App, CommitInfo, read_app
from slipway_common.stage import Pause, Reject, Retry
from slipway_common.threads import in_thread
from slipway_deployer.claim import Claim, settled
from slipway_deployer.commit import build_commit, trailers_of
from slipway_deployer.errors import NotThereError
from slipway_deployer.hand_back import hand_back
from slipway_deployer.pages import witnesses
from slipway_deployer.project import Project
from slipway_deployer.push import BranchMovedError, PushDeclinedError, main_head, push
from slipway_deployer.tools import Tools

log = structlog.get_logger()

SEARCHED_COMMITS = 50
MAX_RACES = 6
RACE_PAUSE_S = 0.3


@dataclass(frozen=True)
class Placed:
    """The job's commit on the branch, and the bytes that the page (of this or a later commit) has to show."""

    commit: str
    expected: Mapping[str, bytes]


def builds_on_ours(event: Generated) -> bool:
    """Whether the base is known to be a commit of Slipway: its record of jobs was carried on, or nothing changes."""
    record = _record(event)
    return not event.files or (record is not None and len(record.jobs) > 1)


async def find_placed(event: Generated, project: Project, tools: Tools) -> Placed | None:
    """The commit that an earlier attempt of this event, made on nothing, has left; None where there is none."""
    settings = tools.settings
    token = settings.github_token.get_secret_value()
    head = await in_thread(lambda: main_head(project.repo_url, token, settings.git_timeout_s))
    if head is None:
        return None
    commit = await tools.pack(lambda: build_commit(event, None))
    if head == commit.sha:
        log.info("already pushed", commit=head)
        return await _placed(head, event, None, tools)
    app = await _read(project, head, tools)
    there = _commit_of(event, app) if app else None
    return _found(there, app) if app and there else None


async def place(event: Generated, project: Project, claimed: Claim | None, tools: Tools) -> Placed | Received:
    """Push the job's commit, or find it, or give the job back. Raises ForgeError, GitError, Outcome."""
    if _may_be_there(event):
        app = await _read(project, event.base_commit, tools)
        if app and (there := _commit_of(event, app)):
            return _found(there, app)
        if not event.files:
            raise Reject(f"{project.repo_url}: no commit of this job among the last {SEARCHED_COMMITS}; replay it")
    parent = event.base_commit
    beneath: App | None = None
    for race in range(MAX_RACES):
        if race > 1:
            await asyncio.sleep(RACE_PAUSE_S * race)
        try:
            sha = await _push(event, parent, project, claimed, tools)
            return await _placed(sha, event, beneath, tools)
        except BranchMovedError as moved:
            app = await _read(project, moved.head, tools)
        if app and (there := _commit_of(event, app)):
            return _found(there, app)
        if app and app.record and app.record.supersedes(event.job):
            raise Reject(f"superseded: a round after {event.job.round} was accepted later and is in the repository")
        if event.job.round == 1:
            # a full rebuild needs nothing of what is there: it goes on top
            event, parent, beneath = _rebuilt_on(event, app), app.commit if app else None, app
        elif app is None or app.commit != parent:
            return await tools.pack(partial(hand_back, event, app, tools.settings.max_hand_backs))
    raise Retry(f"{project.repo_url}: main moved {MAX_RACES} times while pushing")


async def _push(event: Generated, parent: str | None, project: Project, claimed: Claim | None, tools: Tools) -> str:
    settings = tools.settings
    commit = await tools.pack(lambda: build_commit(event, parent))
    token = settings.github_token.get_secret_value()

    async def send() -> bool:
        try:
            return await in_thread(lambda: push(project.repo_url, token, commit, settings.git_timeout_s))
        except GitRefusedError as error:
            if error.status == 404 and claimed is not None:
                raise NotThereError(str(error)) from None
            raise

    try:
        pushed = await settled(send)
    except GitRefusedError as error:
        if error.status == 401:
            raise
        await _why_refused(project, tools)
        raise Pause(f"GITHUB_TOKEN may not push to {project.repo_url}: it needs Contents: read and write") from None
    except PushDeclinedError as error:
        raise Reject(f"{project.repo_url} declined the push: {error}") from None
    log.info("pushed" if pushed else "already pushed", commit=commit.sha)
    return commit.sha


async def _why_refused(project: Project, tools: Tools) -> None:
    """After 403 or 404 to a push: raise what the repository itself tells; return where only the token is left."""
    found = await tools.github.repository(project.name)
    if found is None:
        raise BranchMovedError(None)  # deleted since the app was made
    if found.archived:
        raise Reject(f"{project.repo_url} is archived; unarchive it, then replay the job")


async def _read(project: Project, head: str | None, tools: Tools) -> App | None:
    """The branch as anyone sees it. Where that view lags behind `head`, it is asked again for a short while."""
    for attempt in range(3):
        app = await read_app(project.git_url, project.owner, project.name, history=SEARCHED_COMMITS)
        if head is None or (app is not None and head in (commit.sha for commit in app.history)):
            break
        await asyncio.sleep(RACE_PAUSE_S * (attempt + 1))
    return app


def _record(event: Generated) -> ProjectRecord | None:
    data = next((file.data for file in event.files if file.path == RECORD_PATH), None)
    return ProjectRecord.parse(data) if data is not None else None


def _rebuilt_on(event: Generated, app: App | None) -> Generated:
    """The event with the jobs of that commit in its record, so that none of them is built a second time."""
    record = (app.record if app else None) or ProjectRecord()
    told = File.of(RECORD_PATH, record.with_round(event.job, event.request).dump())
    files = tuple(file for file in event.files if file.path != RECORD_PATH)
    return event.model_copy(update={"files": (*files, told)})


def _may_be_there(event: Generated) -> bool:
    """Whether the base may already hold this job: the generator changes nothing, or the record names the job twice."""
    record = _record(event)
    return not event.files or (record is not None and record.commits_of(event.job) > 1)


def _commit_of(event: Generated, app: App) -> CommitInfo | None:
    """This job's commit, by its trailers; its bytes may differ from the event's."""
    wanted = trailers_of(event.job).items()
    return next((commit for commit in app.history if wanted <= commit.trailers.items()), None)


def _found(commit: CommitInfo, app: App) -> Placed:
    log.info("the job's commit is there already", commit=commit.sha)
    return Placed(commit.sha, witnesses({path: file.data for path, file in app.files.items()}))


async def _placed(sha: str, event: Generated, beneath: App | None, tools: Tools) -> Placed:
    """Looks for files that differ from those `beneath`, the commit that the page shows until now."""
    before = {path: file.data for path, file in beneath.files.items()} if beneath else {}

    def differing() -> dict[str, bytes]:
        new = {file.path: file.data for file in event.files}
        return witnesses({path: data for path, data in new.items() if before.get(path) != data})

    return Placed(sha, await tools.pack(differing))
