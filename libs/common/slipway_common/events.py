"""The task events: what travels through the queues, as typed data and as CloudEvents 1.0 in structured JSON."""

import base64
import json
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, ClassVar, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from slipway_common.trace import child_traceparent

CONTENT_TYPE = "application/cloudevents+json"
MAX_EVENT_BYTES = 12 * 1024 * 1024
"""Broker 4.x refuses messages over 16 MiB; an event stays well below it."""

_JOB_NAMESPACE = uuid.UUID("5b0f6c1e-4f0c-5d0e-9a53-6c1b7a0c51e9")

CheckOutcome = Literal["true", "false", "inconclusive", "not_run"]


class Model(BaseModel):
    """Base of all event data: frozen, strict in types, tolerant of fields that a newer version added."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


class JsCheck(Model):
    """A check that is a JavaScript expression, evaluated on the page; it holds when its value is truthy."""

    js: str


Check = Annotated[JsCheck | str, Field(union_mode="left_to_right")]


class Attachment(Model):
    """A file that comes with the brief: its name and a `data:` or http(s) URL of its bytes."""

    name: str
    url: str


class Job(Model):
    """Who asked for what, and until when. `id` is the UUIDv5 of (email, task, round, nonce)."""

    id: str
    email: str
    task: str
    round: int
    nonce: str
    evaluation_url: str
    accepted_at: AwareDatetime
    due_at: AwareDatetime
    replay: int = 0


def job_id(email: str, task: str, round_: int, nonce: str) -> str:
    """The same four values always give the same id, so that a request sent twice is one job."""
    return str(uuid.uuid5(_JOB_NAMESPACE, json.dumps([email, task, round_, nonce], ensure_ascii=False)))


class File(Model):
    """One file of an app with its bytes: text as it is, anything else in base64."""

    path: str
    mode: Literal["100644", "100755"] = "100644"
    encoding: Literal["utf-8", "base64"]
    content: str

    @classmethod
    def of(cls, path: str, data: bytes, mode: Literal["100644", "100755"] = "100644") -> "File":
        try:
            return cls(path=path, mode=mode, encoding="utf-8", content=data.decode())
        except UnicodeDecodeError:
            return cls(path=path, mode=mode, encoding="base64", content=base64.b64encode(data).decode())

    @property
    def data(self) -> bytes:
        return self.content.encode() if self.encoding == "utf-8" else base64.b64decode(self.content)


class KeptFile(Model):
    """A file that the base commit already has: by git blob sha, without its bytes."""

    path: str
    mode: Literal["100644", "100755"]
    sha: str


class AttachmentRef(Model):
    """An attachment of the request, by reference: its first `size` bytes are those of the app's file at `path`."""

    name: str
    path: str
    media_type: str
    size: int


class Request(Model):
    """What was asked for in this round."""

    brief: str
    checks: tuple[Check, ...] = ()
    attachments: tuple[AttachmentRef, ...] = ()


class Finding(Model):
    """One thing wrong with an app: where, what, and what to do about it."""

    file: str
    line: int | None = None
    message: str
    fix: str
    source: Literal["static", "browser", "edit"]
    severity: Literal["error", "warning"] = "error"


class CheckResult(Model):
    """The outcome of one check of one round. `detail` is the value, the exception, or why it was not run.

    `for_person`: no program can decide it, so that it is never run.
    """

    round: int
    check: str
    outcome: CheckOutcome
    detail: str = ""
    for_person: bool = False


class EditReport(Model):
    """How much a revision changed. `untouched` = share (0..1) of the old page's lines that are kept in order."""

    rewrite: bool
    untouched: float
    violations: tuple[str, ...] = ()


class ModelUse(Model):
    """What the job cost: calls and tokens over all loops and attempts, and US dollars where the price is known.

    `prompts` names the wording of the prompts that were used.
    """

    models: tuple[str, ...] = ()
    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = None
    prompts: str = ""


class Screenshot(Model):
    """A picture of the page, `width` CSS pixels wide, as WebP in base64."""

    width: int
    webp: str


class Report(Model):
    """What the generator proved, found and could not do."""

    checks: tuple[CheckResult, ...] = ()
    findings: tuple[Finding, ...] = ()
    edit: EditReport | None = None
    usage: ModelUse = ModelUse()
    notes: tuple[str, ...] = ()
    screenshots: tuple[Screenshot, ...] = ()


class Budget(Model):
    """What a service had used of a limit of the outside world when it spoke: `used` of `limit` in `window_s` seconds.

    `held_until`: the outside asked to be left alone until then.
    """

    name: str
    window_s: float
    used: int
    limit: int
    held_until: AwareDatetime | None = None


