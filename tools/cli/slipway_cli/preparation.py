"""What has to be there before services start: a broker, a browser, a mirror of CDN libraries; got side by side."""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from slipway_cli.broker import Broker, BrokerError, GivenBroker, choose_broker
from slipway_cli.cdn import ensure_mirror
from slipway_cli.chromium import Browser
from slipway_cli.chromium import find_or_install as find_chromium
from slipway_cli.examples import replies
from slipway_cli.node import node_for_driver
from slipway_cli.rabbitmq_access import remove_vhost_over_http
from slipway_cli.rabbitmq_program import Say
from slipway_cli.stack import EXAMPLES, VAR


@dataclass(frozen=True)
class Prepared:
    """A running broker and what the generator proves apps with."""

    broker: Broker
    browser: Browser
    node: Path | None
    mirror: Path | None


@asynccontextmanager
async def prepared(
    folder: Path, environment: Mapping[str, str], say: Say, *, keep_data: bool
) -> AsyncIterator[Prepared]:
    """Runs a broker with its data in `folder` while the block runs, and finds or installs the rest.

    Raises BrokerError, NodeError.
    """
    broker = await asyncio.to_thread(choose_broker, folder, VAR, environment, say, management=True)
    if not keep_data:
        await asyncio.to_thread(broker.discard)
    # The threads of to_thread live until the event loop ends, and so does what they start (see `lifeline`).
    start = asyncio.create_task(asyncio.to_thread(broker.start))
    try:
        browser = await asyncio.to_thread(find_chromium, VAR, environment, say)
        node = await asyncio.to_thread(node_for_driver, VAR) if browser.path else None
        mirror = await asyncio.to_thread(ensure_mirror, VAR, replies(EXAMPLES), say)
        await asyncio.shield(start)
        yield Prepared(broker, browser, node, mirror)
    finally:
        await asyncio.wait({start})
        await asyncio.to_thread(broker.stop if keep_data else broker.discard)


@asynccontextmanager
async def fresh_vhost(broker: Broker, say: Say) -> AsyncIterator[str]:
    """The AMQP address of a vhost in which nothing has happened yet."""
    if not isinstance(broker, GivenBroker):
        yield broker.url  # the node itself is new
        return
    vhost = f"slipway-{uuid.uuid4().hex[:12]}"
    try:
        await asyncio.to_thread(broker.add_vhost, vhost)
    except (BrokerError, httpx.HTTPError) as error:
        say(f"the vhost of AMQP_URL is used as it is, with whatever lies in its queues ({error})")
        yield broker.url
        return
    try:
        yield broker.url_of(vhost)
    finally:
        with contextlib.suppress(httpx.HTTPError):
            url = str(broker.management_url)
            await asyncio.to_thread(remove_vhost_over_http, url, broker.user, broker.password, vhost)
