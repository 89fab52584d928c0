"""Every answer that GitHub is known to give to a deployment, alone and after a creation that raced: all end right."""

import itertools
from collections.abc import AsyncIterator

import pytest
from deployer_world import DeployerWorld, deployer_world, made, new_job
from pydantic import JsonValue

from slipway_common.events import Received
from slipway_common.stage import Pause, Reject, Retry, Wait
from slipway_deployer.commit import trailers_of
from slipway_deployer.deploy import check_forge, deploy
from slipway_deployer.github import GitHub
from slipway_deployer.rate import RateBudget
from slipway_sandbox.client import Sandbox
from slipway_sandbox.records import Target

Fault = tuple[Target, str, dict[str, JsonValue]]

CREATE: dict[str, JsonValue] = {"match": "/user/repos", "method": "POST"}
REFS: dict[str, JsonValue] = {"match": "/info/refs"}
PUSH: dict[str, JsonValue] = {"match": "/git-receive-pack", "method": "POST"}
PAGES: dict[str, JsonValue] = {"match": "/pages", "method": "POST"}

WHILE_CREATING: dict[str, Fault] = {
    "create 500": ("github", "status", {**CREATE, "status": 500}),
    "create 502 but done": ("github", "done_then_502", CREATE),
    "create cut": ("github", "drop", CREATE),
}
SLOW_WHILE_CREATING: dict[str, Fault] = {
    "create done, no answer": ("github", "timeout", {**CREATE, "seconds": 3.0}),
    "create hangs": ("github", "hang", {**CREATE, "seconds": 3.0}),
    "create secondary limit": ("github", "secondary_rate_limit", {**CREATE, "retry_after": 1}),
    "create 429": ("github", "secondary_rate_limit", {**CREATE, "retry_after": 0, "status": 429}),
    "create primary limit": ("github", "primary_rate_limit", {**CREATE, "reset_s": 1}),
}
AFTERWARDS: dict[str, Fault] = {
    "refs 500": ("git", "status", {**REFS, "status": 500}),
    "refs cut": ("git", "drop", REFS),
    "repository not seen by git": ("git", "delayed_visibility", {}),
    "push 503": ("git", "status", {**PUSH, "status": 503}),
    "push 502 but done": ("git", "done_then_502", PUSH),
    "push cut": ("git", "drop", PUSH),
    "repository not seen by pages": ("github", "delayed_visibility", PAGES),
    "pages conflict with creation": ("github", "delayed_visibility", {**PAGES, "status": 409}),
    "pages see no branch": ("github", "status", {**PAGES, "status": 422, "message": "The main branch must exist"}),
    "pages 500": ("github", "status", {**PAGES, "status": 500}),
    "pages 502 but done": ("github", "done_then_502", PAGES),
    "pages cut": ("github", "drop", PAGES),
}
SLOW_AFTERWARDS: dict[str, Fault] = {
    "push done, no answer": ("git", "timeout", {**PUSH, "seconds": 3.0}),
    "pages done, no answer": ("github", "timeout", {**PAGES, "seconds": 3.0}),
    "pages secondary limit": ("github", "secondary_rate_limit", {**PAGES, "retry_after": 0}),
    "git 429": ("git", "status", {**PUSH, "status": 429, "headers": {"Retry-After": "0"}}),
}
ALL = WHILE_CREATING | SLOW_WHILE_CREATING | AFTERWARDS | SLOW_AFTERWARDS


@pytest.fixture
async def world(sandbox: Sandbox) -> AsyncIterator[DeployerWorld]:
    async with deployer_world(sandbox) as made_world:
        await made_world.tools.github.check_owner()
        sandbox.reset()
        yield made_world


@pytest.fixture
async def hasty_world(sandbox: Sandbox) -> AsyncIterator[DeployerWorld]:
    """One that does not wait long for an answer."""
    async with deployer_world(sandbox, github_timeout_s=1, git_timeout_s=1.0) as made_world:
        await made_world.tools.github.check_owner()
        sandbox.reset()
        yield made_world


