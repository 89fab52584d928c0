"""The stage runtime: consume, work, publish the next event, report, ack. In that order, always.

A stage is one async function from an event to the next event. It returns the next event (or None at the end of the
path) or raises one of the four outcomes below; anything else that it raises is retried like Retry.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, TypeVar

import structlog
from aio_pika.abc import AbstractIncomingMessage
from aio_pika.exceptions import AMQPError
from structlog.contextvars import bound_contextvars

from slipway_common import metrics
from slipway_common.bus import BROKER_ERRORS, Bus, Consumer, PublishError
from slipway_common.credentials import blotted
from slipway_common.delivery import Delivery, begin_attempt, origin_headers
from slipway_common.events import (
    AnyEvent,
    Budget,
    EventData,
    EventTooLargeError,
    Progress,
    UnreadableEventError,
    WorkEvent,
    dump_event,
    read_event,
)
from slipway_common.topology import DEAD_EXCHANGE, WORK_EXCHANGE, delay_name, delay_tier

log = structlog.get_logger()

PROBE_PAUSE_S = (1.0, 2.0, 5.0, 10.0, 30.0)
MAX_BACKOFF_S = 256.0
GIVE_BACK_PAUSE_S = 1.0


class Outcome(Exception):
    """Base of what a stage can say instead of returning the next event."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Retry(Outcome):
    """It may work later: try again after `after` seconds (default: 1, 2, 4, ... by attempt). Counts as an attempt."""

    def __init__(self, reason: str, after: float | None = None) -> None:
        super().__init__(reason)
        self.after = after


class Wait(Outcome):
    """It is not this job's turn: look again after `after` seconds. Counts as time, not as an attempt."""

    def __init__(self, reason: str, after: float) -> None:
        super().__init__(reason)
        self.after = after


class Reject(Outcome):
    """No retry can mend it: dead letter now."""


class Pause(Outcome):
    """The fault is ours and would hit every job (bad key, spent quota): stop consuming until the probe succeeds."""


EventT = TypeVar("EventT", bound=EventData)
ToolsT = TypeVar("ToolsT")


@dataclass(frozen=True)
class Stage(Generic[EventT, ToolsT]):
    """One step of the path.

    `working` is the job state while it runs (None: not reported). A run is stopped after `time_limit_s`. An event is
    given up after `attempts` attempts, or `give_up_after_s` seconds after its first failure, whichever is set.
    `probe` is called while paused: it raises while the fault is still there. `budgets` tells what has been used of the
    outside world's limits; it travels with every event and report, and so comes to /status.
    """

    name: str
    consumes: type[EventT]
    run: Callable[[EventT, ToolsT], Awaitable[WorkEvent | None]]
    time_limit_s: float
    working: str | None = None
    attempts: int | None = 6
    give_up_after_s: float | None = None
    probe: Callable[[ToolsT], Awaitable[None]] | None = None
    budgets: Callable[[ToolsT], tuple[Budget, ...]] | None = None


