"""Resident memory of each service, idle and after jobs, beside a Python process that has only the libraries loaded."""

import asyncio
from typing import Annotated

from slipway_bench.figures import Figures, Told
from slipway_bench.grounds import Grounds
from slipway_bench.memory_of import resident_mib
from slipway_bench.world import World, running_world
from slipway_cli.processes import Program, supervisor
from slipway_cli.stack import SERVICES

JOBS, JOBS_QUICK = 200, 40
SETTLE_S = 1.0


class MemoryFigures(Figures):
    """The browser is off here: its memory is measured by `browser`."""

    libraries_mib: Annotated[float, Told("MiB", "baseline: Python with the libraries that all services share")]
    idle_mib: Annotated[dict[str, float], Told("MiB", "ready, no job yet")]
    jobs: Annotated[int, Told("jobs", "done in between")]
    after_mib: Annotated[dict[str, float], Told("MiB", "after the jobs")]
    idle_ratio: Annotated[dict[str, float], Told("", "idle / baseline")]
    after_ratio: Annotated[dict[str, float], Told("", "after the jobs / idle")]


async def measure(grounds: Grounds) -> MemoryFigures:
    jobs = JOBS_QUICK if grounds.quick else JOBS
    folder = grounds.folder / "memory"
    async with supervisor(folder / "logs", grace_s=1) as running:
        child = await running.start(Program("libraries", "slipway_bench.only_libraries", {}))
        await asyncio.sleep(SETTLE_S + 1)
        libraries = resident_mib(child.pid)
    async with running_world(folder, await grounds.vhost()) as world:
        await asyncio.sleep(SETTLE_S)
        idle = _of_all(world)
        await world.timed(jobs)
        await asyncio.sleep(SETTLE_S)
        after = _of_all(world)
    return MemoryFigures(
        libraries_mib=libraries, idle_mib=idle, jobs=jobs, after_mib=after,
        idle_ratio={name: value / libraries for name, value in idle.items()},
        after_ratio={name: value / idle[name] for name, value in after.items()},
    )  # fmt: skip


def _of_all(world: World) -> dict[str, float]:
    return {name: resident_mib(world.stack.child(name).pid) for name in SERVICES}
