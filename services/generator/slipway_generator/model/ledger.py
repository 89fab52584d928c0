"""What a job may spend on models and has spent, over all loops and all attempts; and the budget of the day."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from time import monotonic

from slipway_common.events import ModelUse
from slipway_generator.model import Tokens, Turn
from slipway_generator.model.prices import cost_usd

MAX_OUTPUT_TOKENS = 65_536
"""The most that the models of the chain write in one answer."""
LEAST_OUTPUT_TOKENS = 2_000
"""With less room than this a page cannot be written, so that the call is not made."""
_CHARS_PER_TOKEN = 4
_TOKENS_PER_IMAGE = 1_100


class SpentError(Exception):
    """The job's calls, tokens or time are used up; the message names the setting."""


class TimeSpentError(SpentError):
    """It is the time."""


@dataclass(frozen=True)
class Allowance:
    """The limits of one job: calls, tokens in and out together, and times of the monotonic clock.

    No call begins after `deadline`; no version that could be shipped is improved after `improve_until`.
    """

    calls: int
    tokens: int
    deadline: float
    improve_until: float


class Ledger:
    """What one job has spent. Calls count that were answered, or that may have been worked on.

    `used` is what earlier attempts at the job have spent. `keep` is told of every change, so that the count outlives
    this attempt. `priced`: the models are those of the price list, not stand-ins under their names.
    """

    def __init__(
        self,
        allowance: Allowance,
        used: ModelUse | None = None,
        keep: Callable[[ModelUse], None] | None = None,
        *,
        priced: bool = True,
    ) -> None:
        self.allowance = allowance
        self.used = used or ModelUse()
        self._keep = keep
        self._priced = priced

    def room_for(self, system: str, turns: Sequence[Turn]) -> int:
        """How many tokens the answer may have. Raises SpentError when the call must not be made."""
        allowance, used = self.allowance, self.used
        if used.calls >= allowance.calls:
            raise SpentError(f"all {allowance.calls} model calls of this job are used (MAX_MODEL_CALLS)")
        if self.left_s() <= 0:
            raise TimeSpentError("the time for this job's model calls is used up (GENERATE_BUDGET_S)")
        left = allowance.tokens - used.input_tokens - used.output_tokens - estimate(system, turns)
        if left < LEAST_OUTPUT_TOKENS:
            spent = used.input_tokens + used.output_tokens
            raise SpentError(f"{spent} of {allowance.tokens} tokens of this job are used, too many to ask (MAX_TOKENS)")
        return min(left, MAX_OUTPUT_TOKENS)

    def add(self, model: str, tokens: Tokens) -> float | None:
        """Count one call; what it cost in US dollars, where that is known."""
        used = self.used
        cost = cost_usd(model, tokens, _today()) if self._priced else None
        known = used.calls == 0 or used.cost_usd is not None
        self.used = used.model_copy(
            update={
                "models": used.models if model in used.models else (*used.models, model),
                "calls": used.calls + 1,
                "input_tokens": used.input_tokens + tokens.input,
                "output_tokens": used.output_tokens + tokens.output,
                "cost_usd": round((used.cost_usd or 0.0) + cost, 6) if known and cost is not None else None,
            }
        )
        if self._keep:
            self._keep(self.used)
        return cost

    def left_s(self) -> float:
        return self.allowance.deadline - monotonic()


def estimate(system: str, turns: Sequence[Turn]) -> int:
    """Roughly how many tokens a conversation has."""
    chars = len(system) + sum(len(turn.text) for turn in turns)
    return chars // _CHARS_PER_TOKEN + _TOKENS_PER_IMAGE * sum(len(turn.images) for turn in turns)


class DailyBudget:
    """Tokens of all jobs of this process on one UTC day; `limit` None: no bound."""

    def __init__(self, limit: int | None, today: Callable[[], date] | None = None) -> None:
        self.limit = limit
        self._today = today or _today
        self._day = self._today()
        self._spent = 0

    def add(self, tokens: Tokens) -> None:
        self._turn_page()
        self._spent += tokens.total

    def exhausted(self) -> bool:
        """Whether nothing more may be asked today."""
        self._turn_page()
        return self.limit is not None and self._spent >= self.limit

    def _turn_page(self) -> None:
        if (today := self._today()) != self._day:
            self._day, self._spent = today, 0


def _today() -> date:
    return datetime.now(UTC).date()
