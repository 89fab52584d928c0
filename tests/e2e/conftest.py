"""What end-to-end tests share: a whole Slipway, real in every part that is ours, with the sandbox as its world."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from slipway_under_test import Slipway, running_slipway


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared_slipway(vhost_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Slipway]:
    """One Slipway for all tests of a worker that need no settings of their own."""
    async with running_slipway(tmp_path_factory.mktemp("slipway"), vhost_url) as running:
        yield running


@pytest.fixture
def slipway(shared_slipway: Slipway) -> Slipway:
    """The shared Slipway, its sandbox without faults, scripts and records of the test before."""
    shared_slipway.sandbox.reset()
    return shared_slipway