class EventData(Model):
    """Base of every event: the job that it belongs to and when it was made.

    `hand_backs` counts how often the deployer had returned the job to `task.received` because the branch moved.
    `budgets` are those of the service that made the event.
    """

    type: ClassVar[str]
    job: Job
    at: AwareDatetime = Field(default_factory=lambda: datetime.now(UTC))
    hand_backs: int = 0
    budgets: tuple[Budget, ...] = ()


class Received(EventData):
    """A task request was accepted. `spent` is what the job had cost when the deployer gave it back."""

    type: ClassVar[str] = "task.received"
    brief: str
    checks: tuple[Check, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    spent: ModelUse = ModelUse()


class Generated(EventData):
    """An app was made on top of `base_commit` (None: on nothing)."""

    type: ClassVar[str] = "task.generated"
    base_commit: str | None
    files: tuple[File, ...]
    kept: tuple[KeptFile, ...] = ()
    request: Request
    report: Report = Report()


class Deployed(EventData):
    """The app is a commit. `live` says whether its bytes answered at `pages_url`; if not, `not_live` says why."""

    type: ClassVar[str] = "task.deployed"
    repo_url: str
    commit_sha: str
    pages_url: str
    live: bool
    not_live: str = ""


class Notified(EventData):
    """The evaluator answered `status` (always 200) at the `tries`-th try."""

    type: ClassVar[str] = "task.notified"
    repo_url: str
    commit_sha: str
    pages_url: str
    live: bool
    status: int
    tries: int


class Progress(EventData):
    """What a stage does with a job; goes to the history only."""

    type: ClassVar[str] = "task.progress"
    service: str
    state: Literal["generating", "deploying", "notifying", "waiting", "retrying", "paused", "dead", "dropped"]
    message: str = ""
    error: str = ""
    attempt: int = 1


AnyEvent = Received | Generated | Deployed | Notified | Progress
WorkEvent = Received | Generated | Deployed | Notified


class _Envelope(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")

    specversion: Literal["1.0"]
    id: str
    source: str
    subject: str
    traceparent: str = ""


class _ReceivedEvent(_Envelope):
    type: Literal["task.received"]
    data: Received


class _GeneratedEvent(_Envelope):
    type: Literal["task.generated"]
    data: Generated


class _DeployedEvent(_Envelope):
    type: Literal["task.deployed"]
    data: Deployed


class _NotifiedEvent(_Envelope):
    type: Literal["task.notified"]
    data: Notified


class _ProgressEvent(_Envelope):
    type: Literal["task.progress"]
    data: Progress


class _Parsed(BaseModel):
    event: Annotated[
        _ReceivedEvent | _GeneratedEvent | _DeployedEvent | _NotifiedEvent | _ProgressEvent,
        Field(discriminator="type"),
    ]


class UnreadableEventError(ValueError):
    """The body is not a Slipway event; the message names the field and never quotes its value."""


class EventTooLargeError(ValueError):
    """The event is over MAX_EVENT_BYTES; the message names its size."""


class ReadEvent(Model):
    """An event as it was read: its CloudEvents id, its trace, its data."""

    id: str
    traceparent: str
    data: AnyEvent


def dump_event(data: AnyEvent, *, source: str, traceparent: str = "") -> bytes:
    """One event as a CloudEvents 1.0 JSON document (spec section 3, structured content mode).

    Raises EventTooLargeError.
    """
    envelope = {
        "specversion": "1.0",
        "id": str(uuid.uuid4()),
        "source": f"slipway/{source}",
        "type": data.type,
        "subject": data.job.id,
        "time": data.at.isoformat(),
        "datacontenttype": "application/json",
        "dataschema": f"urn:slipway:{data.type}:1",
        "traceparent": child_traceparent(traceparent),
    }
    body = (json.dumps(envelope)[:-1] + ', "data": ' + data.model_dump_json() + "}").encode()
    if len(body) > MAX_EVENT_BYTES:
        raise EventTooLargeError(f"{data.type} is {len(body)} bytes, over the limit of {MAX_EVENT_BYTES}")
    return body


def read_event(body: bytes) -> ReadEvent:
    """The event in a message body. Raises UnreadableEventError."""
    try:
        event = _Parsed.model_validate_json(b'{"event":' + body + b"}").event
    except ValidationError as error:
        raise UnreadableEventError(describe_errors(error)) from None
    return ReadEvent(id=event.id, traceparent=event.traceparent, data=event.data)


def describe_errors(error: ValidationError, skip: Sequence[str] = ("event",)) -> str:
    """Field and cause of each error, without the offending values (they may be secret)."""
    return "; ".join(
        f"{'.'.join(str(part) for part in item['loc'] if part not in skip) or 'body'}: {item['msg']}"
        for item in error.errors(include_url=False, include_input=False)
    )
