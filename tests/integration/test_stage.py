"""The stage runtime on a real broker: what becomes of an event, whatever its stage does."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from datetime import datetime
from itertools import pairwise

import pytest
import pytest_asyncio
from shared_broker import SharedBroker
from stage_world import Vhost, a_job, deployed, generate, notified, open_vhost, received, running, until

from slipway_common.delivery import current_attempt
from slipway_common.events import Deployed, Notified, Progress, Received, read_event
from slipway_common.stage import Pause, Reject, Retry, Stage, Wait


@pytest.fixture(scope="module")
def stage_vhost_url(broker: SharedBroker, worker_id: str) -> str:
    return broker.add_vhost(f"stage-{worker_id}")


@pytest_asyncio.fixture
async def vhost(stage_vhost_url: str) -> AsyncIterator[Vhost]:
    async with open_vhost(stage_vhost_url) as vhost:
        yield vhost


async def test_an_event_becomes_the_next_event_and_both_are_told(vhost: Vhost) -> None:
    async def tell(event: Deployed, _: None) -> Notified:
        return notified(event)

    event = deployed("ordinary")
    async with running(vhost, Stage("notifier", Deployed, tell, time_limit_s=30, working="notifying")):
        await vhost.send(event)
        following = read_event((await vhost.take("task.notified")).body)
    assert following.data.job == event.job
    assert following.traceparent
    assert await vhost.story(event.job) == ["notifying", "task.notified"]
    assert await vhost.count("task.deployed") == 0


async def test_a_retry_goes_through_a_delay_queue_and_is_counted_until_it_is_given_up(vhost: Vhost) -> None:
    attempts: list[tuple[int, float]] = []

    async def fail(_: Deployed, __: None) -> None:
        attempts.append((current_attempt(), asyncio.get_running_loop().time()))
        raise Retry("the evaluator answered 503", after=0.2)

    event = deployed("retried")
    async with running(vhost, Stage("notifier", Deployed, fail, time_limit_s=30, attempts=3)):
        body = await vhost.send(event)
        dead = await vhost.take("task.deployed.dead")
    assert [attempt for attempt, _ in attempts] == [1, 2, 3]
    waited = [later - earlier for (_, earlier), (_, later) in pairwise(attempts)]
    assert all(seconds >= 0.9 for seconds in waited), "the shortest delay queue waits a second"
    assert await vhost.story(event.job) == ["retrying", "retrying", "task.deployed", "dead"]

    assert dead.body == body
    headers = dead.headers
    assert (headers["x-slipway-attempt"], headers["x-slipway-service"], headers["x-slipway-version"]) == (
        3, "notifier", "0",
    )  # fmt: skip
    assert (headers["x-slipway-error"], headers["x-slipway-message"]) == ("Retry", "the evaluator answered 503")
    first, last = (datetime.fromisoformat(str(headers[f"x-slipway-{which}-failure"])) for which in ("first", "last"))
    assert (last - first).total_seconds() >= 1.8
    # copied broker headers would make the broker drop a replayed message in silence
    assert not [name for name in headers if name.startswith(("x-death", "x-first-death", "x-last-death"))]


async def test_a_stage_without_a_bound_on_attempts_gives_up_by_time(vhost: Vhost) -> None:
    async def fail(_: Deployed, __: None) -> None:
        raise Retry("not yet", after=1)

    stage = Stage("notifier", Deployed, fail, time_limit_s=30, attempts=None, give_up_after_s=0.5)
    async with running(vhost, stage):
        await vhost.send(deployed("by-time"))
        dead = await vhost.take("task.deployed.dead")
    assert dead.headers["x-slipway-attempt"] == 2


async def test_a_rejected_event_is_a_dead_letter_at_once(vhost: Vhost) -> None:
    async def refuse(_: Deployed, __: None) -> None:
        raise Reject("superseded by round 3")

    event = deployed("rejected")
    async with running(vhost, Stage("notifier", Deployed, refuse, time_limit_s=30)):
        await vhost.send(event)
        dead = await vhost.take("task.deployed.dead")
    assert (dead.headers["x-slipway-attempt"], dead.headers["x-slipway-message"]) == (1, "superseded by round 3")
    assert await vhost.story(event.job) == ["task.deployed", "dead"]


async def test_an_unexpected_error_is_bounded_too(vhost: Vhost) -> None:
    async def break_down(_: Deployed, __: None) -> None:
        raise ZeroDivisionError("of ours")

    async with running(vhost, Stage("notifier", Deployed, break_down, time_limit_s=30, attempts=1)):
        await vhost.send(deployed("broken"))
        dead = await vhost.take("task.deployed.dead")
    assert dead.headers["x-slipway-error"] == "ZeroDivisionError"
    assert "of ours" in str(dead.headers["x-slipway-message"])


async def test_a_run_over_its_time_limit_is_stopped(vhost: Vhost) -> None:
    stopped = asyncio.Event()

    async def hang(_: Deployed, __: None) -> None:
        try:
            await asyncio.sleep(60)
        finally:
            stopped.set()

    async with running(vhost, Stage("notifier", Deployed, hang, time_limit_s=0.2, attempts=1)):
        await vhost.send(deployed("hanging"))
        dead = await vhost.take("task.deployed.dead")
    assert stopped.is_set()
    assert "time limit" in str(dead.headers["x-slipway-message"])


async def test_a_credential_in_an_error_reaches_no_event_and_no_header(vhost: Vhost) -> None:
    token = "ghp_" + "a1B2" * 9

    async def fail(_: Deployed, __: None) -> None:
        raise RuntimeError(f"401 for https://x:{token}@example.com")

    event = deployed("leaky")
    async with running(vhost, Stage("notifier", Deployed, fail, time_limit_s=30, attempts=2)):
        await vhost.send(event)
        dead = await vhost.take("task.deployed.dead")
    assert "401 for https://" in str(dead.headers["x-slipway-message"])
    told = [message.body for message in await vhost.history() if event.job.id.encode() in message.body]
    assert len(told) == 3, "retrying, the dead letter, dead"
    assert token not in f"{dead.headers} {told}"


async def test_an_event_too_large_to_pass_on_is_a_dead_letter(vhost: Vhost) -> None:
    async def inflate(event: Deployed, _: None) -> Received:
        return Received(job=event.job, brief="x" * (12 * 1024 * 1024))

    async with running(vhost, Stage("notifier", Deployed, inflate, time_limit_s=30)):
        await vhost.send(deployed("large"))
        dead = await vhost.take("task.deployed.dead")
    assert dead.headers["x-slipway-error"] == "EventTooLargeError"


async def test_waiting_is_no_attempt(vhost: Vhost) -> None:
    attempts: list[int] = []

    async def wait_twice(event: Deployed, _: None) -> Notified:
        attempts.append(current_attempt())
        if len(attempts) < 3:
            raise Wait("round 1 is not there yet", after=1)
        return notified(event)

    event = deployed("waiting")
    async with running(vhost, Stage("notifier", Deployed, wait_twice, time_limit_s=30, attempts=1)):
        await vhost.send(event)
        await vhost.take("task.notified")
    assert attempts == [1, 1, 1]
    assert await vhost.story(event.job) == ["waiting", "waiting", "task.notified"]


async def test_a_paused_stage_takes_nothing_until_its_probe_succeeds(vhost: Vhost) -> None:
    worked: list[tuple[str, int]] = []
    well = asyncio.Event()
    probes: list[bool] = []

    async def spend(event: Deployed, _: None) -> Notified:
        worked.append((event.job.task, current_attempt()))
        if not well.is_set():
            raise Pause("the key is spent")
        return notified(event)

    async def probe(_: None) -> None:
        probes.append(well.is_set())
        if not well.is_set():
            well.set()
            raise PermissionError("still spent")

    stage = Stage("notifier", Deployed, spend, time_limit_s=30, attempts=1, probe=probe)
    async with running(vhost, stage) as runner:
        await vhost.send(deployed("first"))
        await until(lambda: bool(runner.paused))
        assert await runner.not_ready() == "paused: the key is spent"
        await vhost.send(deployed("second"))
        await until(lambda: bool(probes))
        assert [task for task, _ in worked] == ["first"], "a paused stage took an event"
        done = {read_event((await vhost.take("task.notified")).body).data.job.task for _ in range(2)}
        assert await runner.not_ready() == ""
    assert done == {"first", "second"}
    assert {attempt for _, attempt in worked} == {1}, "a pause costs no attempt"
    assert probes == [False, True]


@pytest.mark.parametrize("body", [b"not json", b"{}", b"\xff\x00", b""])
async def test_a_body_that_is_no_event_is_kept_whole_and_the_stage_goes_on(vhost: Vhost, body: bytes) -> None:
    async def tell(event: Deployed, _: None) -> Notified:
        return notified(event)

    async with running(vhost, Stage("notifier", Deployed, tell, time_limit_s=30)):
        await vhost.send(body, "task.deployed")
        dead = await vhost.take("task.deployed.dead")
        await vhost.send(deployed("after"))
        await vhost.take("task.notified")
    assert dead.body == body
    assert dead.headers["x-slipway-error"] == "UnreadableEventError"


async def test_an_event_of_another_stage_is_a_dead_letter(vhost: Vhost) -> None:
    async def tell(event: Deployed, _: None) -> Notified:
        return notified(event)

    async with running(vhost, Stage("notifier", Deployed, tell, time_limit_s=30)):
        await vhost.send(received("astray"), "task.deployed")
        dead = await vhost.take("task.deployed.dead")
    assert "task.received in the queue task.deployed" in str(dead.headers["x-slipway-message"])


async def test_draining_finishes_what_is_in_hand_and_takes_nothing_new(vhost: Vhost) -> None:
    begun, may_end = asyncio.Event(), asyncio.Event()
    worked: list[str] = []

    async def take_time(event: Deployed, _: None) -> Notified:
        worked.append(event.job.task)
        begun.set()
        await may_end.wait()
        return notified(event)

    async with running(vhost, Stage("notifier", Deployed, take_time, time_limit_s=10), concurrency=1) as runner:
        await vhost.send(deployed("in-hand"))
        await begun.wait()
        draining = asyncio.create_task(runner.drain(5))
        await until(lambda: _says(runner.not_ready, "draining"))
        await vhost.send(deployed("new"))
        may_end.set()
        await draining
    assert worked == ["in-hand"]
    assert read_event((await vhost.take("task.notified")).body).data.job.task == "in-hand"
    assert read_event((await vhost.take("task.deployed")).body).data.job.task == "new"
    assert await vhost.count("task.deployed") == 0


async def test_what_is_not_finished_within_the_grace_time_goes_back(vhost: Vhost) -> None:
    begun = asyncio.Event()

    async def hang(_: Deployed, __: None) -> None:
        begun.set()
        await asyncio.sleep(60)

    async with running(vhost, Stage("notifier", Deployed, hang, time_limit_s=60)) as runner:
        await vhost.send(deployed("unfinished"))
        await begun.wait()
        await runner.drain(0.1)
    message = await vhost.take("task.deployed")
    assert (read_event(message.body).data.job.task, message.redelivered) == ("unfinished", True)


DIES_AFTER_PUBLISH = """
import asyncio, os, signal, sys
from stage_world import TOPOLOGY, generate
from slipway_common.bus import Bus
from slipway_common.events import Received
from slipway_common.stage import Stage, StageRunner

