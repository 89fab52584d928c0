"""Dead letters on a real broker: looked at without being disturbed, replayed one at a time, dropped."""

import asyncio
import json
import os
import sys
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import aio_pika
import pytest
from aio_pika.abc import AbstractIncomingMessage

from slipway_cli.operator.dead_letters import drop_letter, list_letters, open_letter, replay_letter
from slipway_cli.operator.errors import OperatorError
from slipway_cli.operator.letter import Address
from slipway_common.bus import Bus
from slipway_common.delivery import Delivery, origin_headers
from slipway_common.events import Deployed, Job, dump_event, read_event
from slipway_common.topology import DEAD_EXCHANGE, HISTORY, WORK_EXCHANGE, dead_queue, topology

QUEUE = "task.deployed"
T = TypeVar("T")


@pytest.fixture
async def bus(fresh_vhost_url: str) -> AsyncIterator[Bus]:
    async with Bus(fresh_vhost_url, name="test", topology=topology()) as bus:
        await bus.connect()
        yield bus


def event(job: str, replay: int = 0) -> bytes:
    now = datetime.now(UTC)
    return dump_event(
        Deployed(
            job=Job(
                id=job, email="a@b.example", task=f"task of {job[:8]}", round=1, nonce="n", accepted_at=now, due_at=now,
                evaluation_url="http://127.0.0.1:1/", replay=replay,
            ),
            repo_url="http://r", commit_sha="c", pages_url="http://p", live=True,
        ),
        source="test",
    )  # fmt: skip


async def bury(bus: Bus, body: bytes, queue: str = QUEUE, message: str = "the evaluator answered 503") -> None:
    """A dead letter as a stage publishes it."""
    headers = Delivery(attempt=6).failed().headers() | origin_headers("notifier", "9.9", "Retry", message)
    await bus.publish(DEAD_EXCHANGE, queue, body, event_type=queue, headers=headers)


async def bury_jobs(bus: Bus, number: int) -> list[str]:
    jobs = [str(uuid.uuid4()) for _ in range(number)]
    for job in jobs:
        await bury(bus, event(job))
    return jobs


async def take(bus: Bus, queue: str) -> AbstractIncomingMessage | None:
    """The next message of a queue, removed from it; None when there is none."""
    async with bus.open_channel("test") as channel:
        message = await (await channel.get_queue(queue)).get(fail=False)
        if message is not None:
            await message.ack()
        return message


async def soon(look: Callable[[], Awaitable[T | None]]) -> T:
    """What `look` finds, once it finds something."""
    for _ in range(100):
        if found := await look():
            return found
        await asyncio.sleep(0.1)
    raise AssertionError("it did not come about")


async def test_a_listed_letter_tells_what_happened_and_stays(bus: Bus) -> None:
    jobs = await bury_jobs(bus, 3)
    await bury(bus, event("other"), "task.generated")

    listed = await list_letters(bus)
    assert [letter.name for letter in listed] == ["task.generated/1", *(f"{QUEUE}/{n}" for n in (1, 2, 3))]
    assert [letter.job_id for letter in listed[1:]] == jobs
    first = listed[1]
    assert (first.error, first.message, first.service, first.version, first.delivery.attempt) == (
        "Retry", "the evaluator answered 503", "notifier", "9.9", 6,
    )  # fmt: skip
    assert first.delivery.last_failure is not None
    assert [letter.name for letter in await list_letters(bus, (QUEUE,), limit=2)] == [f"{QUEUE}/1", f"{QUEUE}/2"]


async def test_letters_looked_at_25_times_are_all_there_in_their_order(bus: Bus) -> None:
    # the 21st inspection is where a broker of version 4 drops a message from a queue without a limit of its own
    jobs = await bury_jobs(bus, 3)
    for _ in range(25):
        opened = await open_letter(bus, Address.parse(f"{QUEUE}/2"))
        assert opened.letter.job_id == jobs[1]
    assert [letter.job_id for letter in await list_letters(bus)] == jobs


async def test_a_replayed_letter_comes_once_as_new_and_no_other_is_touched(bus: Bus) -> None:
    jobs = await bury_jobs(bus, 3)
    buried = (await open_letter(bus, Address.parse(jobs[1]))).body

    replayed = await replay_letter(bus, Address.parse(jobs[1][:8]))
    assert (replayed.job_id, replayed.queue) == (jobs[1], QUEUE)
    arrived = await take(bus, QUEUE)
    assert arrived is not None
    assert arrived.body == buried
    assert arrived.exchange == WORK_EXCHANGE
    assert arrived.delivery_mode == aio_pika.DeliveryMode.PERSISTENT
    assert dict(arrived.headers) in ({}, {"x-delivery-count": 0})  # 4.x counts from the first delivery on
    assert Delivery.of(arrived.headers) == Delivery(attempt=1)
    assert await take(bus, QUEUE) is None
    assert [letter.job_id for letter in await list_letters(bus)] == [jobs[0], jobs[2]]


