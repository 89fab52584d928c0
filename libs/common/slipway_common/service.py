"""How a service runs: settings, logs, bus, stage and health endpoints wired once, ended cleanly by SIGTERM."""

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass
from typing import Generic, TypeVar

import structlog
from aiohttp import web

from slipway_common.bus import Bus
from slipway_common.events import EventData
from slipway_common.health import Health, health_app
from slipway_common.logs import Masking, set_up_logs
from slipway_common.settings import CommonSettings, SettingsError
from slipway_common.stage import Stage, StageRunner
from slipway_common.topology import topology

log = structlog.get_logger()

SettingsT = TypeVar("SettingsT", bound=CommonSettings)
EventT = TypeVar("EventT", bound=EventData)
ToolsT = TypeVar("ToolsT")


@dataclass(frozen=True)
class Surroundings:
    """What the runtime hands to a service's own wiring. Routes are added to `app`, checks to `health`."""

    bus: Bus
    app: web.Application
    health: Health


@dataclass(frozen=True)
class Service(Generic[SettingsT, EventT, ToolsT]):
    """One service: its settings, what it needs while it runs, its stage."""

    name: str
    version: str
    settings: type[SettingsT]
    port: Callable[[SettingsT], int]
    concurrency: Callable[[SettingsT], int]
    stage: Callable[[SettingsT], Stage[EventT, ToolsT]]
    tools: Callable[[SettingsT, Surroundings], AbstractAsyncContextManager[ToolsT]]


def run(service: Service[SettingsT, EventT, ToolsT]) -> None:
    """Run until SIGTERM or SIGINT, then exit 0. A wrong setting ends it at once with one line and exit 2."""
    try:
        settings = service.settings.load()
    except SettingsError as error:
        sys.exit(_refuse(service.name, str(error)))
    asyncio.run(_serve(service, settings))


def _refuse(name: str, reason: str) -> int:
    sys.stderr.write(f"{name}: {reason}\n")
    return 2


async def _serve(service: Service[SettingsT, EventT, ToolsT], settings: SettingsT) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    lines = set_up_logs(service.name, service.version, level=settings.log_level, secrets=settings.secrets())
    health = Health()
    app = health_app(service.name, service.version, health, lines, settings.admin_token.get_secret_value())
    wanted = topology(settings.history_max_bytes, settings.history_max_age)
    bus = Bus(settings.amqp_url.get_secret_value(), name=service.name, topology=wanted)
    async with bus, service.tools(settings, Surroundings(bus, app, health)) as tools:
        stage = service.stage(settings)
        runner = StageRunner(
            stage,
            tools,
            bus,
            version=service.version,
            concurrency=service.concurrency(settings),
            mask=Masking(settings.secrets()),
        )
        health.add("stage", runner.not_ready)
        health.add("broker", _broker_check(bus))
        web_runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await web_runner.setup()
        site = web.TCPSite(web_runner, settings.bind_host, service.port(settings))
        try:
            await site.start()
            log.info("started", model=settings.slipway_model, forge=settings.slipway_forge, port=service.port(settings))
            consuming = asyncio.create_task(_consume(bus, runner))
            stopped = asyncio.create_task(stop.wait())
            await asyncio.wait({consuming, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if consuming.done():
                consuming.result()  # only ever an error: consuming has no end of its own
            await runner.drain(settings.shutdown_grace_s)
            consuming.cancel()
            with suppress(asyncio.CancelledError):
                await consuming
        finally:
            await web_runner.cleanup()
        log.info("stopped")


async def _consume(bus: Bus, runner: StageRunner[EventT, ToolsT]) -> None:
    await bus.connect()
    await runner.run()


def _broker_check(bus: Bus) -> Callable[[], Awaitable[str]]:
    async def check() -> str:
        return "" if await bus.accepts() else "the broker does not take messages"

    return check
