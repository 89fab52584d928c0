"""Whose repositories the deployer uses: those that it made, for a user or an organisation, and nobody else's."""

import base64
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from deployer_world import TOKEN, DeployerWorld, deployer_world, git, made, new_job

from slipway_common.stage import Pause, Reject
from slipway_deployer.deploy import check_forge, deploy
from slipway_sandbox.client import Sandbox


@pytest.fixture
async def world(sandbox: Sandbox) -> AsyncIterator[DeployerWorld]:
    async with deployer_world(sandbox) as made_world:
        await made_world.tools.github.check_owner()
        sandbox.reset()
        yield made_world


async def test_a_repository_that_slipway_did_not_make_is_left_alone(world: DeployerWorld) -> None:
    job = new_job()
    world.sandbox.fault("github", "name_taken")
    with pytest.raises(Reject, match="not made by Slipway"):
        await deploy(made(job), world.tools)
    assert await world.read(job) is None
    assert not any("receive-pack" in request for request in world.requests())


async def test_a_base_without_our_record_is_not_taken_for_ours(world: DeployerWorld, tmp_path: Path) -> None:
    """Somebody's own repository of that very name, found by the generator."""
    job = new_job()
    world.sandbox.fault("github", "name_taken")
    with pytest.raises(Reject):
        await deploy(made(job), world.tools)
    clone = world.clone(job, tmp_path / "theirs")
    (clone / "index.html").write_text("theirs")
    git("add", ".", cwd=clone)
    identity = ("-c", "user.name=x", "-c", "user.email=x@example.org")
    git(*identity, "commit", "-qm", "theirs", cwd=clone)
    authorization = f"Authorization: Basic {base64.b64encode(f'x:{TOKEN}'.encode()).decode()}"
    git("-c", f"http.extraHeader={authorization}", "push", "-q", "origin", "HEAD:main", cwd=clone)
    base = await world.head(job)
    with pytest.raises(Reject, match="not made by Slipway"):
        await deploy(made(new_job(job.task, round_=2), base=base), world.tools)
    assert (await world.head(job)).commit == base.commit


async def test_an_empty_repository_with_our_mark_is_used(world: DeployerWorld) -> None:
    """Killed between the creating POST and the first push."""
    event = made(new_job())
    project = world.project(event.job)
    await world.tools.github.create_repository(project.name, project.description, project.pages_url)
    assert (await world.again(event)).live
    assert len((await world.head(event.job)).history) == 1


async def test_an_organisation_can_own_the_repositories(sandbox: Sandbox) -> None:
    async with deployer_world(sandbox, github_username="sandbox-org") as world:
        event = made(new_job())
        assert (await world.deploy(event)).live
        assert world.requests()[:2] == ["GET /user", "POST /orgs/sandbox-org/repos"]
        assert (await world.head(event.job)).commit


async def test_an_installation_makes_repositories_for_its_organisation_and_for_no_user(sandbox: Sandbox) -> None:
    token = "ghs_" + "a1B2" * 9
    async with deployer_world(sandbox, github_token=token, github_username="sandbox-org") as world:
        assert (await world.deploy(made(new_job()))).live
        await check_forge(world.tools)
    async with deployer_world(sandbox, github_token=token) as world:
        with pytest.raises(Pause, match="sandbox"):
            await deploy(made(new_job()), world.tools)


async def test_a_pages_address_that_is_not_known_is_asked_for(sandbox: Sandbox) -> None:
    async with deployer_world(sandbox, github_pages_url="") as world:
        event = made(new_job())
        deployed = await world.deploy(event)
        assert deployed.pages_url == sandbox.pages_url("sandbox", world.project(event.job).name)
        assert deployed.live
