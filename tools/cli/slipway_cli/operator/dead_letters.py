"""Dead letters: looked at without being taken, replayed or dropped one at a time.

A letter is taken without ack and given back in order, with reject and requeue: an inspection never costs one. The
queues' delivery limit is out of reach (see the topology), so that it bears any number of inspections.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass

from aio_pika.abc import AbstractChannel, AbstractIncomingMessage

from slipway_cli.operator.errors import OperatorError
from slipway_cli.operator.letter import Address, Letter, read_letter
from slipway_common.bus import BROKER_ERRORS, Bus, PublishError
from slipway_common.events import Progress, dump_event
from slipway_common.topology import WORK_EXCHANGE, WORK_QUEUES, dead_queue

DEFAULT_LIMIT = 1000


@dataclass(frozen=True)
class Opened:
    """A letter with all that is in it."""

    letter: Letter
    headers: Mapping[str, object]
    body: bytes


async def list_letters(bus: Bus, queues: Sequence[str] = WORK_QUEUES, limit: int = DEFAULT_LIMIT) -> list[Letter]:
    """The first `limit` letters of each queue."""
    found = []
    for queue in queues:
        async with _hand(bus, queue) as hand:
            found += [held.letter async for held in hand.take(limit)]
    return found


async def open_letter(bus: Bus, address: Address, limit: int = DEFAULT_LIMIT) -> Opened:
    """One letter in full; it stays where it is. Raises OperatorError unless exactly one is meant."""
    async with _the_one(bus, address, limit) as held:
        return Opened(held.letter, dict(held.message.headers), held.message.body)


async def replay_letter(bus: Bus, address: Address, limit: int = DEFAULT_LIMIT) -> Letter:
    """Send one letter back to the queue that it died in, as new: same bytes, no headers of its past, attempt 1.

    It leaves the dead letters only after the broker has confirmed it in its queue: cut off in between it is in both,
    which is harmless, because every effect is idempotent by job. Raises OperatorError.
    """
    async with _the_one(bus, address, limit) as held:
        letter = held.letter
        try:
            await bus.publish(
                WORK_EXCHANGE, letter.queue, held.message.body, event_type=held.message.type or letter.queue
            )
        except PublishError as error:
            raise OperatorError(f"{letter.name} is still a dead letter: {error}") from None
        await held.settle()
        return letter


async def drop_letter(bus: Bus, address: Address, limit: int = DEFAULT_LIMIT) -> Letter:
    """Remove one letter for good; the history says that its job was dropped. Raises OperatorError."""
    async with _the_one(bus, address, limit) as held:
        letter = held.letter
        if letter.job is not None:
            report = Progress(
                job=letter.job, hand_backs=letter.hand_backs, service="operator", state="dropped",
                message=f"dropped by the operator from {dead_queue(letter.queue)}",
            )  # fmt: skip
            try:
                await bus.write_history(dump_event(report, source="operator"), event_type=report.type)
            except PublishError as error:
                raise OperatorError(f"{letter.name} is still a dead letter: {error}") from None
        await held.settle()
        return letter


@dataclass(frozen=True)
class _HeldLetter:
    """A letter in our hand, unacknowledged."""

    letter: Letter
    message: AbstractIncomingMessage
    hand: "_Hand"

    async def settle(self) -> None:
        """Take it out of the dead letters."""
        await self.message.ack()
        self.hand.forget(self.message)


class _Hand:
    """What we hold of one dead-letter queue."""

    def __init__(self, channel: AbstractChannel, queue: str) -> None:
        self._channel = channel
        self._queue = queue
        # tags, not messages: a thousand events of 12 MiB would not fit into memory
        self._tags: list[int] = []

    async def take(self, limit: int) -> AsyncIterator[_HeldLetter]:
        queue = await self._channel.get_queue(dead_queue(self._queue), ensure=False)
        for position in range(1, limit + 1):
            message = await queue.get(fail=False)
            if message is None:
                return
            if message.delivery_tag is not None:
                self._tags.append(message.delivery_tag)
            yield _HeldLetter(read_letter(self._queue, position, message), message, self)

    def forget(self, message: AbstractIncomingMessage) -> None:
        if message.delivery_tag is not None:
            self._tags.remove(message.delivery_tag)

    async def give_back(self) -> None:
        """All of it in the order in which it was taken, so that every letter stands in its place again."""
        underlay = await self._channel.get_underlay_channel()
        for tag in self._tags:
            # reject: a nack, or a channel that is simply closed, is counted differently by broker versions
            await underlay.basic_reject(tag, requeue=True, wait=False)


@asynccontextmanager
async def _hand(bus: Bus, queue: str) -> AsyncIterator[_Hand]:
    async with bus.open_channel("dead letters") as channel:
        hand = _Hand(channel, queue)
        try:
            yield hand
        finally:
            with suppress(*BROKER_ERRORS):  # a channel that is gone has given everything back
                await hand.give_back()


@asynccontextmanager
async def _the_one(bus: Bus, address: Address, limit: int) -> AsyncIterator[_HeldLetter]:
    """The only letter that is meant, to be settled or not; all others go back as they are."""
    async with AsyncExitStack() as stack:
        meant: list[_HeldLetter] = []
        unseen = ""
        for queue in address.queues:
            hand = await stack.enter_async_context(_hand(bus, queue))
            async for held in hand.take(address.position or limit):
                if address.means(held.letter):
                    meant.append(held)
                if held.letter.position == limit:
                    unseen = f" among the first {limit}; --limit looks further"
        if not meant:
            raise OperatorError(f"{address.text}: no such dead letter{unseen}; `dead-letters list` shows them")
        if len(meant) > 1:
            names = ", ".join(held.letter.name for held in meant)
            raise OperatorError(f"{address.text}: {len(meant)} dead letters are meant ({names}); name one of these")
        yield meant[0]
