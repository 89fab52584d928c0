"""How soon it works again: after the broker is killed, and after each service is."""

import asyncio
import time
from typing import Annotated

import httpx

from slipway_bench.figures import Figures, Told
from slipway_bench.grounds import Grounds
from slipway_bench.world import World, running_world
from slipway_cli.job import RefusedError
from slipway_cli.rabbitmq_node import RabbitmqNode
from slipway_cli.stack import SERVICES

RECOVERY_S = 60.0
TURNED_AWAY_S = 0.1


class RecoveryFigures(Figures):
    """A killed service is started again at once, as `./run up` does; its times are from the kill."""

    calm_job_s: Annotated[float, Told("s", "baseline: a job while nothing is wrong")]
    broker_down_s: Annotated[float, Told("s", "kill -9 of the broker until it takes connections again")]
    broker_ready_s: Annotated[float, Told("s", "from then on until all services are ready")]
    broker_job_s: Annotated[float, Told("s", "from then on until a job, sent as soon as taken, is notified")]
    broker_ratio: Annotated[float, Told("", "that job / baseline")]
    service_ready_s: Annotated[dict[str, float], Told("s", "a killed service until it is ready")]
    service_job_s: Annotated[dict[str, float], Told("s", "until a job is notified that was sent right after the kill")]
    service_ratio: Annotated[dict[str, float], Told("", "that job / baseline")]


async def measure(grounds: Grounds) -> RecoveryFigures:
    node = await grounds.node()
    async with running_world(grounds.folder / "recovery", await grounds.vhost()) as world:
        await world.timed(2)
        calm = min([await world.timed(1) for _ in range(3)])
        down, ready, job = await _after_broker(world, node)
        services = ("generator",) if grounds.quick else SERVICES
        seen = {name: await _after_service(world, name) for name in services}
    return RecoveryFigures(
        calm_job_s=calm,
        broker_down_s=down, broker_ready_s=ready, broker_job_s=job, broker_ratio=job / calm,
        service_ready_s={name: its_ready for name, (its_ready, _) in seen.items()},
        service_job_s={name: its_job for name, (_, its_job) in seen.items()},
        service_ratio={name: its_job / calm for name, (_, its_job) in seen.items()},
    )  # fmt: skip


async def _after_broker(world: World, node: RabbitmqNode) -> tuple[float, float, float]:
    """Seconds of the broker's absence, then to all services ready, and to the next job notified."""
    start = time.time()
    await asyncio.to_thread(node.restart)
    back = time.time()
    notified = asyncio.create_task(_next_job(world))
    await asyncio.gather(*(world.stack.supervisor.wait_ready(child) for child in world.stack.supervisor.children))
    ready = time.time()
    return back - start, ready - back, await notified - back


async def _after_service(world: World, name: str) -> tuple[float, float]:
    """Seconds from the kill to ready, and to the next job notified."""
    start = time.time()
    again = await world.restart(name)
    notified = asyncio.create_task(_next_job(world))
    await world.stack.supervisor.wait_ready(again)
    ready = time.time()
    return ready - start, await notified - start


async def _next_job(world: World) -> float:
    """When a job was notified that is sent as soon as it is taken."""
    request = world.request()
    until = time.monotonic() + RECOVERY_S
    while True:
        try:
            await world.submit(request)
        except (RefusedError, httpx.TransportError) as error:
            if time.monotonic() > until:
                raise TimeoutError(f"no job is taken {RECOVERY_S:g} s after the restart: {error}") from None
            await asyncio.sleep(TURNED_AWAY_S)
        else:
            return await world.until_told([request], RECOVERY_S)