async def test_a_letter_of_the_broker_is_replayed_without_its_death_and_survives_the_delay(bus: Bus) -> None:
    # given up by the broker: the service ended with the event in hand more often than the delivery limit allows
    job = str(uuid.uuid4())
    await bus.publish(WORK_EXCHANGE, QUEUE, event(job), event_type=QUEUE)
    async with bus.open_channel("test") as channel:
        queue = await channel.get_queue(QUEUE)
        for _ in range(30):
            if message := await queue.get(fail=False):
                await message.reject(requeue=True)
    [listed] = await soon(lambda: list_letters(bus))
    assert (listed.error, listed.job_id) == ("Crashed", job)
    assert "delivery_limit" in listed.message
    assert listed.delivery.last_failure is not None

    await replay_letter(bus, Address.parse(job))
    arrived = await take(bus, QUEUE)
    assert arrived is not None
    assert not [name for name in arrived.headers if "death" in name]
    # with its old headers the broker would see a cycle here and drop it in silence
    await bus.publish("slipway.delay.1s", QUEUE, arrived.body, event_type=QUEUE)
    back = await soon(lambda: take(bus, QUEUE))
    assert back.body == arrived.body


async def test_a_letter_that_is_no_event_can_be_shown_and_replayed(bus: Bus) -> None:
    await bury(bus, b"\xff not an event", message="body: not JSON")
    [listed] = await list_letters(bus)
    assert (listed.job, listed.message) == (None, "body: not JSON")
    await replay_letter(bus, Address.parse(f"{QUEUE}.dead/1"))
    arrived = await take(bus, QUEUE)
    assert arrived is not None
    assert arrived.body == b"\xff not an event"


async def test_which_letter_is_meant_must_be_clear(bus: Bus) -> None:
    [job] = await bury_jobs(bus, 1)
    await bury(bus, event(job, replay=1))
    with pytest.raises(OperatorError, match=rf"2 dead letters are meant \({QUEUE}/1, {QUEUE}/2\)"):
        await replay_letter(bus, Address.parse(job))
    with pytest.raises(OperatorError, match="no such dead letter"):
        await replay_letter(bus, Address.parse(str(uuid.uuid4())))
    with pytest.raises(OperatorError, match="among the first 1; --limit looks further"):
        await replay_letter(bus, Address.parse(str(uuid.uuid4())), limit=1)
    with pytest.raises(OperatorError, match="no such dead letter"):
        await replay_letter(bus, Address.parse(f"{QUEUE}/3"))
    assert len(await list_letters(bus)) == 2


async def test_a_letter_stays_when_its_queue_is_gone(bus: Bus) -> None:
    [job] = await bury_jobs(bus, 1)
    async with bus.open_channel("test") as channel:
        await channel.queue_delete(QUEUE, if_unused=False, if_empty=False)
    with pytest.raises(OperatorError, match="is still a dead letter"):
        await replay_letter(bus, Address.parse(job))
    assert [letter.job_id for letter in await list_letters(bus)] == [job]


async def test_a_dropped_letter_is_gone_and_the_history_says_so(bus: Bus) -> None:
    jobs = await bury_jobs(bus, 2)
    await drop_letter(bus, Address.parse(jobs[0]))
    assert [letter.job_id for letter in await list_letters(bus)] == [jobs[1]]
    assert await take(bus, QUEUE) is None
    async with bus.open_channel("test", prefetch=16) as channel, asyncio.timeout(10):
        arrived: asyncio.Queue[AbstractIncomingMessage] = asyncio.Queue()
        await (await channel.get_queue(HISTORY)).consume(arrived.put, arguments={"x-stream-offset": "first"})
        while (message := await arrived.get()).type != "task.progress":
            await message.ack()
    said = json.loads(message.body)["data"]
    assert (said["state"], said["job"]["id"]) == ("dropped", jobs[0])


async def test_the_program_lists_shows_and_replays(bus: Bus, fresh_vhost_url: str, tmp_path: Path) -> None:
    [job] = await bury_jobs(bus, 1)

    async def slipway(*arguments: str) -> str:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "slipway_cli", "dead-letters", *arguments,
            env={**os.environ, "AMQP_URL": fresh_vhost_url, "VAR_DIR": str(tmp_path)},
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        output, _ = await process.communicate()
        return f"{process.returncode} {output.decode()}"

    listed = await slipway("list")
    assert listed.startswith("0 ")
    assert job in listed
    assert "the evaluator answered 503" in listed
    shown = await slipway("show", job)
    assert "x-slipway-error: Retry" in shown
    assert json.loads(shown.partition("\n\n")[2])["data"]["job"]["id"] == job
    assert await slipway("replay", job) == f"0 replayed into {QUEUE}: job {job}\n"
    assert await slipway("list") == "0 no dead letters\n"
    assert (await slipway("replay", job)).startswith(f"1 slipway: {job}: no such dead letter")
    arrived = await take(bus, QUEUE)
    assert arrived is not None
    assert read_event(arrived.body).data.job.id == job
    assert await take(bus, dead_queue(QUEUE)) is None
