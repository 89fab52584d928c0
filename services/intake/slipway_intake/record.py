"""What is known of one job: a fold of its events that bears disorder, duplicates and a missing beginning.

Every event becomes a record that knows this one event only, and two records of a job merge by taking, part by part,
the one that stands further. Merging is commutative, associative and idempotent: the order of the history is no matter.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Self, TypeVar

from pydantic import AwareDatetime

from slipway_common.events import (
    AnyEvent,
    Deployed,
    Generated,
    Model,
    Notified,
    Progress,
    ReadEvent,
    Received,
    Report,
)

State = Literal[
    "received",
    "generating",
    "generated",
    "deploying",
    "deployed",
    "notified",
    "waiting",
    "retrying",
    "paused",
    "dead",
    "dropped",
]
FINISHED: frozenset[State] = frozenset({"notified", "dead", "dropped"})

_RANK_OF_EVENT: dict[type[AnyEvent], int] = {Received: 0, Generated: 2, Deployed: 4, Notified: 7}
_RANK_OF_SERVICE = {"generator": 1, "deployer": 3, "notifier": 5}
_RANK_OF_OPERATOR = 6
_RANK_OF_DEPLOYED = 4
_STATE_OF_EVENT: dict[type[AnyEvent], State] = {
    Received: "received",
    Generated: "generated",
    Deployed: "deployed",
    Notified: "notified",
}
_SERVICE_OF_QUEUE = {"task.received": "generator", "task.generated": "deployer", "task.deployed": "notifier"}

ModelT = TypeVar("ModelT", bound="Part")


class Part(Model):
    """One part of a record, from one event. Of two, the one with the greater `key` stands."""

    replay: int
    at: AwareDatetime
    event_id: str

    def key(self) -> tuple[Any, ...]:
        return (self.replay, self.at, self.event_id)


class First(Part):
    """Of two from the same replay, the earlier one stands: it is what the next stage worked on first."""

    def key(self) -> tuple[Any, ...]:
        return (self.replay, -self.at.timestamp(), self.event_id)


class Standing(Part):
    """Where the job is. `rank` orders the path; from the deployment on, hand-backs are of no matter."""

    hand_backs: int
    rank: int
    state: State
    message: str = ""
    error: str = ""

    def key(self) -> tuple[Any, ...]:
        passed = self.rank >= _RANK_OF_DEPLOYED
        return (self.replay, passed, 0 if passed else self.hand_backs, self.rank, self.at, self.state, self.event_id)


class Asked(Part):
    """The request, as far as it is shown."""

    brief: str
    checks: int
    attachments: tuple[str, ...]


class Made(First):
    """What the generator said of its app."""

    hand_backs: int
    report: Report

    def key(self) -> tuple[Any, ...]:
        return (self.replay, self.hand_backs, -self.at.timestamp(), self.event_id)


class Published(Part):
    """Where the app is. `deployer`: said by the deployer itself, which knows why a page is not live."""

    deployer: bool
    repo_url: str
    commit_sha: str
    pages_url: str
    live: bool
    not_live: str = ""

    def key(self) -> tuple[Any, ...]:
        return (self.replay, self.deployer, self.at, self.event_id)


class Told(First):
    """How the evaluator was told."""

    status: int
    tries: int


class Times(Model):
    """When the job first came to each state of its path, in its newest replay."""

    replay: int
    received: AwareDatetime | None = None
    generating: AwareDatetime | None = None
    generated: AwareDatetime | None = None
    deploying: AwareDatetime | None = None
    deployed: AwareDatetime | None = None
    notified: AwareDatetime | None = None

    def merge(self, other: "Times") -> "Times":
        if self.replay != other.replay:
            return max(self, other, key=lambda times: times.replay)
        earliest: dict[str, datetime] = {}
        for times in (self, other):
            for name, at in times.known().items():
                earliest[name] = min(at, earliest.get(name, at))
        return Times.model_validate({"replay": self.replay, **earliest})

    def known(self) -> dict[str, datetime]:
        """State -> time, of the states that the job came to."""
        return {name: value for name, value in self if isinstance(value, datetime)}


class Attempts(Model):
    """The highest attempt of each stage in the job's newest replay; 0 where it was not seen working."""

    replay: int
    generator: int = 0
    deployer: int = 0
    notifier: int = 0

    def merge(self, other: "Attempts") -> "Attempts":
        if self.replay != other.replay:
            return max(self, other, key=lambda attempts: attempts.replay)
        return Attempts(
            replay=self.replay,
            generator=max(self.generator, other.generator),
            deployer=max(self.deployer, other.deployer),
            notifier=max(self.notifier, other.notifier),
        )


