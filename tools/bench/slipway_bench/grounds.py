"""What a run of benchmarks stands on: its folder, a broker of its own, a browser; each brought when first asked for."""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from slipway_bench.figures import NotMeasuredError
from slipway_cli.broker import Broker, choose_broker
from slipway_cli.cdn import ensure_mirror
from slipway_cli.chromium import find_or_install
from slipway_cli.examples import replies
from slipway_cli.node import node_for_driver
from slipway_cli.rabbitmq_node import RabbitmqNode
from slipway_cli.rabbitmq_program import Say
from slipway_cli.stack import EXAMPLES, VAR


@dataclass(frozen=True)
class BrowserParts:
    """A Chromium that works, and the packages that stand in for CDNs."""

    chromium: Path
    mirror: Path | None


class Grounds:
    """Use it in `async with grounds(...)`: what was started is gone afterwards."""

    def __init__(self, folder: Path, *, quick: bool, say: Say) -> None:
        self.folder = folder
        self.quick = quick
        self.say = say
        self._stack = AsyncExitStack()
        self._broker: Broker | None = None
        self._vhosts = 0

    async def broker(self) -> Broker:
        """A broker of this run's own, on loopback and free ports. AMQP_URL is not read: it may be in use.

        Raises BrokerError, NodeError.
        """
        if self._broker is None:
            # The threads of to_thread live until the event loop ends, and so does what they start (see `lifeline`).
            nothing: Mapping[str, str] = {}
            broker = await asyncio.to_thread(choose_broker, self.folder / "broker", VAR, nothing, self.say)
            await asyncio.to_thread(broker.discard)
            self._stack.push_async_callback(asyncio.to_thread, broker.discard)
            await asyncio.to_thread(broker.start)
            self._broker = broker
        return self._broker

    async def node(self) -> RabbitmqNode:
        """The same as a process that can be killed. Raises NotMeasuredError where the broker is a container."""
        broker = await self.broker()
        if not isinstance(broker, RabbitmqNode):
            raise NotMeasuredError("the broker is a container, which is not killed here; install rabbitmq-server")
        return broker

    async def vhost(self) -> str:
        """The AMQP address of a vhost in which nothing has happened yet."""
        broker = await self.broker()
        self._vhosts += 1
        name = f"bench-{self._vhosts}"
        await asyncio.to_thread(broker.add_vhost, name)
        return broker.url_of(name)

    async def browser(self) -> BrowserParts:
        """Chromium for this process; its driver is told where its node is. Raises NotMeasuredError without one."""
        found = await asyncio.to_thread(find_or_install, VAR, os.environ, self.say)
        if found.path is None:
            raise NotMeasuredError(f"there is no browser: {found.reason}")
        node = await asyncio.to_thread(node_for_driver, VAR)
        if node:
            os.environ["PLAYWRIGHT_NODEJS_PATH"] = str(node)
        mirror = await asyncio.to_thread(ensure_mirror, VAR, replies(EXAMPLES), self.say)
        return BrowserParts(found.path, mirror)

    async def close(self) -> None:
        await self._stack.aclose()


@asynccontextmanager
async def grounds(folder: Path, *, quick: bool, say: Say) -> AsyncIterator[Grounds]:
    """The grounds while the block runs."""
    made = Grounds(folder, quick=quick, say=say)
    try:
        yield made
    finally:
        await asyncio.shield(made.close())
