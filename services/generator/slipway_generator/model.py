"""What the generator asks of a language model, whichever vendor answers: turns in, text out, typed faults."""

from dataclasses import dataclass
from typing import Literal, Protocol


@dataclass(frozen=True)
class Image:
    """A picture as part of a turn."""

    media_type: str
    data: bytes


@dataclass(frozen=True)
class Turn:
    """One message of the conversation."""

    role: Literal["user", "model"]
    text: str
    images: tuple[Image, ...] = ()


@dataclass(frozen=True)
class Answer:
    """A finished reply. Output tokens include those spent on thinking."""

    text: str
    model: str
    input_tokens: int
    output_tokens: int


class ModelFault(Exception):
    """Base of what can go wrong with a call. The message never carries the key."""


class BusyError(ModelFault):
    """Rate limit, overload, timeout or a lost connection: later or elsewhere it may work. `after` in seconds."""

    def __init__(self, message: str, after: float | None = None) -> None:
        super().__init__(message)
        self.after = after


class QuotaSpentError(ModelFault):
    """The quota of the day is used up for this model."""


class BadKeyError(ModelFault):
    """The key is missing, wrong or not allowed."""


class UnknownModelError(ModelFault):
    """There is no such model, or it does not do this."""


class RefusedError(ModelFault):
    """The vendor's policy blocks this prompt or this reply: asking again the same way is pointless."""


class UnusableError(ModelFault):
    """An answer came, but cut, empty or malformed. It cost a call."""


class Model(Protocol):
    """A vendor's client."""

    async def ask(self, model: str, system: str, turns: tuple[Turn, ...], timeout_s: float) -> Answer:
        """One call, no retries. Raises a ModelFault."""
        ...

    async def probe(self) -> None:
        """A free call that shows whether the key works. Raises a ModelFault."""
        ...
