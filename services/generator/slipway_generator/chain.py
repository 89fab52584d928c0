"""The chain of models and the ledger of what a job has spent on them."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import monotonic

import structlog

from slipway_common.events import ModelUse
from slipway_common.stage import Pause, Reject, Retry
from slipway_generator.model import (
    Answer,
    BadKeyError,
    BusyError,
    Model,
    QuotaSpentError,
    RefusedError,
    Turn,
    UnknownModelError,
    UnusableError,
)

log = structlog.get_logger()

QUOTA_PAUSE_S = 3600.0
"""How long a model whose daily quota is spent is passed over before it is tried again."""
LONGEST_SLEEP_S = 20.0
"""A longer wait goes through the delay queues, so that the place in the process is free for another job."""
UNUSABLE_IN_A_ROW = 3


class SpentError(Exception):
    """The job's calls or its time are used up."""


@dataclass
class Ledger:
    """What one job may spend and has spent, over all loops together. Only answered calls count.

    `deadline` and `improve_until` are times of the monotonic clock: no call begins after the first, no version that
    could be shipped is improved after the second.
    """

    max_calls: int
    deadline: float
    improve_until: float
    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    models: list[str] = field(default_factory=list)

    def check(self) -> None:
        """Raises SpentError when nothing is left."""
        if self.calls >= self.max_calls:
            raise SpentError(f"all {self.max_calls} model calls of this job are used (MAX_MODEL_CALLS)")
        if monotonic() >= self.deadline:
            raise SpentError("the time for this job's model calls is used up (GENERATE_BUDGET_S)")

    def add(self, answer: Answer) -> None:
        self.calls += 1
        self.input_tokens += answer.input_tokens
        self.output_tokens += answer.output_tokens
        if answer.model not in self.models:
            self.models.append(answer.model)

    def left_s(self) -> float:
        return self.deadline - monotonic()

    def use(self) -> ModelUse:
        return ModelUse(
            models=tuple(self.models),
            calls=self.calls,
            input_tokens=self.input_tokens,
            output_tokens=self.output_tokens,
        )


class Chain:
    """Models in order of preference. Shared by all jobs of the process, so that what one learns serves all."""

    def __init__(self, model: Model, names: Sequence[str], call_timeout_s: float) -> None:
        self._model = model
        self._names = tuple(names)
        self._call_timeout_s = call_timeout_s
        self._unknown: set[str] = set()
        self._spent_until: dict[str, float] = {}

    async def ask(self, system: str, turns: tuple[Turn, ...], ledger: Ledger) -> Answer:
        """The first usable answer.

        Raises SpentError, or as an outcome of the stage: Pause (bad key, all quotas spent), Reject (refused by policy,
        no model of the chain exists, or nothing usable came), Retry (all busy for longer than one waits here).
        """
        unusable = 0
        pause = 1.0
        while True:
            busy: BusyError | None = None
            for name in self._usable():
                ledger.check()
                try:
                    answer = await self._model.ask(name, system, turns, min(self._call_timeout_s, ledger.left_s()))
                except BadKeyError as error:
                    raise Pause(f"the model's key was refused: {error}") from None
                except UnknownModelError as error:
                    log.warning("model unknown, skipped", model=name, detail=str(error))
                    self._unknown.add(name)
                except QuotaSpentError:
                    log.warning("daily quota spent", model=name)
                    self._spent_until[name] = monotonic() + QUOTA_PAUSE_S
                except RefusedError as error:
                    raise Reject(f"the model refused: {error}") from None
                except UnusableError as error:
                    ledger.calls += 1
                    unusable += 1
                    log.warning("unusable answer", model=name, detail=str(error), in_a_row=unusable)
                    if unusable >= UNUSABLE_IN_A_ROW:
                        raise Reject(f"no usable answer in {unusable} calls, the last: {error}") from None
                except BusyError as error:
                    log.warning("model busy", model=name, detail=str(error), after=error.after)
                    busy = error
                else:
                    ledger.add(answer)
                    return answer
            if busy is not None:
                after = busy.after if busy.after is not None else pause
                pause = min(pause * 2, 8.0)
                if after > LONGEST_SLEEP_S or after > ledger.left_s():
                    raise Retry(f"every model is busy: {busy}", after=after)
                await asyncio.sleep(after)

    async def probe(self) -> None:
        """Raises while the key does not work or every model's quota is spent."""
        self._usable()
        await self._model.probe()

    def _usable(self) -> tuple[str, ...]:
        now = monotonic()
        known = [name for name in self._names if name not in self._unknown]
        if not known:
            self._unknown.clear()  # the next job asks again: models come and go
            raise Reject(f"none of the models exists: {', '.join(self._names)} (GEMINI_MODELS)")
        usable = tuple(name for name in known if self._spent_until.get(name, 0.0) <= now)
        if not usable:
            raise Pause("the daily quota of every model is spent")
        return usable
