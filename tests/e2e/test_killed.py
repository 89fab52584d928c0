"""What dies in the middle comes again, and is done once."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from ack_holder import holding_acks
from slipway_under_test import Slipway, running_slipway

from slipway_cli.processes import Program

pytestmark = pytest.mark.asyncio(loop_scope="function")


@asynccontextmanager
async def generator_killed_before_its_ack(
    amqp_url: str, folder: Path, *, stopped: str | None = None
) -> AsyncIterator[tuple[Slipway, dict[str, Any]]]:
    """A Slipway whose generator has published one app, was killed before the broker had its ack, and runs again.

    The service `stopped` was ended before; the block may start it again.
    """
    async with holding_acks(amqp_url) as acks, running_slipway(folder, amqp_url, chromium=False) as slipway:
        for name in filter(None, ("generator", stopped)):
            await slipway.stack.child(name).stop(5)
        generator = slipway.stack.child("generator").program
        behind_proxy = Program(
            name="generator-behind-proxy",
            module=generator.module,
            environment={**generator.environment, "AMQP_URL": acks.url},
            ready_url=generator.ready_url,
        )
        victim = await slipway.stack.supervisor.start(behind_proxy)
        acks.holding = True
        request = slipway.request()
        await slipway.submit(request)
        await acks.first_held.wait()
        victim.kill()
        await victim.wait()
        if stopped is None:
            assert await slipway.until(lambda: slipway.told(request["nonce"]) != [])
        await slipway.stack.supervisor.start(generator)
        yield slipway, request


async def check_one_commit(slipway: Slipway, request: dict[str, Any]) -> None:
    assert await slipway.until(lambda: len(slipway.told(request["nonce"])) > 1), "the event did not come again"
    view = await slipway.ended(await slipway.submit(request))
    assert slipway.told_commits(request["nonce"]) == {view.commit_sha}
    assert slipway.commits(view) == [view.commit_sha]


async def test_two_versions_of_one_job_become_one_commit(fresh_vhost_url: str, tmp_path: Path) -> None:
    async with generator_killed_before_its_ack(fresh_vhost_url, tmp_path, stopped="deployer") as (slipway, request):
        assert await slipway.until(lambda: len(slipway.sandbox.replies()) == 2), "the model was not asked again"
        await slipway.stack.supervisor.start(slipway.stack.child("deployer").program)
        await check_one_commit(slipway, request)


async def test_an_event_that_comes_again_after_its_commit_costs_no_model_call(
    fresh_vhost_url: str, tmp_path: Path
) -> None:
    async with generator_killed_before_its_ack(fresh_vhost_url, tmp_path) as (slipway, request):
        await check_one_commit(slipway, request)
        assert len(slipway.sandbox.replies()) == 1
