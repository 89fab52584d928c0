"""When a page counts as live, what is done while it does not, and what is said when it never does."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from deployer_world import DeployerWorld, deployer_world, made, new_job
from stage_world import until

from slipway_deployer.deploy import SHIPPING_MARGIN_S, _patience
from slipway_sandbox.client import Sandbox

WORKFLOW = b"""on: push
jobs:
  publish:
    steps:
      - uses: actions/upload-pages-artifact@v3
        with:
          path: .
"""


@pytest.fixture
async def world(sandbox: Sandbox) -> AsyncIterator[DeployerWorld]:
    async with deployer_world(sandbox) as made_world:
        await made_world.tools.github.check_owner()
        sandbox.reset()
        yield made_world


def looks(world: DeployerWorld) -> int:
    return sum(record.target == "pages" for record in world.sandbox.requests())


async def test_old_bytes_are_not_taken_for_the_new_ones(world: DeployerWorld) -> None:
    job = new_job()
    await world.deploy(made(job))
    base = await world.head(job)
    world.sandbox.reset()
    world.sandbox.fault("pages", "stale", seconds=0.4)
    started = datetime.now(UTC)
    deployed = await world.deploy(made(new_job(job.task, round_=2), base=base))
    assert deployed.live
    assert datetime.now(UTC) - started >= timedelta(seconds=0.4)
    assert looks(world) > 2


async def test_a_build_that_failed_is_asked_for_again_once(world: DeployerWorld) -> None:
    world.sandbox.fault("pages", "errored", message="Page build failed.")
    deployed = await world.deploy(made(new_job()))
    assert deployed.live
    assert sum(request.endswith("/pages/builds") for request in world.requests()) == 1


async def test_a_page_that_never_comes_is_said_not_to_be_live_and_why(sandbox: Sandbox) -> None:
    async with deployer_world(sandbox, pages_wait_s=1.0) as world:
        sandbox.fault("pages", "errored", times=None, message="Your site is too large.")
        deployed = await world.deploy(made(new_job()))
        assert not deployed.live
        assert "404 for the whole site" in deployed.not_live
        assert "Your site is too large." in deployed.not_live
        assert deployed.commit_sha


async def test_a_page_that_keeps_its_old_bytes_is_said_not_to_be_live(sandbox: Sandbox) -> None:
    async with deployer_world(sandbox, pages_wait_s=0.6) as world:
        job = new_job()
        await world.deploy(made(job))
        base = await world.head(job)
        sandbox.fault("pages", "not_built", times=None)
        deployed = await world.deploy(made(new_job(job.task, round_=2), base=base))
        assert not deployed.live
        assert "still served other bytes" in deployed.not_live
        assert "building" in deployed.not_live


async def test_a_site_that_was_never_made_is_made(world: DeployerWorld) -> None:
    """Killed between the push and the request that makes the site."""
    event = made(new_job())
    world.sandbox.fault("github", "status", status=500, match="/pages", method="POST")
    story = await world.to_the_end(event)
    assert story.outcomes == ["Retry"]
    assert story.deployed.live
    assert not any(request.startswith("GET /repos") for request in world.requests()), "a 404 says enough"


async def test_a_repository_with_a_workflow_is_published_by_it(world: DeployerWorld) -> None:
    event = made(new_job(), {".github/workflows/ci.yml": WORKFLOW})
    assert (await world.deploy(event)).live
    site = await world.tools.github.pages(world.project(event.job).name)
    assert site is not None
    assert site.build_type == "workflow"


async def test_a_site_is_switched_when_a_workflow_comes_and_when_it_goes(world: DeployerWorld) -> None:
    job = new_job()
    name = world.project(job).name
    await world.deploy(made(job))
    second = made(new_job(job.task, round_=2), {".github/workflows/ci.yml": WORKFLOW}, base=await world.head(job))
    world.sandbox.reset()
    assert (await world.deploy(second)).live
    assert [request.split()[0] for request in world.requests()] == ["PUT", "GET", "POST"]
    site = await world.tools.github.pages(name)
    assert site is not None
    assert site.build_type == "workflow"

    third = made(new_job(job.task, round_=3), base=await world.head(job))
    kept = tuple(file for file in third.kept if not file.path.startswith(".github/"))
    assert (await world.deploy(third.model_copy(update={"kept": kept}))).live
    site = await world.tools.github.pages(name)
    assert site is not None
    assert site.build_type == "legacy"


async def test_the_page_of_a_commit_that_was_overtaken_counts_as_live(world: DeployerWorld) -> None:
    """The next round is pushed before this one's build is done, and the page never shows this one."""
    job = new_job()
    await world.deploy(made(job))
    base = await world.head(job)
    world.sandbox.fault("pages", "not_built")
    overtaken = asyncio.create_task(world.deploy(made(new_job(job.task, round_=2), base=base)))

    async def pushed() -> bool:
        return (await world.head(job)).commit != base.commit

    await until(pushed)
    middle = await world.head(job)
    assert (await world.deploy(made(new_job(job.task, round_=3), base=middle))).live
    told = await overtaken
    assert told.live
    assert told.commit_sha == middle.commit


async def test_a_rebuild_is_looked_for_in_what_it_changes(world: DeployerWorld) -> None:
    job = new_job()
    same = {"index.html": b"<title>same</title>"} | {f"{number}.txt": b"" for number in range(9)}
    await world.deploy(made(job, same | {"data.json": b"1"}))
    world.sandbox.fault("pages", "stale", seconds=0.3)
    started = datetime.now(UTC)
    other = made(new_job(job.task, nonce="again"), same | {"data.json": b"a longer one than the empty files"})
    assert (await world.deploy(other)).live
    assert datetime.now(UTC) - started >= timedelta(seconds=0.3)


@pytest.mark.parametrize(
    ("due_in_s", "wait_s"), [(600, 240), (120, 100), (30, SHIPPING_MARGIN_S), (10, 240), (-500, 240)]
)
def test_a_job_that_is_due_soon_waits_less_and_a_late_one_gets_it_all(due_in_s: float, wait_s: float) -> None:
    job = new_job()
    event = made(job.model_copy(update={"due_at": datetime.now(UTC) + timedelta(seconds=due_in_s)}))
    assert _patience(event, 240) == pytest.approx(wait_s, abs=1)