class StageRunner(Generic[EventT, ToolsT]):
    """Runs one stage on one queue with a bounded number of events in hand."""

    def __init__(
        self,
        stage: Stage[EventT, ToolsT],
        tools: ToolsT,
        bus: Bus,
        *,
        version: str,
        concurrency: int,
        mask: Callable[[str], str] = blotted,
    ) -> None:
        """`mask` blots secrets out of whatever an error says before it goes into events and headers."""
        self.paused = ""
        self._mask = mask
        self._stage = stage
        self._tools = tools
        self._bus = bus
        self._version = version
        self._draining = False
        self._in_hand: set[asyncio.Task[None]] = set()
        self._background: set[asyncio.Task[None]] = set()
        self._consumer = Consumer(bus, stage.consumes.type, self._take, prefetch=concurrency)

    async def run(self) -> None:
        """Consume until cancelled."""
        await self._consumer.run()

    async def drain(self, grace_s: float) -> None:
        """Take nothing new, finish what is in hand within `grace_s` seconds; the rest goes back with the channel."""
        self._draining = True
        self._consumer.pause()
        for task in self._background:
            task.cancel()
        if self._in_hand:
            await asyncio.wait(self._in_hand, timeout=grace_s)
        for task in self._in_hand:
            task.cancel()

    async def not_ready(self) -> str:
        """What keeps the stage from consuming, or an empty string."""
        if self._draining:
            return "draining"
        if self.paused:
            return f"paused: {self.paused}"
        if not self._consumer.connected:
            return "not connected to the broker"
        return "" if self._consumer.registered else "consumer not registered"

    async def _take(self, message: AbstractIncomingMessage) -> None:
        # messages already on the wire when the consumer was cancelled still arrive; unacked, they go back
        if self._draining:
            return
        task = asyncio.create_task(self._handle(message))
        self._in_hand.add(task)
        task.add_done_callback(self._in_hand.discard)

    async def _handle(self, message: AbstractIncomingMessage) -> None:
        delivery = Delivery.of(message.headers, redelivered=bool(message.redelivered))
        try:
            try:
                event = read_event(message.body)
                if not isinstance(event.data, self._stage.consumes):
                    raise UnreadableEventError(f"type: {event.data.type} in the queue {self._stage.consumes.type}")
            except UnreadableEventError as error:
                await self._bury(message.body, delivery.failed(), error, None, "")
            else:
                if self.paused:
                    # taken before the consumer was gone: give it back through the shortest delay, nothing burnt
                    await self._delay(message.body, delivery, 1.0)
                else:
                    with bound_contextvars(job=event.data.job.id, task=event.data.job.task, round=event.data.job.round):
                        await self._work(message.body, event.data, event.traceparent, delivery)
            await message.ack()
        except (AMQPError, *BROKER_ERRORS, PublishError) as error:
            # the delivery tag died with its channel, or nothing could be published: the message comes again
            log.warning("event not settled, it comes again", error=type(error).__name__, reason=str(error)[:200])
            await self._give_back(message)
        except Exception as error:
            # a fault of the runtime itself must not leave the message in limbo
            log.error("event not settled, it comes again", exc_info=error)
            await self._give_back(message)

    async def _give_back(self, message: AbstractIncomingMessage) -> None:
        """Return a message, but not before a publish can succeed again.

        Every return counts towards the delivery limit: returned at once, it would come back and fail at once, and an
        alarm of the broker would kill innocent events within a second.
        """
        while True:
            await asyncio.sleep(GIVE_BACK_PAUSE_S)
            if self._draining or await self._bus.accepts():
                break
        try:
            await message.reject(requeue=True)
        except (AMQPError, *BROKER_ERRORS):
            return

    async def _work(self, body: bytes, data: EventT, traceparent: str, delivery: Delivery) -> None:
        stage = self._stage
        begin_attempt(delivery)
        started = asyncio.get_running_loop().time()
        if stage.working:
            await self._report(data, stage.working, traceparent, attempt=delivery.attempt)
        outcome = "done"
        try:
            async with asyncio.timeout(stage.time_limit_s):
                following = await stage.run(data, self._tools)
            if following is not None:
                await self._pass_on(following, traceparent)
        except Wait as wait:
            outcome = "waiting"
            await self._report(data, "waiting", traceparent, message=self._reason(wait), attempt=delivery.attempt)
            await self._delay(body, delivery, wait.after)
        except Pause as pause:
            outcome = "paused"
            self._pause(self._reason(pause))
            await self._report(data, "paused", traceparent, message=self._reason(pause), attempt=delivery.attempt)
            await self._delay(body, delivery, 1.0)
        except (Reject, EventTooLargeError) as error:
            outcome = "dead"
            await self._bury(body, delivery.failed(), error, data, traceparent)
        except (PublishError, asyncio.CancelledError):
            outcome = "given back"
            raise
        except Exception as error:  # noqa: BLE001 (whatever it is: bounded retries, then a dead letter)
            outcome = await self._retry_or_bury(body, delivery.failed(), error, data, traceparent)
        finally:
            seconds = asyncio.get_running_loop().time() - started
            metrics.STAGE_SECONDS.labels(stage.name, outcome).observe(seconds)
        log.info(f"{stage.name} {outcome}", seconds=round(seconds, 3), attempt=delivery.attempt)

    async def _retry_or_bury(
        self, body: bytes, delivery: Delivery, error: Exception, data: EventData, traceparent: str
    ) -> str:
        if self._spent(delivery):
            await self._bury(body, delivery, error, data, traceparent)
            return "dead"
        if not isinstance(error, Retry | TimeoutError):
            log.error("unexpected error in a stage", exc_info=error)
        wished = error.after if isinstance(error, Retry) else None
        after = wished if wished is not None else min(2.0 ** (delivery.attempt - 1), MAX_BACKOFF_S)
        await self._report(
            data,
            "retrying",
            traceparent,
            message=f"{self._reason(error)}; again in {after:g} s",
            error=type(error).__name__,
            attempt=delivery.attempt,
        )
        await self._delay(body, delivery.next_attempt(), after)
        return "retrying"

    def _spent(self, delivery: Delivery) -> bool:
        stage = self._stage
        if stage.attempts is not None and delivery.attempt >= stage.attempts:
            return True
        if stage.give_up_after_s is None or delivery.first_failure is None:
            return False
        return (datetime.now(UTC) - delivery.first_failure).total_seconds() >= stage.give_up_after_s

    def _budgets(self) -> tuple[Budget, ...]:
        return self._stage.budgets(self._tools) if self._stage.budgets else ()

    async def _pass_on(self, following: WorkEvent, traceparent: str) -> None:
        following = following.model_copy(update={"budgets": self._budgets()})
        body = dump_event(following, source=self._stage.name, traceparent=traceparent)
        await self._bus.publish(WORK_EXCHANGE, following.type, body, event_type=following.type)
        await self._bus.write_history(body, event_type=following.type)

    async def _delay(self, body: bytes, delivery: Delivery, after_s: float) -> None:
        exchange = delay_name(delay_tier(after_s))
        queue = self._stage.consumes.type
        await self._bus.publish(exchange, queue, body, event_type=queue, headers=delivery.headers())

    async def _bury(
        self, body: bytes, delivery: Delivery, error: Exception, data: EventData | None, traceparent: str
    ) -> None:
        """Publish a dead letter: the event as it was, what happened to it in the headers."""
        queue = self._stage.consumes.type
        headers = delivery.headers() | origin_headers(
            self._stage.name, self._version, type(error).__name__, self._reason(error)
        )
        await self._bus.publish(DEAD_EXCHANGE, queue, body, event_type=queue, headers=headers)
        metrics.DEAD_LETTERS.labels(self._stage.name).inc()
        log.error("dead letter", queue=f"{queue}.dead", error=type(error).__name__, reason=self._reason(error))
        if data is not None:
            await self._report(
                data,
                "dead",
                traceparent,
                message=self._reason(error),
                error=type(error).__name__,
                attempt=delivery.attempt,
            )

    async def _report(
        self, data: EventData, state: str, traceparent: str, *, message: str = "", error: str = "", attempt: int = 1
    ) -> None:
        progress = Progress.model_validate(
            {"job": data.job, "hand_backs": data.hand_backs, "service": self._stage.name, "state": state,
             "message": message[:2000], "error": error, "attempt": attempt, "budgets": self._budgets()}
        )  # fmt: skip
        await self._publish_history(progress, traceparent)

    async def _publish_history(self, data: AnyEvent, traceparent: str) -> None:
        body = dump_event(data, source=self._stage.name, traceparent=traceparent)
        await self._bus.write_history(body, event_type=data.type)

    def _pause(self, reason: str) -> None:
        if self.paused:
            return
        self.paused = reason
        self._consumer.pause()
        log.error("paused", reason=reason)
        metrics.PAUSED.labels(self._stage.name).set(1)
        task = asyncio.create_task(self._probe_until_well())
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def _probe_until_well(self) -> None:
        pause = iter(PROBE_PAUSE_S)
        while True:
            await asyncio.sleep(next(pause, PROBE_PAUSE_S[-1]))
            try:
                if self._stage.probe is not None:
                    await self._stage.probe(self._tools)
            except Exception as error:  # noqa: BLE001 (whatever it is: still not well)
                log.warning("still paused", reason=self._reason(error))
            else:
                break
        self.paused = ""
        metrics.PAUSED.labels(self._stage.name).set(0)
        log.info("resumed")
        self._consumer.resume()

    def _reason(self, error: Exception) -> str:
        if isinstance(error, Outcome):
            return self._mask(error.reason)
        if isinstance(error, TimeoutError) and not str(error):
            return "the stage's time limit was reached"
        return self._mask(f"{type(error).__name__}: {error}")
