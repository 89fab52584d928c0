"""The connection to RabbitMQ: publishing that knows what the broker has, consuming that knows whether it consumes.

Publishing and consuming have a connection each, because a memory or disk alarm stops the broker from reading a
publishing connection, acks on it included (RabbitMQ documentation, "Memory and disk alarms").
"""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from types import TracebackType
from typing import Self

import aio_pika
import structlog
from aio_pika.abc import (
    AbstractChannel,
    AbstractConnection,
    AbstractExchange,
    AbstractIncomingMessage,
    DeliveryMode,
)
from aio_pika.exceptions import CONNECTION_EXCEPTIONS, ChannelNotFoundEntity, ChannelPreconditionFailed, DeliveryError

from slipway_common.events import CONTENT_TYPE
from slipway_common.topology import HISTORY, Topology, declare

log = structlog.get_logger()

CONNECT_TIMEOUT_S = 10.0
PUBLISH_TIMEOUT_S = 20.0
RECONNECT_S = (0.2, 0.5, 1.0, 2.0, 3.0)

BROKER_ERRORS = (*CONNECTION_EXCEPTIONS, asyncio.TimeoutError)
Handler = Callable[[AbstractIncomingMessage], Awaitable[None]]


class PublishError(Exception):
    """The broker did not confirm the message: it may or may not have it. Publishing again is safe, losing it is not."""


class Bus:
    """One process's access to the broker. Enter it as a context; `connect` waits until the broker is there."""

    def __init__(self, url: str, *, name: str, topology: Topology) -> None:
        self._url = url
        self._name = name
        self._topology = topology
        self._publishing: AbstractConnection | None = None
        self._channel: AbstractChannel | None = None
        self._exchanges: dict[str, AbstractExchange] = {}
        self._opening = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._publishing is not None:
            with suppress(*BROKER_ERRORS):
                await asyncio.wait_for(self._publishing.close(), 2)

    async def connect(self) -> None:
        """Wait for the broker, as long as it takes, and declare the topology."""
        pause = iter(RECONNECT_S)
        while True:
            try:
                async with self.open_channel("setup") as channel:
                    await declare(channel, self._topology)
                await self._publisher()
            except ChannelPreconditionFailed as error:
                # waiting helps only if somebody mends it: say so, instead of ending in a crash loop
                log.error(
                    "the broker has this queue with other arguments, delete it or set them back", detail=_plain(error)
                )
                await asyncio.sleep(RECONNECT_S[-1])
            except BROKER_ERRORS as error:
                log.warning("broker not reachable, trying again", error=type(error).__name__, detail=_plain(error))
                await asyncio.sleep(next(pause, RECONNECT_S[-1]))
            else:
                return

    @asynccontextmanager
    async def open_channel(self, purpose: str, *, prefetch: int = 0) -> AsyncIterator[AbstractChannel]:
        """A channel on a connection of its own, closed at the end. Raises one of BROKER_ERRORS."""
        connection = await self._open(purpose)
        try:
            channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
            if prefetch:
                await channel.set_qos(prefetch_count=prefetch)
            yield channel
        finally:
            with suppress(*BROKER_ERRORS):
                await asyncio.wait_for(connection.close(), 2)

    async def publish(
        self,
        exchange: str,
        routing_key: str,
        body: bytes,
        *,
        event_type: str,
        headers: Mapping[str, str | int] | None = None,
    ) -> None:
        """Hand a message over; returns once every queue that it was routed to has it on disk.

        Raises PublishError when the broker refused it, could not route it, or did not confirm it in time.
        """
        message = aio_pika.Message(
            body,
            headers=dict(headers or {}),
            content_type=CONTENT_TYPE,
            type=event_type,
            app_id=self._name,
            # returns are matched by message id: a fresh one for every attempt
            message_id=str(uuid.uuid4()),
            delivery_mode=DeliveryMode.PERSISTENT,
        )
        try:
            # while the connection is down, the library's own timeout does not run
            async with asyncio.timeout(PUBLISH_TIMEOUT_S):
                target = await self._exchange(exchange)
                await target.publish(message, routing_key, mandatory=True)
        except DeliveryError as error:
            raise PublishError(f"the broker refused {event_type} for {routing_key}: {_plain(error)}") from None
        except BROKER_ERRORS as error:
            await self._drop_publisher()
            raise PublishError(f"{event_type} for {routing_key} is not confirmed: {type(error).__name__}") from None

    async def write_history(
        self, body: bytes, *, event_type: str, headers: Mapping[str, str | int] | None = None
    ) -> None:
        """Append to the stream. Raises PublishError."""
        await self.publish("", HISTORY, body, event_type=event_type, headers=headers)

    async def accepts(self) -> bool:
        """Whether a publish now could succeed: connected and not blocked by an alarm."""
        connection = self._publishing
        if connection is None or connection.is_closed:
            try:
                async with asyncio.timeout(1):
                    await self._publisher()
            except BROKER_ERRORS:
                return False
            connection = self._publishing
        try:
            async with asyncio.timeout(0.2):
                if connection is None or connection.transport is None:
                    return False
                await connection.transport.connection.ready()  # waits while an alarm blocks the connection
        except BROKER_ERRORS:
            return False
        return True

    async def _open(self, purpose: str) -> AbstractConnection:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            return await aio_pika.connect(self._url, client_properties={"connection_name": f"{self._name} {purpose}"})

    async def _publisher(self) -> AbstractChannel:
        async with self._opening:
            usable = self._publishing and not self._publishing.is_closed and self._channel
            if not usable or self._channel is None or self._channel.is_closed:
                await self._drop_publisher()
                self._publishing = await self._open("publish")
                self._channel = await self._publishing.channel(publisher_confirms=True, on_return_raises=True)
                self._exchanges = {}
            return self._channel

    async def _exchange(self, name: str) -> AbstractExchange:
        channel = await self._publisher()
        if name not in self._exchanges:
            self._exchanges[name] = await channel.get_exchange(name, ensure=False) if name else channel.default_exchange
        return self._exchanges[name]

    async def _drop_publisher(self) -> None:
        connection, self._publishing, self._channel = self._publishing, None, None
        if connection is not None and not connection.is_closed:
            with suppress(*BROKER_ERRORS):
                await asyncio.wait_for(connection.close(), 1)


