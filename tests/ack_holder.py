"""A proxy in front of the broker that can hold back the clients' acks: everything else passes as it is.

Frames as in AMQP 0-9-1, section 4.2.3: type (1 byte), channel (2), size (4), payload, end (1).
"""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit, urlunsplit

_HEADER = struct.Struct(">BHL")
_METHOD = 1
_BASIC_ACK = struct.pack(">HH", 60, 80)


class AckHolder:
    """`url` leads to the broker through the proxy. While `holding`, acks are swallowed and `held` counts them."""

    def __init__(self, url: str) -> None:
        self.holding = False
        self.held = 0
        self.first_held = asyncio.Event()
        self.url = ""
        self._target = urlsplit(url)
        self._pipes: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(self._target.hostname, self._target.port)
        for pipe in (self._to_broker(reader, back), self._to_client(there, writer)):
            task = asyncio.create_task(pipe)
            self._pipes.add(task)
            task.add_done_callback(self._pipes.discard)

    async def _to_broker(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            writer.write(await reader.readexactly(8))  # protocol header
            while True:
                header = await reader.readexactly(_HEADER.size)
                kind, _, size = _HEADER.unpack(header)
                rest = await reader.readexactly(size + 1)
                if self.holding and kind == _METHOD and rest.startswith(_BASIC_ACK):
                    self.held += 1
                    self.first_held.set()
                    continue
                writer.write(header + rest)
                await writer.drain()
        writer.close()

    async def _to_client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def aclose(self) -> None:
        for pipe in set(self._pipes):
            pipe.cancel()
        await asyncio.gather(*self._pipes, return_exceptions=True)


@asynccontextmanager
async def holding_acks(url: str) -> AsyncIterator[AckHolder]:
    """The proxy while the block runs; it lets everything pass until `holding` is set."""
    holder = AckHolder(url)
    server = await asyncio.start_server(holder.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    parts = urlsplit(url)
    credentials = parts.netloc.rpartition("@")[0]
    holder.url = urlunsplit(parts._replace(netloc=f"{credentials}@127.0.0.1:{port}"))
    try:
        yield holder
    finally:
        server.close()
        await holder.aclose()
