"""What the tests of stages share: a vhost with the topology, events to send, queues to look into."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeAlias, TypeVar

import aio_pika
from aio_pika.abc import AbstractIncomingMessage

from slipway_common.bus import Bus
from slipway_common.events import (
    Deployed,
    EventData,
    Generated,
    Job,
    Notified,
    Progress,
    Received,
    Request,
    UnreadableEventError,
    WorkEvent,
    dump_event,
    job_id,
    read_event,
)
from slipway_common.stage import Stage, StageRunner
from slipway_common.topology import HISTORY, WORK_EXCHANGE, WORK_QUEUES, dead_queue, topology

PATIENCE_S = 45.0
TOPOLOGY = topology()

EventT = TypeVar("EventT", bound=EventData)
Runner: TypeAlias = StageRunner[EventT, None]


def a_job(task: str, *, nonce: str = "n", round_: int = 1, evaluation_url: str = "http://127.0.0.1:9/notify") -> Job:
    """A job of the task, accepted now."""
    now = datetime.now(UTC)
    email = "student@example.com"
    return Job(
        id=job_id(email, task, round_, nonce), email=email, task=task, round=round_, nonce=nonce,
        evaluation_url=evaluation_url, accepted_at=now, due_at=now + timedelta(seconds=600),
    )  # fmt: skip


def received(task: str) -> Received:
    return Received(job=a_job(task), brief="Sum the sales.")


def deployed(task: str, *, evaluation_url: str = "http://127.0.0.1:9/notify") -> Deployed:
    job = a_job(task, evaluation_url=evaluation_url)
    return Deployed(job=job, repo_url="http://x/r", commit_sha="c" * 40, pages_url="http://x/p/", live=True)


def notified(event: Deployed) -> Notified:
    return Notified(
        job=event.job, repo_url=event.repo_url, commit_sha=event.commit_sha, pages_url=event.pages_url, live=event.live,
        status=200, tries=1,
    )  # fmt: skip


async def generate(event: Received, _: None) -> Generated:
    return Generated(job=event.job, base_commit=None, files=(), request=Request(brief=event.brief))


async def until(condition: Callable[[], Awaitable[bool] | bool], patience_s: float = PATIENCE_S) -> None:
    """Wait until the condition holds. Raises TimeoutError."""
    async with asyncio.timeout(patience_s):
        while True:
            holds = condition()
            if holds if isinstance(holds, bool) else await holds:
                return
            await asyncio.sleep(0.02)


@dataclass
class Vhost:
    """A vhost seen from outside: send events, take messages."""

    url: str
    bus: Bus
    channel: aio_pika.abc.AbstractChannel

    async def send(self, event: WorkEvent | bytes, queue: str = "") -> bytes:
        """Publish as a service would; returns the body."""
        if not isinstance(event, bytes):
            body = dump_event(event, source="test")
            queue = queue or event.type
        else:
            body = event
        await self.bus.publish(WORK_EXCHANGE, queue, body, event_type=queue)
        return body

    async def take(self, queue: str, patience_s: float = PATIENCE_S) -> AbstractIncomingMessage:
        """The next message of the queue, acked. Raises TimeoutError."""
        there = await self.channel.get_queue(queue, ensure=False)
        async with asyncio.timeout(patience_s):
            while True:
                message = await there.get(fail=False)
                if message is not None:
                    await message.ack()
                    return message
                await asyncio.sleep(0.02)

    async def count(self, queue: str) -> int:
        """Messages that are ready in the queue."""
        declared = await self.channel.declare_queue(queue, passive=True)
        return declared.declaration_result.message_count or 0

    async def history(self) -> list[AbstractIncomingMessage]:
        """Everything in the history now."""
        messages: list[AbstractIncomingMessage] = []
        last = asyncio.Event()

        async def take(message: AbstractIncomingMessage) -> None:
            await message.ack()
            if message.type == "test.end" and message.body == end:
                last.set()
            else:
                messages.append(message)

        async with self.bus.open_channel("test history", prefetch=50) as channel:
            queue = await channel.get_queue(HISTORY, ensure=False)
            await queue.consume(take, arguments={"x-stream-offset": "first"})
            end = str(asyncio.get_running_loop().time()).encode()
            await self.bus.write_history(end, event_type="test.end")
            async with asyncio.timeout(PATIENCE_S):
                await last.wait()
        return [message for message in messages if message.type != "test.end"]

    async def story(self, job: Job) -> list[str]:
        """What the history says of a job: states of the progress reports, types of the events."""
        found = []
        for message in await self.history():
            with suppress(UnreadableEventError):
                event = read_event(message.body)
                if event.data.job.id == job.id:
                    found.append(event.data.state if isinstance(event.data, Progress) else event.data.type)
        return found

    async def empty(self) -> None:
        """Nothing waits in any work or dead-letter queue."""
        for name in WORK_QUEUES:
            for queue in (name, dead_queue(name)):
                await (await self.channel.get_queue(queue, ensure=False)).purge()


@asynccontextmanager
async def open_vhost(url: str) -> AsyncIterator[Vhost]:
    """A vhost with the topology declared and every queue empty."""
    async with Bus(url, name="test", topology=TOPOLOGY) as bus:
        await bus.connect()
        async with bus.open_channel("test") as channel:
            vhost = Vhost(url, bus, channel)
            await vhost.empty()
            yield vhost


@asynccontextmanager
async def running(vhost: Vhost, stage: Stage[EventT, None], concurrency: int = 4) -> AsyncIterator[Runner[EventT]]:
    """The stage at work on the vhost, consuming."""
    async with Bus(vhost.url, name=stage.name, topology=TOPOLOGY) as bus:
        runner = StageRunner(stage, None, bus, version="0", concurrency=concurrency)
        working = asyncio.create_task(runner.run())

        async def consuming() -> bool:
            return not await runner.not_ready()

        try:
            await until(consuming)
            yield runner
        finally:
            await runner.drain(5)
            working.cancel()
            with suppress(asyncio.CancelledError):
                await working
