"""Reads the stream `task.history` into the projection, from where it stopped, across lost connections."""

import asyncio
import json
import uuid
from typing import Any, Literal

import structlog
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage
from aio_pika.exceptions import ChannelNotFoundEntity

from slipway_common.bus import BROKER_ERRORS, RECONNECT_S, Bus, PublishError
from slipway_common.topology import HISTORY
from slipway_intake.history_entry import MARKER, MARKER_TYPE, OFFSET, EntryReader, Position
from slipway_intake.projection import Projection, ProjectionLostError

log = structlog.get_logger()

# prefetch and acks are mandatory on a stream; events may be 12 MiB each, so the number in hand bounds the memory
_IN_HAND = 16
_MARKER_S = 20.0


class HistoryReader:
    """Keeps the projection up with the history. `caught_up` once it has read up to a marker that it published itself.

    It takes up reading with the very message at which it stopped: when another one stands there, the stream is not the
    one that the projection was made from, and the projection is rebuilt.
    """

    def __init__(self, bus: Bus, projection: Projection) -> None:
        self.caught_up = False
        self._bus = bus
        self._projection = projection

    async def run(self) -> None:
        """Read until cancelled."""
        pause = iter(RECONNECT_S)
        while True:
            try:
                async with self._bus.open_channel("history", prefetch=_IN_HAND) as channel:
                    pause = iter(RECONNECT_S)
                    await self._read(channel)
            except ChannelNotFoundEntity:  # a broker that came back empty
                await self._bus.connect()
            except ProjectionLostError as lost:
                log.warning("projection rebuilt from the history", reason=str(lost))
                await asyncio.to_thread(self._projection.rebuild)
                continue
            except (*BROKER_ERRORS, PublishError) as error:
                log.warning("lost the history", error=type(error).__name__)
            finally:
                self.caught_up = False
            await asyncio.sleep(next(pause, RECONNECT_S[-1]))

    async def not_ready(self) -> str:
        """What keeps the projection from being up to date, or an empty string."""
        return "" if self.caught_up else "the history is still being read"

    async def _read(self, channel: AbstractChannel) -> None:
        """Until the channel is gone."""
        stopped_at = await asyncio.to_thread(self._projection.position)
        marker, end = await self._mark_the_end(channel)
        if stopped_at is not None and end <= stopped_at.offset:
            # asked for an offset that it has not reached, the broker would stay silent until it has
            raise ProjectionLostError("the broker's history is another one, it is shorter")
        arrived: asyncio.Queue[AbstractIncomingMessage] = asyncio.Queue()
        queue = await channel.get_queue(HISTORY, ensure=False)
        await queue.consume(arrived.put, arguments={OFFSET: stopped_at.offset if stopped_at else "first"})
        closed = asyncio.ensure_future(channel.closed())
        entry_reader = EntryReader()
        first = True
        try:
            while messages := await _batch(arrived, closed):
                entries = await asyncio.to_thread(entry_reader.read, messages)
                if first:
                    _check_same_stream(stopped_at, entries[0].position)
                    first = False
                await asyncio.to_thread(self._projection.apply, entries)
                await messages[-1].ack(multiple=True)
                if any(entry.marker == marker for entry in entries):
                    self.caught_up = True
                    log.info("history read", offset=entries[-1].position.offset)
        finally:
            closed.cancel()

    async def _mark_the_end(self, channel: AbstractChannel) -> tuple[str, int]:
        """Publish a marker; its name, and the offset at which it stands."""
        marker = str(uuid.uuid4())
        body = json.dumps({"marker": marker}).encode()
        found: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        async def look(message: AbstractIncomingMessage) -> None:
            await message.ack()
            offset = message.headers.get(OFFSET)
            if message.headers.get(MARKER) == marker and isinstance(offset, int) and not found.done():
                found.set_result(offset)

        queue = await channel.get_queue(HISTORY, ensure=False)
        tag = await queue.consume(look, arguments={OFFSET: "next"})
        await self._bus.write_history(body, event_type=MARKER_TYPE, headers={MARKER: marker})
        async with asyncio.timeout(_MARKER_S):
            offset = await found
        await queue.cancel(tag)
        return marker, offset


def _check_same_stream(stopped_at: Position | None, found: Position) -> None:
    """Raises ProjectionLostError when the projection was made from another stream.

    A greater offset than that asked for is no reason: retention took the old end away.
    """
    if stopped_at is not None and found != stopped_at and found.offset <= stopped_at.offset:
        raise ProjectionLostError("the broker's history is another one")


async def _batch(
    arrived: asyncio.Queue[AbstractIncomingMessage], closed: asyncio.Future[Literal[True]]
) -> list[AbstractIncomingMessage]:
    """What has arrived, at least one message; nothing once the channel is closed."""
    first = asyncio.ensure_future(arrived.get())
    waiting: set[asyncio.Future[Any]] = {first, closed}
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    if not first.done():
        first.cancel()
        return []
    messages = [first.result()]
    while not arrived.empty():
        messages.append(arrived.get_nowait())
    return messages