class DyingBus(Bus):
    async def write_history(self, body, *, event_type, headers=None):
        if event_type == "task.generated":
            os.kill(os.getpid(), signal.SIGKILL)
        await super().write_history(body, event_type=event_type, headers=headers)

async def main():
    async with DyingBus(os.environ["AMQP_URL"], name="generator", topology=TOPOLOGY) as bus:
        stage = Stage("generator", Received, generate, time_limit_s=30, working="generating")
        await StageRunner(stage, None, bus, version="0", concurrency=1).run()

asyncio.run(main())
"""


async def test_a_kill_between_publish_and_ack_gives_a_second_delivery_and_loses_nothing(vhost: Vhost) -> None:
    event = received("killed")
    await vhost.send(event)
    dying = await asyncio.create_subprocess_exec(
        sys.executable, "-c", DIES_AFTER_PUBLISH,
        env={**os.environ, "AMQP_URL": vhost.url, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )  # fmt: skip
    assert await asyncio.wait_for(dying.wait(), 60) == -signal.SIGKILL
    first = read_event((await vhost.take("task.generated")).body)
    async with running(vhost, Stage("generator", Received, generate, time_limit_s=30, working="generating")):
        second = read_event((await vhost.take("task.generated")).body)
    assert first.data.job == second.data.job == event.job
    assert first.id != second.id
    assert await vhost.count("task.received") == 0
    assert await vhost.story(event.job) == ["generating", "generating", "task.generated"]


async def test_a_stage_may_end_the_path(vhost: Vhost) -> None:
    closed: list[str] = []

    async def close(event: Notified, _: None) -> None:
        closed.append(event.job.task)

    event = notified(deployed("last"))
    async with running(vhost, Stage("intake", Notified, close, time_limit_s=30)):
        await vhost.send(event)
        await until(lambda: bool(closed))
    assert await vhost.count("task.notified") == 0
    assert await vhost.story(event.job) == []


async def test_an_event_that_cannot_be_passed_on_is_not_lost(vhost: Vhost) -> None:
    async def tell(event: Deployed, _: None) -> Notified:
        return notified(event)

    next_queue = await vhost.channel.get_queue("task.notified", ensure=False)
    await next_queue.unbind("slipway", "task.notified")
    try:
        async with running(vhost, Stage("notifier", Deployed, tell, time_limit_s=30)):
            await vhost.send(deployed("unroutable"))
            await asyncio.sleep(0.3)
            await next_queue.bind("slipway", "task.notified")
            await vhost.take("task.notified")
    finally:
        await next_queue.bind("slipway", "task.notified")
    assert await vhost.count("task.deployed.dead") == 0


def test_progress_reports_bear_the_longest_message() -> None:
    # what _report cuts must still be a valid event
    Progress(job=a_job("long"), service="generator", state="dead", message="x" * 2000)


async def _says(question: object, answer: str) -> bool:
    assert callable(question)
    return str(await question()) == answer
