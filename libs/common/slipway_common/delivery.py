"""What a message's headers say of its own past: attempts and failures. Broker headers are never copied.

Copied `x-death` headers make the broker drop a message that goes round in silence (cycle detection), so only the
headers named here travel on.
"""

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Self

ATTEMPT = "x-slipway-attempt"
FIRST_FAILURE = "x-slipway-first-failure"
LAST_FAILURE = "x-slipway-last-failure"
SERVICE = "x-slipway-service"
VERSION = "x-slipway-version"
ERROR = "x-slipway-error"
MESSAGE = "x-slipway-message"
CARRIED = "x-slipway-carried"

_MAX_MESSAGE = 2000
_ATTEMPT_IN_HAND: ContextVar[int] = ContextVar("attempt", default=1)
_CAME_BEFORE: ContextVar[bool] = ContextVar("came_before", default=False)


@dataclass
class Luggage:
    """A text that a stage function leaves to the next attempt at the same event, however its own ends."""

    text: str = ""


_LUGGAGE: ContextVar[Luggage | None] = ContextVar("luggage", default=None)


@dataclass(frozen=True)
class Delivery:
    """The past of one event in one stage. `attempt` counts from 1; `redelivered`: the broker gave it out before."""

    attempt: int = 1
    first_failure: datetime | None = None
    last_failure: datetime | None = None
    redelivered: bool = False
    luggage: Luggage = field(default_factory=Luggage, compare=False)

    @classmethod
    def of(cls, headers: Mapping[str, object], *, redelivered: bool = False) -> Self:
        attempt = headers.get(ATTEMPT)
        return cls(
            attempt if isinstance(attempt, int) and attempt > 0 else 1,
            _time(headers.get(FIRST_FAILURE)),
            _time(headers.get(LAST_FAILURE)),
            redelivered,
            Luggage(str(headers.get(CARRIED) or "")),
        )

    def failed(self) -> Self:
        """The same, with a failure now."""
        now = datetime.now(UTC)
        return replace(self, first_failure=self.first_failure or now, last_failure=now)

    def next_attempt(self) -> Self:
        return replace(self, attempt=self.attempt + 1)

    def headers(self) -> dict[str, str | int]:
        found: dict[str, str | int] = {ATTEMPT: self.attempt}
        if self.first_failure:
            found[FIRST_FAILURE] = self.first_failure.isoformat()
        if self.last_failure:
            found[LAST_FAILURE] = self.last_failure.isoformat()
        if self.luggage.text:
            found[CARRIED] = self.luggage.text
        return found


def origin_headers(service: str, version: str, error: str, message: str) -> dict[str, str | int]:
    """What a dead letter says of who gave it up and why."""
    return {SERVICE: service, VERSION: version, ERROR: error, MESSAGE: message[:_MAX_MESSAGE]}


def begin_attempt(delivery: Delivery) -> None:
    """Tell the code that this task runs which attempt it is."""
    _ATTEMPT_IN_HAND.set(delivery.attempt)
    _CAME_BEFORE.set(delivery.attempt > 1 or delivery.redelivered)
    _LUGGAGE.set(delivery.luggage)


def current_attempt() -> int:
    """The attempt that the running stage function is, counted from 1; 1 outside of one."""
    return _ATTEMPT_IN_HAND.get()


def carried() -> str:
    """What an earlier attempt at the event in hand left with `carry`; empty at first."""
    luggage = _LUGGAGE.get()
    return luggage.text if luggage else ""


def carry(text: str) -> None:
    """Leave a text (some hundred bytes) to the next attempt: it goes with the event through every delay queue.

    It is lost with a process that is killed: the broker then gives out the message as it was.
    """
    luggage = _LUGGAGE.get()
    if luggage:
        luggage.text = text


def came_before() -> bool:
    """Whether the event in hand was worked on before, so that its effects may be there. (A double may look new.)"""
    return _CAME_BEFORE.get()


def _time(value: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(value)) if value else None
    except ValueError:
        return None
