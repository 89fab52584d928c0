"""Jobs through all four services, beside bare hops through the same broker: publish with confirm, consume, ack."""

import asyncio
import time
from statistics import median
from typing import Annotated

import aio_pika

from slipway_bench.figures import Figures, Told
from slipway_bench.grounds import Grounds
from slipway_bench.world import World, running_world

HOPS_PER_JOB = 4
"""The work queues that a job goes through; what each stage writes to the history comes on top."""
JOBS, JOBS_QUICK = 200, 30
ALONE, ALONE_QUICK = 20, 5
HOPS = 2_000
IN_FLIGHT = 50
BODY_BYTES = 8 * 1024


class PipelineFigures(Figures):
    """All with the browser switched off, which is measured by itself, and a model that answers at once."""

    jobs: Annotated[int, Told("jobs", "of different projects, sent at once")]
    jobs_per_s: Annotated[float, Told("jobs/s", "from the first request to the evaluator's last 200")]
    raw_hops_per_s: Annotated[float, Told("hops/s", "baseline: persistent messages through a quorum queue")]
    ratio: Annotated[float, Told("", f"{HOPS_PER_JOB} hops of each job / baseline")]
    alone_s: Annotated[float, Told("s", "one job with nothing beside it (median)")]
    raw_hop_s: Annotated[float, Told("s", "baseline: one bare hop with nothing beside it (median)")]
    alone_ratio: Annotated[float, Told("", f"one job / {HOPS_PER_JOB} bare hops")]


async def measure(grounds: Grounds) -> PipelineFigures:
    url = await grounds.vhost()
    raw_hops_per_s = await _raw_hops_per_s(url)
    raw_hop_s = await _raw_hop_s(url)
    jobs = JOBS_QUICK if grounds.quick else JOBS
    async with running_world(grounds.folder / "pipeline", url) as world:
        await world.timed(3)
        alone_s = await _alone_s(world, ALONE_QUICK if grounds.quick else ALONE)
        jobs_per_s = jobs / await world.timed(jobs)
    return PipelineFigures(
        jobs=jobs, jobs_per_s=jobs_per_s, raw_hops_per_s=raw_hops_per_s,
        ratio=jobs_per_s * HOPS_PER_JOB / raw_hops_per_s,
        alone_s=alone_s, raw_hop_s=raw_hop_s, alone_ratio=alone_s / (HOPS_PER_JOB * raw_hop_s),
    )  # fmt: skip


async def _alone_s(world: World, rounds: int) -> float:
    return median([await world.timed(1) for _ in range(rounds)])


async def _raw_hops_per_s(url: str) -> float:
    start = time.perf_counter()
    await _hops(url, HOPS, IN_FLIGHT)
    return HOPS / (time.perf_counter() - start)


async def _raw_hop_s(url: str) -> float:
    times = await _hops(url, 50, 1)
    return median(times)


async def _hops(url: str, number: int, in_flight: int) -> list[float]:
    """Send so many messages through one queue, at most `in_flight` at a time; how long each was on its way."""
    sending, taking = await aio_pika.connect(url), await aio_pika.connect(url)
    async with sending, taking:
        publisher, consumer = await sending.channel(publisher_confirms=True), await taking.channel()
        await consumer.set_qos(prefetch_count=in_flight)
        queue = await consumer.declare_queue("bench.hops", durable=True, arguments={"x-queue-type": "quorum"})
        room, arrived = asyncio.Semaphore(in_flight), asyncio.Event()
        times: list[float] = []

        async def take(message: aio_pika.abc.AbstractIncomingMessage) -> None:
            await message.ack()
            times.append(time.perf_counter() - float(str(message.headers["sent"])))
            room.release()
            if len(times) == number:
                arrived.set()

        async def send() -> None:
            message = aio_pika.Message(
                b"x" * BODY_BYTES,
                headers={"sent": str(time.perf_counter())},
                delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
            )
            await publisher.default_exchange.publish(message, queue.name, mandatory=True)

        await queue.consume(take)
        async with asyncio.TaskGroup() as publishing:
            for _ in range(number):
                await room.acquire()
                publishing.create_task(send())
        await arrived.wait()
        return times
