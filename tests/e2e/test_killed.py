"""What dies in the middle comes again, and is done once."""

from pathlib import Path

import pytest
from ack_holder import holding_acks
from shared_broker import SharedBroker
from slipway_under_test import running_slipway

from slipway_cli.processes import Program

pytestmark = pytest.mark.asyncio(loop_scope="function")


async def test_a_generator_killed_after_its_publish_and_before_its_ack_makes_one_commit(
    fresh_vhost_url: str, broker: SharedBroker, tmp_path: Path
) -> None:
    async with holding_acks(fresh_vhost_url) as acks, running_slipway(tmp_path, fresh_vhost_url) as slipway:
        generator = slipway.stack.child("generator")
        await generator.stop(5)
        # a generator whose acks never arrive: it publishes task.generated and is killed before the broker hears of it
        behind_proxy = Program(
            name="generator-behind-proxy",
            module=generator.program.module,
            environment={**generator.program.environment, "AMQP_URL": acks.url},
            ready_url=generator.program.ready_url,
        )
        victim = await slipway.stack.supervisor.start(behind_proxy)
        acks.holding = True
        request = slipway.request()
        job = await slipway.submit(request)
        first = await slipway.ended(job)
        await acks.first_held.wait()
        victim.kill()
        await victim.wait()
        await slipway.stack.supervisor.start(generator.program)
        told_again = await slipway.until(lambda: len(slipway.told(request["nonce"])) > 1)
        assert told_again, "the event did not come again"
        replies = slipway.sandbox.replies()
        assert len(replies) == 2, "the model was not asked again: the event was not delivered twice"
        assert {told.body["commit_sha"] for told in slipway.told(request["nonce"])} == {first.commit_sha}
        assert len(slipway.commits(first)) == 1
