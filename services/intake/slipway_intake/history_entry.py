"""One message of the history stream, read: an event, a dead letter, or a marker that an intake published itself."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from aio_pika.abc import AbstractIncomingMessage

from slipway_common.delivery import ERROR, LAST_FAILURE, MESSAGE
from slipway_common.events import (
    AnyEvent,
    Deployed,
    Generated,
    Model,
    Progress,
    ReadEvent,
    Received,
    UnreadableEventError,
    read_event,
)
from slipway_common.topology import DEAD_EXCHANGE
from slipway_intake.record import DeadLetter

OFFSET = "x-stream-offset"
MARKER = "x-slipway-marker"
MARKER_TYPE = "slipway.marker"

Level = Literal["info", "warning", "error"]
_LEVELS: dict[str, Level] = {"retrying": "warning", "paused": "warning", "dead": "error", "dropped": "warning"}


@dataclass(frozen=True)
class Position:
    """A place in one particular stream: the offset, and the message that stands there."""

    offset: int
    message_id: str


@dataclass(frozen=True)
class Entry:
    """One message of the history. `event` is None for a marker and for a body that is no event."""

    position: Position
    marker: str
    event: ReadEvent | None
    dead: DeadLetter | None


class StoryLine(Model):
    """One line of the story of all services, for `/logs`."""

    timestamp: str
    level: Level
    service: str
    event: str
    job: str = ""
    task: str = ""
    round: int = 0
    attempt: int = 0
    message: str = ""


class EntryReader:
    """Reads messages of the stream in their order. Bodies that are no event are borne: the history outlives versions.

    A dead letter by crash has no time of its own: a stream keeps none of the broker's `x-death` header (tried on
    3.10.8). It died after everything that stands before it in the stream, so it is given the time of that.
    """

    def __init__(self) -> None:
        self._until = datetime.min.replace(tzinfo=UTC)

    def read(self, messages: Iterable[AbstractIncomingMessage]) -> list[Entry]:
        return [self._read(message) for message in messages]

    def _read(self, message: AbstractIncomingMessage) -> Entry:
        headers = message.headers
        offset = headers.get(OFFSET)
        position = Position(offset if isinstance(offset, int) else 0, message.message_id or "")
        if message.type == MARKER_TYPE:
            return Entry(position, str(headers.get(MARKER, "")), None, None)
        try:
            event = read_event(message.body)
            self._until = max(self._until, event.data.at)
        except UnreadableEventError:
            event = None
        dead = None
        if message.exchange == DEAD_EXCHANGE:
            dead = self._dead_letter(message.routing_key or "", headers)
            self._until = max(self._until, dead.at)
        return Entry(position, "", event, dead)

    def _dead_letter(self, queue: str, headers: Mapping[str, object]) -> DeadLetter:
        if ERROR in headers:
            at = _time(headers.get(LAST_FAILURE)) or self._until
            return DeadLetter(queue, at, str(headers[ERROR]), str(headers.get(MESSAGE, "")))
        at = self._until + timedelta(microseconds=1)
        return DeadLetter(
            queue, at, "Crashed", "the broker gave up: the service ended each time with this event in hand"
        )


def _time(value: object) -> datetime | None:
    with suppress(ValueError):
        at = datetime.fromisoformat(str(value))
        return at if at.tzinfo else None
    return None


def story_line(entry: Entry) -> StoryLine | None:
    """The entry as a line of the story; None where it tells nothing new."""
    event, dead = entry.event, entry.dead
    if dead is not None and event is None:
        text = f"not an event: {dead.message}"
        return StoryLine(
            timestamp=dead.at.isoformat(), level="error", service=dead.service, event="dead", message=text
        )  # fmt: skip
    if event is None:
        return None
    data = event.data
    known = {"job": data.job.id, "task": data.job.task, "round": data.job.round}
    if dead is not None:
        text = f"{dead.error}: {dead.message}"
        line = {"timestamp": dead.at.isoformat(), "service": dead.service, "event": "dead", "message": text}
        return StoryLine.model_validate({**known, **line, "level": "error"})
    line = {"timestamp": data.at.isoformat(), "service": _service(data), "event": data.type.removeprefix("task.")}
    if isinstance(data, Progress):
        line |= {"event": data.state, "message": data.message}
        known |= {"attempt": data.attempt}
    return StoryLine.model_validate({**known, **line, "level": _LEVELS.get(line["event"], "info")})


def _service(data: AnyEvent) -> str:
    match data:
        case Progress():
            return data.service
        case Received():
            return "intake"
        case Generated():
            return "generator"
        case Deployed():
            return "deployer"
    return "notifier"
