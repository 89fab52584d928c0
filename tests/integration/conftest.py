"""What integration tests share: the outside world, imitated by one sandbox process."""

from collections.abc import Iterator

import pytest

from slipway_sandbox.client import Sandbox
from slipway_sandbox.process import running_sandbox


@pytest.fixture(scope="session")
def sandbox_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One sandbox for the whole session: repositories add up, so tests use names of their own."""
    with running_sandbox(tmp_path_factory.mktemp("sandbox"), arguments=("--pages-build", "0")) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(sandbox_process: Sandbox) -> Sandbox:
    """The session's sandbox without faults, scripts and records of the test before; Pages builds take no time."""
    sandbox_process.reset()
    return sandbox_process
