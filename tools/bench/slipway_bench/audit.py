"""The account of jobs afterwards: notified, one commit each, one sha in all notifications, nothing dead or left."""

import asyncio
import os
import subprocess
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import aio_pika

from slipway_bench.sender import Sent
from slipway_bench.world import World
from slipway_common.topology import DELAY_TIERS_S, WORK_QUEUES, dead_queue, delay_name

CLONES = 4
"""At a time."""


@dataclass(frozen=True)
class Account:
    """`repeats`: 200s of the evaluator beyond one for each job, which may be; `faults`: what may not."""

    notified: int
    repeats: int
    commits: int
    dead: int
    faults: tuple[str, ...]


async def audit(world: World, sent: Sent, dead_before: int) -> Account:
    """Holds what the evaluator, git and the broker say against what was sent.

    `dead_before` dead letters lay there already: they are not of these jobs.
    """
    faults: list[str] = []
    told = world.told()
    shas: dict[str, str] = {}
    for job, request in sent.jobs.items():
        notes = told.get(str(request["nonce"]), [])
        seen = {str(note.body.get("commit_sha")) for note in notes if isinstance(note.body, dict)}
        if not notes:
            faults.append(f"job {job} was not notified")
        elif len(seen) > 1:
            faults.append(f"job {job} was notified with {len(seen)} shas: {', '.join(sorted(seen))}")
        else:
            shas[job] = seen.pop()
    commits = 0
    for task, found in (await _commits(world, sent)).items():
        commits += len(found)
        faults += unbalanced(task, sent.by_task()[task], found, shas)
    faults += [f"job {job} is {state}" for job, state in await _not_notified(world, list(sent.jobs))]
    faults += [f"{count} messages are left in {queue}" for queue, count in (await _left(world)).items()]
    dead = await dead_letters(world) - dead_before
    if dead:
        faults.append(f"{dead} dead letters")
    repeats = sum(len(told.get(str(request["nonce"]), [])) - 1 for request in sent.jobs.values()) if not faults else 0
    return Account(len(shas), repeats, commits, dead, tuple(faults))


def unbalanced(task: str, jobs: Sequence[str], found: Sequence[tuple[str, str]], shas: dict[str, str]) -> list[str]:
    """What is wrong with the commits (sha, job) of one project; `shas` is what the evaluator was told, by job."""
    by_job = Counter(job for _, job in found)
    faults = [f"job {job} of {task} has {by_job[job]} commits" for job in jobs if by_job[job] != 1]
    faults += [f"{task} has a commit of no job of this run: {sha}" for sha, job in found if job not in jobs]
    faults += [
        f"job {job} was notified with {shas[job]}, but its commit is {sha}"
        for sha, job in found
        if job in shas and by_job[job] == 1 and shas[job] != sha
    ]
    return faults


async def _commits(world: World, sent: Sent) -> dict[str, list[tuple[str, str]]]:
    """The (sha, job) of each commit on `main`, by task, as plain git lists them."""
    urls: dict[str, str] = {}
    for notes in world.told().values():
        for note in notes:
            if isinstance(note.body, dict):
                urls[str(note.body["task"])] = str(note.body["repo_url"])
    room = asyncio.Semaphore(CLONES)

    async def listed(task: str) -> tuple[str, list[tuple[str, str]]]:
        async with room:
            return task, await asyncio.to_thread(_log, urls[task]) if task in urls else []

    return dict(await asyncio.gather(*(listed(task) for task in sent.by_task())))


def _log(url: str) -> list[tuple[str, str]]:
    with TemporaryDirectory() as folder:
        _git("clone", "-q", "--bare", url, folder)
        lines = _git("log", "--format=%H %(trailers:key=Job,valueonly,separator=%x2C)", "main", cwd=Path(folder))
    return [(sha, job.strip()) for sha, _, job in (line.partition(" ") for line in lines.splitlines())]


def _git(*arguments: str, cwd: Path | None = None) -> str:
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_TERMINAL_PROMPT": "0"}
    done = subprocess.run(["git", *arguments], cwd=cwd, env=environment, check=True, capture_output=True, text=True)
    return done.stdout


async def _not_notified(world: World, jobs: Sequence[str], patience_s: float = 15.0) -> list[tuple[str, str]]:
    """The jobs that the intake does not call notified, and what it calls them; it follows the history with a delay."""
    left: list[tuple[str, str]] = []
    for _ in range(int(patience_s)):
        views = [(job, await world.intake.job(job)) for job in jobs]
        left = [(job, view.state if view else "unknown") for job, view in views if not view or view.state != "notified"]
        if not left:
            break
        await asyncio.sleep(1)
    return left


async def dead_letters(world: World) -> int:
    """How many there are."""
    return sum((await _messages(world, map(dead_queue, WORK_QUEUES))).values())


async def _left(world: World, patience_s: float = 15.0) -> dict[str, int]:
    """How many messages lie in each work and delay queue that does not become empty."""
    found: dict[str, int] = {}
    for _ in range(int(patience_s)):
        counts = await _messages(world, (*WORK_QUEUES, *map(delay_name, DELAY_TIERS_S)))
        found = {name: count for name, count in counts.items() if count}
        if not found:
            break
        await asyncio.sleep(1)
    return found


async def _messages(world: World, queues: Iterable[str]) -> dict[str, int]:
    """How many messages are ready in each queue."""
    async with await aio_pika.connect(world.stack.plan.amqp_url) as connection:
        channel = await connection.channel()
        declared = [await channel.declare_queue(name, passive=True) for name in queues]
        return {queue.name: queue.declaration_result.message_count or 0 for queue in declared}
