"""A dead letter as the operator sees it, and how one is named on the command line."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from aio_pika.abc import AbstractIncomingMessage

from slipway_cli.operator.errors import OperatorError
from slipway_common.delivery import ERROR, MESSAGE, SERVICE, VERSION, Delivery
from slipway_common.events import AnyEvent, Job, UnreadableEventError, read_event
from slipway_common.topology import WORK_QUEUES

MIN_JOB_PREFIX = 6

_DEATHS = "x-death"
_DEATH_REASON = "x-first-death-reason"


@dataclass(frozen=True)
class Letter:
    """A dead letter as it stands in its queue. `position` counts from 1 and holds until the queue changes."""

    queue: str
    """The work queue that it came from, and to which a replay sends it."""
    position: int
    error: str
    message: str
    service: str
    version: str
    delivery: Delivery
    bytes: int
    job: Job | None
    """None where the body is no event of ours."""
    hand_backs: int = 0

    @property
    def name(self) -> str:
        """What it is called on the command line besides its job."""
        return f"{self.queue}/{self.position}"

    @property
    def job_id(self) -> str:
        return self.job.id if self.job else ""


@dataclass(frozen=True)
class Address:
    """Which letter is meant: a job, by its id or the beginning of it, or a position in one queue."""

    text: str
    job: str = ""
    queue: str = ""
    position: int = 0

    @classmethod
    def parse(cls, text: str) -> "Address":
        """Reads `JOB` or `QUEUE/POSITION`. Raises OperatorError."""
        queue, slash, position = text.partition("/")
        if slash:
            if not position.isdecimal() or int(position) < 1:
                raise OperatorError(f"{text!r}: behind the `/` stands a position as `dead-letters list` shows it")
            return cls(text, queue=work_queue(queue), position=int(position))
        if len(text) < MIN_JOB_PREFIX:
            raise OperatorError(f"{text!r}: a job's id, at least its first {MIN_JOB_PREFIX} characters, or QUEUE/1")
        return cls(text, job=text)

    @property
    def queues(self) -> Sequence[str]:
        return (self.queue,) if self.queue else WORK_QUEUES

    def means(self, letter: Letter) -> bool:
        return letter.position == self.position if self.queue else letter.job_id.startswith(self.job)


def work_queue(name: str) -> str:
    """The work queue of that name, also by the name of its dead-letter queue. Raises OperatorError."""
    found = name.removesuffix(".dead")
    if found not in WORK_QUEUES:
        raise OperatorError(f"{name!r} is no queue of Slipway; they are {', '.join(WORK_QUEUES)}")
    return found


def read_letter(queue: str, position: int, message: AbstractIncomingMessage) -> Letter:
    """What a message of a dead-letter queue says, whoever put it there: a stage, or the broker after crashes."""
    headers = message.headers
    try:
        data: AnyEvent | None = read_event(message.body).data
    except UnreadableEventError:
        data = None
    delivery = Delivery.of(headers)
    error, text = _text(headers.get(ERROR, "")), _text(headers.get(MESSAGE, ""))
    if not error:
        error = "Crashed"
        reason = _text(headers.get(_DEATH_REASON, "reason unknown"))
        text = f"the broker gave up ({reason}): the service ended each time with this event in hand"
        delivery = Delivery(delivery.attempt, delivery.first_failure, delivery.last_failure or _died_at(headers))
    return Letter(
        queue=queue,
        position=position,
        error=error,
        message=text,
        service=_text(headers.get(SERVICE, "")),
        version=_text(headers.get(VERSION, "")),
        delivery=delivery,
        bytes=len(message.body),
        job=data.job if data else None,
        hand_backs=data.hand_backs if data else 0,
    )


def _died_at(headers: Mapping[str, object]) -> datetime | None:
    deaths = headers.get(_DEATHS)
    times = [death.get("time") for death in deaths if isinstance(death, Mapping)] if isinstance(deaths, list) else []
    known = [time.replace(tzinfo=time.tzinfo or UTC) for time in times if isinstance(time, datetime)]
    return max(known, default=None)


def readable_body(body: bytes, longest: int | None) -> str:
    """The event as indented JSON; strings over `longest` characters are cut, with what is missing said."""
    try:
        document = json.loads(body)
    except ValueError:
        return body.decode(errors="replace")
    return json.dumps(_shortened(document, longest) if longest else document, indent=2, ensure_ascii=False)


def _shortened(value: object, longest: int) -> object:
    if isinstance(value, str) and len(value) > longest:
        return f"{value[:longest]}\u2026 ({len(value) - longest} more characters; --full shows them)"
    if isinstance(value, list):
        return [_shortened(item, longest) for item in value]
    if isinstance(value, dict):
        return {name: _shortened(item, longest) for name, item in value.items()}
    return value


def _text(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
