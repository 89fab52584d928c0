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
class Question:
    """One call: the conversation, the most tokens that its answer may have (thinking included), its time in seconds."""

    system: str
    turns: tuple[Turn, ...]
    max_output_tokens: int
    timeout_s: float


@dataclass(frozen=True)
class Tokens:
    """What a call took. The output includes what was spent on thinking."""

    input: int = 0
    output: int = 0

    @property
    def total(self) -> int:
        return self.input + self.output


@dataclass(frozen=True)
class Answer:
    """A finished reply. `model` is the one that wrote it, which may be more exact than the one that was asked."""

    text: str
    model: str
    tokens: Tokens


class ModelFault(Exception):
    """Base of what can go wrong with a call. The message never carries the key.

    ModelFault
    ├── BusyError            later or elsewhere it may work
    │   └── LostError        as before, but the vendor may have worked and charged for it
    ├── QuotaSpentError      nothing more from this model for a long time
    ├── BadKeyError          nothing at all from this vendor
    ├── UnknownModelError    there is no such model
    └── AnswerFault          an answer came, and it cost a call
        ├── RefusedError     the vendor's policy blocks it
        └── UnusableError    cut, empty or malformed
            └── RecitedError it was too close to a known text
    """


class BusyError(ModelFault):
    """Rate limit, overload, or no connection. `after`: the seconds that the vendor asks to wait."""

    def __init__(self, message: str, after: float | None = None) -> None:
        super().__init__(message)
        self.after = after


class LostError(BusyError):
    """The question was sent and no whole answer came: a timeout or a broken connection."""


class QuotaSpentError(ModelFault):
    """The quota of the day, or the credit, is used up for this model. `after`: seconds until it is renewed."""

    def __init__(self, message: str, after: float | None = None) -> None:
        super().__init__(message)
        self.after = after


class BadKeyError(ModelFault):
    """The key is missing, wrong or not allowed."""


class UnknownModelError(ModelFault):
    """There is no such model, or it does not do this."""


class AnswerFault(ModelFault):
    """An answer that is no reply. `tokens` is what it took nevertheless."""

    def __init__(self, message: str, tokens: Tokens | None = None) -> None:
        super().__init__(message)
        self.tokens = tokens or Tokens()


class RefusedError(AnswerFault):
    """The vendor's policy blocks this prompt or this reply: asking again the same way is pointless."""


class UnusableError(AnswerFault):
    """The answer is cut, empty or malformed."""


class RecitedError(UnusableError):
    """The answer was stopped for repeating a known text: asked differently, it may come."""


class Model(Protocol):
    """A vendor's client."""

    @property
    def vendor(self) -> str:
        """Its name, for logs and for what a job is told."""
        ...

    async def ask(self, model: str, question: Question) -> Answer:
        """One call, no retries. Raises a ModelFault."""
        ...

    async def probe(self) -> None:
        """A free call that shows whether the key works. Raises a ModelFault."""
        ...

    async def aclose(self) -> None:
        """Close its connections."""
        ...
