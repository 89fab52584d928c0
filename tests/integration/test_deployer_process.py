"""The deployer as a process on a real broker: killed, stopped, paused, and what can be seen of it from outside."""

import asyncio
import time
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from deployer_world import TOKEN, DeployerWorld, deployer_world, made, new_job
from service_process import ServiceProcess, running_service
from shared_broker import SharedBroker
from stage_world import Vhost, open_vhost, until

from slipway_common.events import Deployed, Generated, read_event
from slipway_deployer.commit import trailers_of
from slipway_sandbox.client import Sandbox
from slipway_sandbox.records import Target


@pytest.fixture(scope="module")
def deployer_vhost_url(broker: SharedBroker, worker_id: str) -> str:
    """One for all tests here: a new one costs the broker a second."""
    return broker.add_vhost(f"deployer-{worker_id}")


def environment(sandbox: Sandbox) -> dict[str, str]:
    given = sandbox.environment()
    return {name: given[name] for name in given if name.startswith("GITHUB_")} | {
        "GITHUB_TOKEN": TOKEN,
        "SLIPWAY_FORGE": "sandbox",
        "SHUTDOWN_GRACE_S": "1",
    }


async def told_of(vhost: Vhost) -> Deployed:
    event = read_event((await vhost.take("task.deployed")).body).data
    assert isinstance(event, Deployed)
    return event


async def one_commit(world: DeployerWorld, event: Generated, told: Deployed) -> None:
    head = await world.head(event.job)
    assert [commit.trailers for commit in head.history] == [trailers_of(event.job)]
    assert told.commit_sha == head.commit
    assert told.live


@pytest.mark.parametrize(
    ("target", "match"),
    [
        ("git", "/info/refs"),  # the repository is made, nothing is in it
        ("github", "/pages"),  # the commit is there, its site is not
    ],
)
async def test_what_a_killed_deployer_began_is_finished_by_the_next(
    deployer_vhost_url: str, sandbox: Sandbox, tmp_path: Path, target: Target, match: str
) -> None:
    async with open_vhost(deployer_vhost_url) as vhost, deployer_world(sandbox) as world:
        event = made(new_job())
        with running_service("deployer", deployer_vhost_url, tmp_path, **environment(sandbox)) as service:
            fault = sandbox.fault(target, "hang", match=match, times=None)
            await vhost.send(event)
            await until(lambda: any(match in request for request in world.requests()))
            service.kill()
        sandbox.remove_fault(fault.id)
        with running_service("deployer", deployer_vhost_url, tmp_path, **environment(sandbox)):
            await one_commit(world, event, await told_of(vhost))
        assert sum(request == "POST /user/repos" for request in world.requests()) <= 2


async def test_a_call_without_an_answer_does_not_keep_it_from_stopping(
    deployer_vhost_url: str, sandbox: Sandbox, tmp_path: Path
) -> None:
    async with open_vhost(deployer_vhost_url) as vhost, deployer_world(sandbox) as world:
        event = made(new_job())
        with running_service("deployer", deployer_vhost_url, tmp_path, **environment(sandbox)) as service:
            sandbox.fault("git", "hang", match="/git-receive-pack", times=None)
            await vhost.send(event)
            await until(lambda: any("POST" in request and "receive-pack" in request for request in world.requests()))
            begun = time.monotonic()
            assert await asyncio.to_thread(service.stop) == 0
            assert time.monotonic() - begun < 10
        sandbox.remove_faults()
        with running_service("deployer", deployer_vhost_url, tmp_path, **environment(sandbox)):
            await one_commit(world, event, await told_of(vhost))


def read(service: ServiceProcess, path: str) -> str:
    return httpx.get(service.url + path, trust_env=False).text


def processes() -> list[tuple[bytes, bytes]]:
    """Command line and environment of every process on this machine that may be looked at."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it ended meanwhile, or is another user's
            found.append(((path / "cmdline").read_bytes(), (path / "environ").read_bytes()))
    return found


async def test_a_refused_token_pauses_it_and_burns_nothing(
    deployer_vhost_url: str, sandbox: Sandbox, tmp_path: Path
) -> None:
    async with open_vhost(deployer_vhost_url) as vhost, deployer_world(sandbox) as world:
        events = [made(new_job()) for _ in range(3)]
        with running_service("deployer", deployer_vhost_url, tmp_path, **environment(sandbox)) as service:
            with sandbox.faulty("github", "status", status=401, message="Bad credentials"):
                for event in events:
                    await vhost.send(event)
                await asyncio.to_thread(service.wait_for, "/health/ready", 503)
                assert "GITHUB_TOKEN" in read(service, "/health/ready")
            told = [await told_of(vhost) for _ in events]
            by_job = {item.job.id: item for item in told}
            for event in events:
                await one_commit(world, event, by_job[event.job.id])
                assert "retrying" not in await vhost.story(event.job)
            await asyncio.to_thread(service.wait_for, "/health/ready")
        assert await vhost.count("task.generated.dead") == 0


async def test_it_shows_its_budget_and_not_its_token(deployer_vhost_url: str, sandbox: Sandbox, tmp_path: Path) -> None:
    async with open_vhost(deployer_vhost_url) as vhost:
        with running_service("deployer", deployer_vhost_url, tmp_path, **environment(sandbox)) as service:
            await vhost.send(made(new_job()))
            await told_of(vhost)
            metrics, running = read(service, "/metrics"), processes()
        assert 'slipway_github_writes{window="minute"} 2.0' in metrics
        assert TOKEN not in metrics + service.log
        assert not any(TOKEN.encode() in arguments for arguments, _ in running)
        holders = [arguments for arguments, environment in running if TOKEN.encode() in environment]
        assert holders or not running, "it has the token from its environment"
        assert all(b"slipway_deployer" in arguments for arguments in holders), "and hands it to nobody"
