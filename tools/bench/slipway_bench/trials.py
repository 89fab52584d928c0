"""What is done to a Slipway while jobs are on their way: things are killed, the outside world fails."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field

from slipway_bench.sender import Sent, make_requests, send
from slipway_bench.world import World
from slipway_cli.rabbitmq_node import RabbitmqNode
from slipway_cli.rabbitmq_program import Say
from slipway_cli.stack import SERVICES
from slipway_sandbox.records import Target


@dataclass(frozen=True)
class Size:
    """How much there is of everything; times in seconds."""

    jobs: int = 100
    outage_s: float = 60.0
    kills: int = 5
    """Of each service."""
    patience_s: float = 300.0
    """From the end of the trouble until all must be notified."""


QUICK = Size(jobs=20, outage_s=5.0, kills=1, patience_s=90.0)


@dataclass
class Trial:
    """One trial under way: what it works on, and what it did, in the order of time."""

    world: World
    node: RabbitmqNode
    size: Size
    random: random.Random
    say: Say
    did: list[str] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    def note(self, text: str) -> None:
        """Something was done, now."""
        line = f"{time.monotonic() - self.began:.1f} s: {text}"
        self.did.append(line)
        self.say(f"  {line}")


async def broker_killed(trial: Trial) -> Sent:
    """Kill -9 of the broker in the middle of the jobs, and its new start on the same data."""
    spread = max(2.0, trial.size.outage_s / 6)
    sending = asyncio.create_task(_send(trial, spread))
    await asyncio.sleep(spread * trial.random.uniform(0.4, 0.6))
    await asyncio.to_thread(trial.node.kill)
    trial.note(f"broker killed; {len(trial.world.told())} notifications so far")
    await asyncio.to_thread(trial.node.start)
    trial.note("broker takes connections again")
    return await sending


async def services_killed(trial: Trial) -> Sent:
    """Kill -9 of each service at random moments, while jobs come in all the time."""
    sending = asyncio.create_task(_send(trial, trial.size.outage_s))
    moments = sorted(
        (trial.random.uniform(0, trial.size.outage_s), name) for name in SERVICES for _ in range(trial.size.kills)
    )
    began = time.monotonic()
    for moment, name in moments:
        await asyncio.sleep(max(0.0, began + moment - time.monotonic()))
        await trial.world.restart(name)
        trial.note(f"{name} killed and started again")
    return await sending


async def model_key_refused(trial: Trial) -> Sent:
    """All jobs are sent while the model's key is refused."""
    return await _outage(trial, {"gemini": "bad_key"})


async def evaluator_down(trial: Trial) -> Sent:
    """All jobs are sent while the evaluator cuts every connection."""
    return await _outage(trial, {"evaluator": "drop"})


async def github_down(trial: Trial) -> Sent:
    """All jobs are sent while GitHub's REST interface and its git server answer 500."""
    return await _outage(trial, {"github": "status", "git": "status"})


TRIALS: Mapping[str, Callable[[Trial], Awaitable[Sent]]] = {
    "broker": broker_killed,
    "services": services_killed,
    "model_key": model_key_refused,
    "evaluator": evaluator_down,
    "github": github_down,
}


async def _outage(trial: Trial, kinds: Mapping[Target, str]) -> Sent:
    with ExitStack() as faults:
        struck = [faults.enter_context(trial.world.sandbox.faulty(to, kind)) for to, kind in kinds.items()]
        trial.note(f"outage of {' and '.join(kinds)} begins")
        began = time.monotonic()
        sent = await _send(trial, trial.size.outage_s / 4)
        await asyncio.sleep(max(0.0, began + trial.size.outage_s - time.monotonic()))
        ids = {fault.id for fault in struck}
        hits = sum(fault.hits for fault in trial.world.sandbox.faults() if fault.id in ids)
    if not hits:
        raise RuntimeError("the outage was not met by any request: the trial shows nothing")
    trial.note(f"outage ends, met {hits} times")
    return sent


async def _send(trial: Trial, over_s: float) -> Sent:
    sent = await send(trial.world, make_requests(trial.world, trial.size.jobs), over_s)
    trial.note(f"{len(sent.jobs)} jobs taken, {sent.turned_away} tries turned away")
    return sent
