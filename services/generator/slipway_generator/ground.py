"""What a job builds on: the published app, whether it is edited or replaced, and whether it is this job's turn."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from slipway_common.events import Received
from slipway_common.git_http import GitError
from slipway_common.project import ProjectRecord
from slipway_common.repository import App, read_app
from slipway_common.stage import Reject, Retry, Wait


@dataclass(frozen=True)
class Patience:
    """How long a round waits for the one before it, and how long between two looks; seconds."""

    longest: float
    pause: float


@dataclass(frozen=True)
class Ground:
    """`app` is what is published now; `revises` says whether it is edited or replaced; `done`, whether this job's
    commit is there already.
    """

    app: App | None
    record: ProjectRecord
    revises: bool
    done: bool = False
    notes: tuple[str, ...] = ()

    @property
    def head(self) -> str | None:
        """The commit to build on."""
        return self.app.commit if self.app else None


async def survey(event: Received, git_url: str, owner: str, repository: str, patience: Patience) -> Ground:
    """Read the repository. Raises Wait for the round before, Reject for a superseded round, Retry when git fails."""
    job = event.job
    try:
        app = await read_app(git_url, owner, repository)
    except GitError as error:
        raise Retry(f"the repository could not be read: {error}") from None
    record = (app.record if app else None) or ProjectRecord()
    if app and record.commits_of(job):
        return Ground(app, record, revises=True, done=True)
    if record.supersedes(job):
        raise Reject(f"round {job.round} is superseded: a later round is in the repository already")
    if job.round == 1:
        return Ground(app, record, revises=False)
    newest = max((item.round for item in record.rounds), default=0)
    if newest >= job.round - 1:
        return Ground(app, record, revises=True)
    if datetime.now(UTC) - event.at < timedelta(seconds=patience.longest):
        raise Wait(f"round {job.round - 1} is not in the repository yet", patience.pause)
    missing = f"round {job.round - 1} never came"
    if app is None:
        return Ground(None, record, revises=False, notes=(f"{missing}: built whole",))
    return Ground(app, record, revises=True, notes=(f"{missing}: made from round {newest}",))