class Identity(Part):
    """Whose job it is and until when. The sender's address is not among it."""

    task: str
    round: int
    accepted_at: AwareDatetime
    due_at: AwareDatetime


class JobRecord(Model):
    """All that is known of one job. Every part but identity and standing may be missing."""

    job: str
    identity: Identity
    standing: Standing
    times: Times
    attempts: Attempts
    asked: Asked | None = None
    made: Made | None = None
    published: Published | None = None
    told: Told | None = None

    @property
    def state(self) -> State:
        return self.standing.state

    @property
    def finished(self) -> bool:
        return self.state in FINISHED

    def merge(self, other: Self) -> "JobRecord":
        """Both together. Both are of the same job."""
        return JobRecord(
            job=self.job,
            identity=_further(self.identity, other.identity),
            standing=_further(self.standing, other.standing),
            times=self.times.merge(other.times),
            attempts=self.attempts.merge(other.attempts),
            asked=_furthest((self.asked, other.asked)),
            made=_furthest((self.made, other.made)),
            published=_furthest((self.published, other.published)),
            told=_furthest((self.told, other.told)),
        )


@dataclass(frozen=True)
class DeadLetter:
    """What the way of a dead letter into the history says: the queue it was in, when it died, of what."""

    queue: str
    at: datetime
    error: str
    message: str

    @property
    def service(self) -> str:
        return _SERVICE_OF_QUEUE.get(self.queue, "")


def record_of(event: ReadEvent, dead: DeadLetter | None = None) -> JobRecord:
    """The record that knows this one event only."""
    data = event.data
    job = data.job
    dated: dict[str, Any] = {"replay": job.replay, "event_id": event.id, "at": data.at}
    record = JobRecord(
        job=job.id,
        identity=Identity(
            **dated, task=job.task, round=job.round, accepted_at=job.accepted_at, due_at=job.due_at
        ),
        standing=_standing(event, dead),
        times=_times(data),
        attempts=_attempts(data),
    )  # fmt: skip
    match data:
        case Received():
            names = tuple(item.name for item in data.attachments)
            part: dict[str, Part] = {
                "asked": Asked(**dated, brief=data.brief, checks=len(data.checks), attachments=names)
            }
        case Generated():
            report = data.report.model_copy(update={"screenshots": ()})
            part = {"made": Made(**dated, hand_backs=data.hand_backs, report=report)}
        case Deployed():
            part = {
                "published": Published(
                    **dated, repo_url=data.repo_url, commit_sha=data.commit_sha, pages_url=data.pages_url,
                    live=data.live, not_live=data.not_live, deployer=True,
                )
            }  # fmt: skip
        case Notified():
            part = {
                "told": Told(**dated, status=data.status, tries=data.tries),
                "published": Published(
                    **dated, repo_url=data.repo_url, commit_sha=data.commit_sha, pages_url=data.pages_url,
                    live=data.live, deployer=False,
                ),
            }  # fmt: skip
        case _:
            part = {}
    return record.model_copy(update=part)


def _standing(event: ReadEvent, dead: DeadLetter | None) -> Standing:
    data = event.data
    common: dict[str, Any] = {"replay": data.job.replay, "event_id": event.id, "hand_backs": data.hand_backs}
    if dead is not None and dead.service:
        rank = _RANK_OF_SERVICE[dead.service]
        return Standing(**common, at=dead.at, rank=rank, state="dead", message=dead.message, error=dead.error)
    if isinstance(data, Progress):
        rank = _RANK_OF_SERVICE.get(data.service, _RANK_OF_OPERATOR)
        state: State = "deployed" if data.state == "notifying" else data.state
        return Standing(**common, at=data.at, rank=rank, state=state, message=data.message, error=data.error)
    return Standing(**common, at=data.at, rank=_RANK_OF_EVENT[type(data)], state=_STATE_OF_EVENT[type(data)])


def _times(data: AnyEvent) -> Times:
    reached: str = data.state if isinstance(data, Progress) else _STATE_OF_EVENT[type(data)]
    known = {reached: data.at} if reached in Times.model_fields else {}
    return Times.model_validate({"replay": data.job.replay, **known})


def _attempts(data: AnyEvent) -> Attempts:
    seen = {data.service: data.attempt} if isinstance(data, Progress) and data.service in _RANK_OF_SERVICE else {}
    if isinstance(data, Notified):
        seen = {"notifier": data.tries}
    return Attempts.model_validate({"replay": data.job.replay, **seen})


def _further(one: ModelT, other: ModelT) -> ModelT:
    return max(one, other, key=lambda part: part.key())


def _furthest(parts: Iterable[ModelT | None]) -> ModelT | None:
    return max((part for part in parts if part is not None), key=lambda part: part.key(), default=None)