def switch_on(world: DeployerWorld, fault: Fault) -> None:
    target, kind, options = fault
    world.sandbox.fault(target, kind, **options)  # type: ignore[arg-type]


async def ends_right(world: DeployerWorld, *names: str) -> list[str]:
    """Deploys a new project under these faults and checks what is there then; the outcomes on the way."""
    event = made(new_job())
    for name in names:
        switch_on(world, ALL[name])
    story = await world.to_the_end(event)
    assert world.sandbox.faults() == [], "every fault struck"
    head = await world.head(event.job)
    assert [commit.trailers for commit in head.history] == [trailers_of(event.job)], "one commit, this job's"
    assert story.deployed.commit_sha == head.commit
    assert story.deployed.live
    assert {path: file.data for path, file in head.files.items()} == (
        {file.path: file.data for file in event.files} | {".nojekyll": b""}
    )
    return story.outcomes


@pytest.mark.parametrize("name", ALL)
async def test_a_fault_ends_right(hasty_world: DeployerWorld, name: str) -> None:
    outcomes = await ends_right(hasty_world, name)
    assert set(outcomes) <= {"Retry", "Wait"}
    assert ("Wait" in outcomes) is any(word in name for word in ("limit", "429"))


@pytest.mark.parametrize(("first", "second"), itertools.product(WHILE_CREATING, AFTERWARDS))
async def test_a_creation_that_raced_and_another_fault_end_right(world: DeployerWorld, first: str, second: str) -> None:
    await ends_right(world, first, second)


@pytest.mark.parametrize("second", SLOW_AFTERWARDS)
async def test_a_creation_that_raced_and_a_slow_fault_end_right(hasty_world: DeployerWorld, second: str) -> None:
    await ends_right(hasty_world, "create 502 but done", second)


async def test_a_repository_that_takes_its_time_to_be_seen_is_waited_for(world: DeployerWorld) -> None:
    world.sandbox.fault("git", "delayed_visibility", times=2)
    world.sandbox.fault("github", "delayed_visibility", times=2, match="/pages")
    story = await world.to_the_end(made(new_job()))
    assert story.outcomes == [], "within the first attempt"
    assert story.deployed.live


@pytest.mark.parametrize("first", ["create done, no answer", "create primary limit"])
async def test_a_slow_creation_and_a_push_of_unknown_outcome_end_right(hasty_world: DeployerWorld, first: str) -> None:
    await ends_right(hasty_world, first, "push 502 but done")


@pytest.mark.parametrize("name", ["refs 500", "refs cut", "push 503", "push 502 but done", "push cut"])
async def test_a_revision_ends_right_too(world: DeployerWorld, name: str) -> None:
    job = new_job()
    await world.deploy(made(job))
    second = made(new_job(job.task, round_=2), base=await world.head(job))
    switch_on(world, ALL[name])
    story = await world.to_the_end(second)
    assert story.outcomes == ["Retry"]
    head = await world.head(job)
    assert head.commit == story.deployed.commit_sha
    assert len(head.history) == 2


async def test_a_refused_token_pauses_until_it_is_taken_again(world: DeployerWorld) -> None:
    with world.sandbox.faulty("github", "status", status=401, message="Bad credentials"):
        with pytest.raises(Pause, match="GITHUB_TOKEN"):
            await deploy(made(new_job()), world.tools)
        with pytest.raises(Exception, match="401"):
            await check_forge(world.tools)
    await check_forge(world.tools)


async def test_a_token_that_git_refuses_pauses(world: DeployerWorld) -> None:
    job = new_job()
    await world.deploy(made(job))
    second = made(new_job(job.task, round_=2), base=await world.head(job))
    world.sandbox.fault("git", "status", status=401)
    with pytest.raises(Pause, match="GITHUB_TOKEN"):
        await deploy(second, world.tools)


