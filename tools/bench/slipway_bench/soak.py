"""`./run soak`: the long reliability runs. Things are killed and taken away, then the accounts must balance."""

import json
import random
import time
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

from slipway_bench.audit import audit, dead_letters
from slipway_bench.bench import FAILURES, STOPPED
from slipway_bench.grounds import grounds
from slipway_bench.screen import Screen, load
from slipway_bench.sender import Sent
from slipway_bench.trials import QUICK, TRIALS, Size, Trial
from slipway_bench.world import TooSlowError, World, running_world
from slipway_cli.rabbitmq_node import RabbitmqNode
from slipway_cli.run_folder import run_folder
from slipway_cli.stack import VAR
from slipway_cli.until_signal import until_signal

SETTINGS = {"GENERATOR_CONCURRENCY": "8"}
SHOWN = 12
"""Faults on the screen."""


@dataclass(frozen=True)
class Options:
    """What was asked on the command line; `name` None: all trials."""

    name: str | None = None
    quick: bool = False
    json_file: Path | None = None
    seed: int = 1


class Result(BaseModel):
    """One trial, as JSON tells it. `repeats`: notifications beyond one for each job, with the same sha."""

    about: str
    did: list[str]
    jobs: int
    turned_away: int
    notified: int
    repeats: int
    commits: int
    dead: int
    seconds: float
    faults: list[str]


class Soak(BaseModel):
    """All trials of one run."""

    seed: int
    load_before: float | None
    trials: dict[str, Result]
    faults: list[str]


async def soak(options: Options) -> int:
    """Runs all trials; the exit code. 0: every job was notified and has one commit, nothing is dead or doubled."""
    screen = Screen()
    screen.introduce("Slipway soak")
    found = Soak(seed=options.seed, load_before=load(), trials={}, faults=[])
    with run_folder(VAR, "soak") as folder:
        try:
            done = await until_signal(_run(options, folder, screen, found))
        except FAILURES as error:
            found.faults.append(f"{error}; logs: {folder}")
            done = True
    if options.json_file:
        options.json_file.write_text(json.dumps(found.model_dump(), indent=2) + "\n")
    if done is None:
        screen.say("stopped")
        return STOPPED
    screen.trials({name: trial.model_dump() for name, trial in found.trials.items()})
    for fault in found.faults[:SHOWN]:
        screen.loud(fault)
    if len(found.faults) > SHOWN:
        screen.loud(f"... and {len(found.faults) - SHOWN} more (all with --json)")
    return 1 if found.faults else 0


async def _run(options: Options, folder: Path, screen: Screen, found: Soak) -> bool:
    async with grounds(folder, quick=options.quick, say=screen.say) as shared:
        node = await shared.node()
        screen.say(f"broker is up; seed {options.seed}")
        async with running_world(folder, await shared.vhost(), settings=SETTINGS) as world:
            screen.say("services are up")
            for name in [options.name] if options.name else list(TRIALS):
                result = await _trial(name, options, world, node, screen)
                found.trials[name] = result
                found.faults += [f"{name}: {fault}" for fault in result.faults]
    return True


async def _trial(name: str, options: Options, world: World, node: RabbitmqNode, screen: Screen) -> Result:
    run = TRIALS[name]
    about = (run.__doc__ or "").strip()
    screen.say(f"{name}: {about}")
    size = QUICK if options.quick else Size()
    began = time.monotonic()
    dead_before = await dead_letters(world)
    trial = Trial(world, node, size, random.Random(f"{options.seed} {name}"), screen.say)
    sent = await run(trial)
    faults = await _told(world, sent, size.patience_s)
    trial.note("all notified" if not faults else faults[0])
    account = await audit(world, sent, dead_before)
    return Result(
        about=about, did=trial.did, jobs=len(sent.requests), turned_away=sent.turned_away, notified=account.notified,
        repeats=account.repeats, commits=account.commits, dead=account.dead,
        seconds=round(time.monotonic() - began, 1), faults=[*faults, *account.faults],
    )  # fmt: skip


async def _told(world: World, sent: Sent, patience_s: float) -> list[str]:
    """Nothing, once the evaluator knows of all jobs; else why not."""
    try:
        await world.until_told(sent.requests, patience_s)
    except TooSlowError as error:
        return [str(error)]
    return []
