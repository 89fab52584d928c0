"""More generators against a slow model: does the work spread?"""

from typing import Annotated

from slipway_bench.figures import Figures, Told
from slipway_bench.grounds import Grounds
from slipway_bench.world import World, running_world

GENERATORS = 3
CONCURRENCY = 2
"""Jobs that one generator has in hand (its default)."""
MODEL_S, MODEL_S_QUICK = 4.0, 1.5
ROUNDS, ROUNDS_QUICK = 4, 2
STOP_S = 5.0


class ScalingFigures(Figures):
    """The speed-up at best is the number of generators; the other stages' work is not spread."""

    model_s: Annotated[float, Told("s", "that every model call takes")]
    jobs: Annotated[int, Told("jobs", "of different projects, sent at once")]
    one_s: Annotated[float, Told("s", "baseline: one generator")]
    three_s: Annotated[float, Told("s", f"{GENERATORS} generators")]
    speed_up: Annotated[float, Told("", f"one generator's time / that of {GENERATORS}")]
    one_overhead: Annotated[float, Told("", "one generator's time / that of the model calls alone")]


async def measure(grounds: Grounds) -> ScalingFigures:
    model_s = MODEL_S_QUICK if grounds.quick else MODEL_S
    # a multiple of what either can have in hand, so that neither idles at the end
    jobs = GENERATORS * CONCURRENCY * (ROUNDS_QUICK if grounds.quick else ROUNDS)
    settings = {"GENERATOR_CONCURRENCY": str(CONCURRENCY)}
    async with running_world(
        grounds.folder / "scaling", await grounds.vhost(), generators=GENERATORS, settings=settings
    ) as world:
        await world.timed(GENERATORS * CONCURRENCY)
        three_s = await _seconds(world, jobs, model_s)
        for number in range(2, GENERATORS + 1):
            await world.stack.child(f"generator-{number}").stop(STOP_S)
        world.stack.supervisor.take_ended()
        one_s = await _seconds(world, jobs, model_s)
    return ScalingFigures(
        model_s=model_s, jobs=jobs, one_s=one_s, three_s=three_s,
        speed_up=one_s / three_s, one_overhead=one_s / (jobs / CONCURRENCY * model_s),
    )  # fmt: skip


async def _seconds(world: World, jobs: int, model_s: float) -> float:
    with world.sandbox.faulty("gemini", "slow", seconds=model_s):
        return await world.timed(jobs)