class Consumer:
    """Keeps one consumer registered on one queue, across lost connections, until it is stopped.

    Messages are settled by the handler. `registered` tells whether the broker delivers to us right now.
    """

    def __init__(self, bus: Bus, queue: str, handler: Handler, *, prefetch: int) -> None:
        self.registered = False
        self.connected = False
        self._bus = bus
        self._queue = queue
        self._handler = handler
        self._prefetch = prefetch
        self._wanted = asyncio.Event()
        self._changed = asyncio.Event()
        self._wanted.set()

    def pause(self) -> None:
        """Stop taking new messages; those in hand can still be settled."""
        self._wanted.clear()
        self._changed.set()

    def resume(self) -> None:
        self._wanted.set()
        self._changed.set()

    async def run(self) -> None:
        """Consume until cancelled. Cancelling closes the channel: what is not settled goes back to the queue."""
        pause = iter(RECONNECT_S)
        while True:
            try:
                async with self._bus.open_channel("consume", prefetch=self._prefetch) as channel:
                    self.connected = True
                    pause = iter(RECONNECT_S)
                    await self._consume(channel)
            except ChannelNotFoundEntity:  # a broker that came back empty
                await self._bus.connect()
            except BROKER_ERRORS as error:
                log.warning("lost the broker", error=type(error).__name__, detail=_plain(error))
            finally:
                self.connected = self.registered = False
            await asyncio.sleep(next(pause, RECONNECT_S[-1]))

    async def _consume(self, channel: AbstractChannel) -> None:
        """Until the channel is gone, be registered while that is wanted."""
        queue = await channel.get_queue(self._queue, ensure=False)
        closed = asyncio.ensure_future(channel.closed())
        try:
            while not closed.done():
                self._changed.clear()
                if self._wanted.is_set() and not self.registered:
                    tag = await queue.consume(self._handler)
                    self.registered = True
                elif not self._wanted.is_set() and self.registered:
                    self.registered = False
                    await queue.cancel(tag)
                changed = asyncio.ensure_future(self._changed.wait())
                await asyncio.wait({closed, changed}, return_when=asyncio.FIRST_COMPLETED)
                changed.cancel()
        finally:
            closed.cancel()


def _plain(error: BaseException) -> str:
    """The error's text in one short line; connection errors of the client may carry the URL, which is cut off."""
    return str(error).split("amqp://", maxsplit=1)[0].split("amqps://", maxsplit=1)[0][:200]