async def test_a_missing_permission_pauses_and_says_which(world: DeployerWorld) -> None:
    message = "Resource not accessible by personal access token"
    world.sandbox.fault("github", "status", status=403, message=message)
    with pytest.raises(Pause, match=f"{message}.*Administration, Contents, Pages"):
        await deploy(made(new_job()), world.tools)
    world.sandbox.fault("git", "status", status=403, match="git-receive-pack", method="POST")
    with pytest.raises(Pause, match="Contents"):
        await deploy(made(new_job()), world.tools)


async def test_an_organisation_that_is_not_there_pauses(sandbox: Sandbox) -> None:
    async with deployer_world(sandbox, github_username="nobody-knows-it") as world:
        with pytest.raises(Pause, match="nobody-knows-it"):
            await deploy(made(new_job()), world.tools)


async def test_what_github_finds_invalid_is_rejected(world: DeployerWorld) -> None:
    world.sandbox.fault("github", "status", status=422, message="description is too long", match="/user/repos")
    with pytest.raises(Reject, match="description is too long"):
        await deploy(made(new_job()), world.tools)


async def test_an_archived_repository_is_rejected(world: DeployerWorld) -> None:
    job = new_job()
    await world.deploy(made(job))
    base = await world.head(job)
    github = world.tools.github
    await github._json("PATCH", f"/repos/sandbox/{world.project(job).name}", {"archived": True})
    with pytest.raises(Reject, match="archived"):
        await deploy(made(new_job(job.task, round_=2), base=base), world.tools)
    with pytest.raises(Reject, match="archived"):
        await deploy(made(new_job(job.task, nonce="again")), world.tools)


async def test_a_repository_deleted_since_the_app_was_made_gives_the_job_back(world: DeployerWorld) -> None:
    job = new_job()
    await world.deploy(made(job))
    event = made(new_job(job.task, round_=2), base=await world.head(job))
    await world.tools.github._json("DELETE", f"/repos/sandbox/{world.project(job).name}")
    back = await deploy(event, world.tools)
    assert isinstance(back, Received)
    assert back.hand_backs == 1


async def test_a_branch_that_is_said_to_move_and_did_not_is_no_reason_to_build_again(world: DeployerWorld) -> None:
    """The reading side of GitHub lags: the job is tried again, not given back."""
    job = new_job()
    await world.deploy(made(job))
    base = await world.head(job)
    second = made(new_job(job.task, round_=2), base=base)
    told = await world.deploy(second)
    double = made(second.job, base=base)
    world.sandbox.fault("git", "delayed_visibility", match="upload-pack", times=2)
    assert (await world.deploy(double)).commit_sha == told.commit_sha


async def test_a_limit_without_a_time_is_a_minute_then_two_and_nothing_is_sent_meanwhile(sandbox: Sandbox) -> None:
    async with deployer_world(sandbox) as world:
        await world.tools.github.check_owner()
        sandbox.reset()
        sandbox.fault("github", "secondary_rate_limit", retry_after=None)
        with pytest.raises(Wait) as caught:
            await deploy(made(new_job()), world.tools)
        assert caught.value.after == 60
        with pytest.raises(Wait) as caught:
            await deploy(made(new_job()), world.tools)
        assert 55 < caught.value.after <= 60
        assert len(world.requests()) == 1
    github = GitHub(sandbox.api_url, "sandbox", "sandbox", budget=RateBudget(10, 10), timeout_s=1)
    assert [github._hold({}) for _ in range(6)] == [60, 120, 240, 480, 900, 900]


async def test_what_stays_broken_is_retried_and_names_what_is_broken(world: DeployerWorld) -> None:
    with (
        world.sandbox.faulty("git", "status", status=500),
        pytest.raises(Retry, match=r"/git/sandbox/[\w-]+/: HTTP 500"),
    ):
        await deploy(made(new_job()), world.tools)
