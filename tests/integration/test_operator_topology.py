"""`slipway topology` and `slipway replay` on a real broker."""

import uuid
from collections.abc import AsyncIterator

import pytest
from shared_broker import SharedBroker
from stage_world import deployed, received

from slipway_cli.operator.errors import OperatorError
from slipway_cli.operator.reach import Reach, reach_from
from slipway_cli.operator.replay import replay_job
from slipway_cli.operator.topology_check import differing_bindings, differing_objects
from slipway_common.bus import Bus
from slipway_common.events import EventData, dump_event, read_event
from slipway_common.topology import WORK_QUEUES, dead_queue, declare, topology


@pytest.fixture
def reach(fresh_vhost_url: str) -> Reach:
    return reach_from({"AMQP_URL": fresh_vhost_url}, None, {})


@pytest.fixture
async def bus(reach: Reach) -> AsyncIterator[Bus]:
    async with reach.bus() as bus:
        yield bus


async def apply(bus: Bus) -> None:
    async with bus.open_channel("test") as channel:
        await declare(channel, topology())


async def test_an_empty_broker_lacks_everything_and_is_left_empty(bus: Bus) -> None:
    wanted = topology()
    for _ in range(2):
        problems = await differing_objects(bus, wanted)
        assert len(problems) == len(wanted.exchanges) + len(wanted.queues)
        assert all(problem.endswith(": missing") for problem in problems)


async def test_what_was_applied_is_as_it_should_be(bus: Bus, reach: Reach, broker: SharedBroker) -> None:
    await apply(bus)
    await apply(bus)
    assert await differing_objects(bus, topology()) == []
    assert await differing_bindings(broker.management_url, reach.amqp_url, topology()) == []


async def test_each_difference_is_named(bus: Bus, reach: Reach, broker: SharedBroker) -> None:
    await apply(bus)
    async with bus.open_channel("test") as channel:
        await channel.queue_delete("task.received", if_unused=False, if_empty=False)
        await channel.declare_queue("task.received", durable=True, arguments={"x-queue-type": "quorum"})
        await channel.exchange_delete("slipway.delay.4s")
        queue = await channel.get_queue("task.generated")
        await queue.unbind("slipway", "task.generated")
        await queue.bind("slipway", "task.notified")

    objects = await differing_objects(bus, topology())
    assert len(objects) == 2
    assert "exchange slipway.delay.4s: missing" in objects
    [differs] = [problem for problem in objects if problem.startswith("queue task.received: ")]
    assert "inequivalent arg" in differs
    bindings = await differing_bindings(broker.management_url, reach.amqp_url, topology())
    assert "binding slipway -[task.generated]-> queue task.generated: missing" in bindings
    assert "binding slipway -[task.notified]-> queue task.generated: does not belong there" in bindings
    assert "binding slipway.delay.4s -[]-> queue slipway.delay.4s: missing" in bindings


async def test_a_management_api_that_is_none_is_said(reach: Reach) -> None:
    with pytest.raises(OperatorError, match=r"management API at http://127\.0\.0\.1:9 does not answer"):
        await differing_bindings("http://127.0.0.1:9", reach.amqp_url, topology())


async def test_no_broker_and_a_missing_queue_are_said_without_the_password() -> None:
    nowhere = reach_from({"AMQP_URL": "amqp://user:hush-hush@127.0.0.1:9/x"}, None, {})
    with pytest.raises(OperatorError, match=r"broker at 127\.0\.0\.1:9") as told:
        async with nowhere.bus() as bus, bus.open_channel("test"):
            pass
    assert "hush" not in str(told.value)


async def test_a_job_runs_again_from_a_stage_as_its_next_replay(bus: Bus) -> None:
    await apply(bus)
    asked, done, other = received("mine"), deployed("mine"), received("another")
    for event in (other, asked, done):
        await write(bus, event)
    await write(bus, asked.model_copy(update={"job": asked.job.model_copy(update={"replay": 2})}))

    assert await replay_job(bus, asked.job.id, "generator") == 3
    again = await next_event(bus, "task.received")
    assert again == asked.model_copy(update={"job": asked.job.model_copy(update={"replay": 3})})
    # what was replayed is in the history too, so that the next replay counts on
    assert await replay_job(bus, asked.job.id, "notifier") == 4
    assert (await next_event(bus, "task.deployed")).job.replay == 4

    with pytest.raises(OperatorError, match="never came to the deployer"):
        await replay_job(bus, asked.job.id, "deployer")
    with pytest.raises(OperatorError, match="knows no such job"):
        await replay_job(bus, str(uuid.uuid4()), "generator")
    for name in WORK_QUEUES:
        assert await waiting(bus, name) == await waiting(bus, dead_queue(name)) == 0


async def write(bus: Bus, event: EventData) -> None:
    await bus.write_history(dump_event(event, source="test"), event_type=event.type)  # type: ignore[arg-type]


async def next_event(bus: Bus, queue: str) -> EventData:
    async with bus.open_channel("test") as channel:
        message = await (await channel.get_queue(queue)).get()
        assert message is not None
        await message.ack()
        return read_event(message.body).data


async def waiting(bus: Bus, queue: str) -> int:
    async with bus.open_channel("test") as channel:
        return (await channel.declare_queue(queue, passive=True)).declaration_result.message_count or 0
