"""What the deployer keeps to itself: credentials in what it is to publish, its own token, and everything on disk."""

import base64
import os
import sys
import traceback
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import pytest
from deployer_world import TOKEN, DeployerWorld, deployer_world, made, new_job
from structlog.testing import capture_logs

from slipway_common.stage import Outcome, Reject
from slipway_deployer.deploy import deploy
from slipway_sandbox.client import Sandbox
from slipway_sandbox.records import Target


@pytest.fixture
async def world(sandbox: Sandbox) -> AsyncIterator[DeployerWorld]:
    async with deployer_world(sandbox) as made_world:
        await made_world.tools.github.check_owner()
        sandbox.reset()
        yield made_world


@pytest.mark.parametrize("path", ["index.html", "README.md", "attached/data.csv"])
async def test_a_planted_key_never_leaves(world: DeployerWorld, path: str) -> None:
    key = "ghp_" + "A1b2" * 9
    event = made(new_job(), {path: f"<p>\n{key}\n".encode()})
    with pytest.raises(Reject) as caught:
        await deploy(event, world.tools)
    assert f"{path} line 2" in caught.value.reason
    assert key not in caught.value.reason
    assert world.requests() == []


async def test_our_own_token_never_leaves_in_a_file(world: DeployerWorld) -> None:
    with pytest.raises(Reject, match="own environment"):
        await deploy(made(new_job(), {"app.js": TOKEN.encode()}), world.tools)
    assert world.requests() == []


@contextmanager
def traces_on_this_machine() -> Iterator[list[str]]:
    """Every file that this process opens for writing and every program that it starts while the block runs."""
    found: list[str] = []
    watching = True

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if watching and event in ("subprocess.Popen", "os.fork", "os.exec", "os.posix_spawn", "os.system"):
            found.append(event)
        if watching and event == "open":
            path, mode, flags = arguments
            writes = isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR)
            if writes or (isinstance(mode, str) and set(mode) & set("wax+")):
                found.append(str(path))

    sys.addaudithook(hook)
    try:
        yield found
    finally:
        watching = False


async def test_no_file_is_written_and_no_program_started(world: DeployerWorld) -> None:
    event = made(new_job(), {"big.bin": os.urandom(2 * 1024 * 1024)})
    with traces_on_this_machine() as traces:
        await world.deploy(event)
        base = await world.head(event.job)
        await world.deploy(made(new_job(event.job.task, round_=2), base=base))
    assert traces == []


TARGETS: tuple[Target, ...] = ("github", "git")


async def test_the_token_is_told_to_nobody_but_github(world: DeployerWorld) -> None:
    job = new_job()
    told: list[str] = []
    with capture_logs() as logs:
        told.append((await world.deploy(made(job))).model_dump_json())
        for status in (500, 403, 401):
            for target in TARGETS:
                world.sandbox.fault(target, "status", status=status)
                with pytest.raises(Outcome) as caught:
                    await deploy(made(new_job()), world.tools)
                told += traceback.format_exception(caught.value)
                world.sandbox.remove_faults()
    told += [str(logs), *sys.orig_argv, repr(world.tools)]
    head = await world.head(job)
    told += [data.data.decode("latin-1") for data in head.files.values()] + [head.history[0].message]
    encoded = base64.b64encode(f"x-access-token:{TOKEN}".encode()).decode()
    assert len(told) > 8
    for text in told:
        assert TOKEN not in text
        assert encoded not in text
