"""The chain of models: asked in order of preference, each as long as it answers, whoever the vendor is."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from time import monotonic
from typing import Literal

import structlog

from slipway_common.delivery import current_attempt
from slipway_common.stage import Pause, Reject, Retry
from slipway_generator import metrics
from slipway_generator.model import (
    Answer,
    AnswerFault,
    BadKeyError,
    BusyError,
    LostError,
    Model,
    ModelFault,
    Question,
    QuotaSpentError,
    RecitedError,
    RefusedError,
    Tokens,
    Turn,
    UnknownModelError,
)
from slipway_generator.model.ledger import DailyBudget, Ledger, TimeSpentError

log = structlog.get_logger()

QUOTA_PAUSE_S = 3600.0
"""How long a model whose quota is spent is passed over when its vendor does not say when the quota is renewed."""
KEY_PAUSE_S = 60.0
UNKNOWN_PAUSE_S = 600.0
LONGEST_BUSY_S = 16.0
LONGEST_WAIT_S = 30.0
"""A longer wait goes through the delay queues, so that the place in the process is free for another job."""
UNUSABLE_IN_A_ROW = 3
_OWN_WORDS = "\n\nWrite everything in your own words and your own code: do not repeat a known text at length.\n"

Shut = Literal["", "busy", "quota", "key", "unknown"]


@dataclass(eq=False)
class Link:
    """One model of the chain, and until when (monotonic clock) and why it is passed over."""

    vendor: Model
    name: str
    shut: Shut = ""
    shut_until: float = 0.0
    busy_in_a_row: int = 0
    told: str = ""

    def is_open(self) -> bool:
        if self.shut and self.shut_until <= monotonic():
            self.shut = ""
        return not self.shut

    def close(self, why: Shut, seconds: float, told: str) -> None:
        self.shut, self.shut_until, self.told = why, monotonic() + seconds, told

    def note(self, fault: ModelFault) -> None:
        """Remember what a fault says of this model."""
        told = f"{self.name}: {fault}"
        match fault:
            case BadKeyError():
                self.close("key", KEY_PAUSE_S, told)
            case UnknownModelError():
                self.close("unknown", UNKNOWN_PAUSE_S, told)
            case QuotaSpentError():
                self.close("quota", QUOTA_PAUSE_S if fault.after is None else fault.after, told)
            case BusyError():
                # many jobs may hear of one overload at the same time: it counts once
                if self.is_open():
                    self.busy_in_a_row += 1
                pause = min(2.0 ** (self.busy_in_a_row - 1), LONGEST_BUSY_S)
                self.close("busy", pause if fault.after is None else fault.after, told)


class Chain:
    """Models in order of preference. Shared by all jobs of the process, so that what one learns serves all."""

    def __init__(
        self, models: Sequence[tuple[Model, str]], call_timeout_s: float, budget: DailyBudget | None = None
    ) -> None:
        self._links = tuple(Link(vendor, name) for vendor, name in models)
        self._call_timeout_s = call_timeout_s
        self._budget = budget or DailyBudget(None)
        self._refused_by: set[Model] = set()

    async def ask(self, system: str, turns: tuple[Turn, ...], ledger: Ledger) -> Answer:
        """The first usable answer.

        Raises SpentError, or as an outcome of the stage: Pause (bad key, quotas or the day's budget spent, no model
        exists), Reject (refused by policy, or nothing usable came), Retry (all busy for longer than one waits here).
        """
        unusable = 0
        waited = 0.0
        busy = ""
        passed: set[Link] = set()
        while True:
            link = self._pick(passed)
            if link is None:
                waited += await self._wait(waited, ledger)
                continue
            try:
                room = ledger.room_for(system, turns)
                question = Question(system, turns, room, min(self._call_timeout_s, ledger.left_s()))
                return await self._call(link, question, ledger)
            except TimeSpentError:
                if busy:
                    raise Retry(f"no answer in time, {busy}", _patience()) from None
                raise
            except RefusedError as error:
                raise Reject(f"the model refused: {error}") from None
            except AnswerFault as error:
                unusable += 1
                passed.add(link)
                if unusable >= UNUSABLE_IN_A_ROW:
                    raise Reject(f"no usable answer in {unusable} calls, the last: {error}") from None
                if isinstance(error, RecitedError):
                    turns = _in_own_words(turns)
            except BusyError as error:
                link.note(error)
                busy = link.told
            except BadKeyError as error:
                self._refused_by.add(link.vendor)
                for other in self._links:
                    if other.vendor is link.vendor:
                        other.note(error)
            except ModelFault as error:
                link.note(error)

    async def probe(self) -> None:
        """Return when a job may be tried again: the key works, and some model's quota is not known to be spent.

        It costs nothing: models are listed, and that only where a key was refused. Raises what stands in the way.
        """
        self._check_budget()
        fault: ModelFault | None = None
        for vendor in tuple(self._refused_by):
            try:
                await vendor.probe()
            except ModelFault as error:
                fault = error
            else:
                self._accepted_by(vendor)
        usable = [link for link in self._links if link.vendor not in self._refused_by]
        if not any(link.is_open() or link.shut == "busy" for link in usable):
            raise fault or self._all_shut()

    async def _call(self, link: Link, question: Question, ledger: Ledger) -> Answer:
        """One call, counted."""
        try:
            answer = await link.vendor.ask(link.name, question)
        except ModelFault as error:
            outcome = type(error).__name__.removesuffix("Error").lower()
            metrics.MODEL_CALLS.labels(link.name, outcome).inc()
            log.warning("no answer from the model", model=link.name, fault=outcome, detail=str(error))
            if isinstance(error, AnswerFault | LostError):
                self._count(link, link.name, error.tokens if isinstance(error, AnswerFault) else Tokens(), ledger)
            raise
        metrics.MODEL_CALLS.labels(link.name, "answered").inc()
        self._count(link, answer.model, answer.tokens, ledger)
        link.busy_in_a_row = 0
        if link.vendor in self._refused_by:
            self._accepted_by(link.vendor)
        return answer

    def _count(self, link: Link, model: str, tokens: Tokens, ledger: Ledger) -> None:
        cost = ledger.add(model, tokens)
        self._budget.add(tokens)
        metrics.MODEL_TOKENS.labels(link.name, "input").inc(tokens.input)
        metrics.MODEL_TOKENS.labels(link.name, "output").inc(tokens.output)
        if cost is not None:
            metrics.MODEL_COST.labels(link.name).inc(cost)

    def _accepted_by(self, vendor: Model) -> None:
        self._refused_by.discard(vendor)
        for link in self._links:
            if link.vendor is vendor and link.shut == "key":
                link.shut = ""

    def _pick(self, passed: set[Link]) -> Link | None:
        """The best model that is open, those `passed` already last; None when one has to wait. Raises Pause."""
        self._check_budget()
        usable = [link for link in self._links if link.is_open()]
        if not usable:
            if not any(link.shut == "busy" for link in self._links):
                raise self._all_shut()
            return None
        if passed.issuperset(usable):
            passed.clear()
        return next(link for link in usable if link not in passed)

    async def _wait(self, waited: float, ledger: Ledger) -> float:
        """Sleep until a busy model opens; the seconds that it took. Raises Retry when that is too long."""
        first = min((link for link in self._links if link.shut == "busy"), key=lambda link: link.shut_until)
        seconds = max(0.0, first.shut_until - monotonic())
        if waited + seconds > LONGEST_WAIT_S or seconds > ledger.left_s():
            raise Retry(f"every model is busy, {first.told}", max(seconds, _patience()))
        await asyncio.sleep(seconds)
        return seconds

    def _check_budget(self) -> None:
        if self._budget.exhausted():
            raise Pause(f"the {self._budget.limit} tokens of this day are spent (DAILY_TOKEN_BUDGET)")

    def _all_shut(self) -> Pause:
        """Why no model can be asked for long: a fault that would hit every job."""
        told = "; ".join(dict.fromkeys(link.told for link in self._links))
        kinds = {link.shut for link in self._links}
        if kinds == {"unknown"}:
            return Pause(f"none of the models exists (GEMINI_MODELS): {told}")
        if "key" in kinds:
            return Pause(f"the model's key was refused: {told}")
        return Pause(f"the quota of every model is spent: {told}")


def _patience() -> float:
    """Seconds until the next attempt at a job: 8, 16, 32, ..., so that all attempts together bear ten minutes."""
    return float(8.0 * 2.0 ** (current_attempt() - 1))


def _in_own_words(turns: tuple[Turn, ...]) -> tuple[Turn, ...]:
    last = turns[-1]
    return turns if last.text.endswith(_OWN_WORDS) else (*turns[:-1], replace(last, text=last.text + _OWN_WORDS))
