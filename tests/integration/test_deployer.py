"""The deployer against the sandbox's GitHub: how many requests, which commits, which bytes."""

import asyncio
import base64
import os
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from deployer_world import EMAIL, DeployerWorld, deployer_world, git, made, new_job

from slipway_common.events import AttachmentRef, File, Job, Received
from slipway_common.naming import repository_name
from slipway_common.project import ProjectRecord
from slipway_common.stage import Reject, Wait
from slipway_deployer.commit import trailers_of
from slipway_deployer.deploy import deploy
from slipway_sandbox.client import Sandbox


@pytest.fixture
async def world(sandbox: Sandbox) -> AsyncIterator[DeployerWorld]:
    async with deployer_world(sandbox) as made_world:
        await made_world.tools.github.check_owner()
        sandbox.reset()
        yield made_world


async def test_a_new_project_takes_four_requests(world: DeployerWorld) -> None:
    event = made(new_job())
    deployed = await world.deploy(event)
    name = repository_name(EMAIL, event.job.task)
    assert world.requests() == [
        "POST /user/repos",
        f"GET /sandbox/{name}/info/refs?service=git-receive-pack",
        f"POST /sandbox/{name}/git-receive-pack",
        f"POST /repos/sandbox/{name}/pages",
    ]
    assert deployed.live
    assert deployed.repo_url == f"{world.sandbox.git_url}/sandbox/{name}"
    assert deployed.pages_url == world.sandbox.pages_url("sandbox", name)
    head = await world.head(event.job)
    assert head.commit == deployed.commit_sha
    assert head.history[0].trailers == trailers_of(event.job)
    assert int(head.committed_at.timestamp()) == int(event.job.accepted_at.timestamp())


async def test_a_revision_takes_two_requests_and_a_read_two(world: DeployerWorld) -> None:
    first = made(new_job())
    await world.deploy(first)
    world.sandbox.reset()
    base = await world.head(first.job)
    assert len(world.requests()) == 2
    assert all(request.split()[1].startswith("/sandbox/") for request in world.requests()), "only git is asked"
    world.sandbox.reset()
    second = made(new_job(first.job.task, round_=2), base=base)
    deployed = await world.deploy(second)
    assert [request.split()[0] for request in world.requests()] == ["GET", "POST"]
    assert deployed.live
    assert [commit.sha for commit in (await world.head(first.job)).history] == [deployed.commit_sha, base.commit]


async def test_an_event_that_comes_again_takes_one_request(world: DeployerWorld) -> None:
    first = made(new_job())
    told = await world.deploy(first)
    world.sandbox.reset()
    assert (await world.again(first)).commit_sha == told.commit_sha
    assert len(world.requests()) == 1
    second = made(new_job(first.job.task, round_=2), base=await world.head(first.job))
    told = await world.deploy(second)
    world.sandbox.reset()
    assert (await world.again(second)).commit_sha == told.commit_sha
    assert len(world.requests()) == 1
    assert len((await world.head(first.job)).history) == 2


@pytest.mark.parametrize("recognised", [True, False], ids=["redelivered", "a double"])
@pytest.mark.parametrize("round_", [1, 2])
async def test_a_job_built_twice_with_other_bytes_is_one_commit(
    world: DeployerWorld, round_: int, recognised: bool
) -> None:
    job = new_job()
    base = None
    if round_ == 2:
        await world.deploy(made(job))
        base, job = await world.head(job), new_job(job.task, round_=2)
    first = await world.deploy(made(job, base=base))
    second = made(job, base=base)
    again = await (world.again(second) if recognised else world.deploy(second))
    assert again.commit_sha == first.commit_sha
    assert again.live
    assert (again.repo_url, again.pages_url) == (first.repo_url, first.pages_url)
    assert len((await world.head(job)).history) == round_


async def test_a_job_built_again_on_top_of_its_own_commit_is_one_commit(world: DeployerWorld) -> None:
    first = made(new_job())
    told = await world.deploy(first)
    again = made(first.job, base=await world.head(first.job))
    assert (await world.deploy(again)).commit_sha == told.commit_sha
    assert len((await world.head(first.job)).history) == 1


async def test_a_job_is_found_below_the_commits_that_came_after_it(world: DeployerWorld) -> None:
    job = new_job()
    first = made(job)
    told = await world.deploy(first)
    for round_ in (2, 3):
        await world.deploy(made(new_job(job.task, round_=round_), base=await world.head(job)))
    again = await world.again(made(job))
    assert again.commit_sha == told.commit_sha
    assert again.live, "the page shows a later commit, and that is looked for"
    assert len((await world.head(job)).history) == 3


async def test_a_replay_is_a_commit_of_its_own(world: DeployerWorld) -> None:
    job = new_job()
    first = await world.deploy(made(job))
    replayed = await world.deploy(made(job.model_copy(update={"replay": 1}), base=await world.head(job)))
    assert replayed.commit_sha != first.commit_sha
    assert [commit.trailers["Replay"] for commit in (await world.head(job)).history] == ["1", "0"]


async def test_round_1_with_a_new_nonce_replaces_the_tree_in_a_new_commit(world: DeployerWorld) -> None:
    job = new_job()
    await world.deploy(made(job, {"old.js": b"1"}))
    other = new_job(job.task, nonce="other", minute=1)
    deployed = await world.deploy(made(other))
    head = await world.head(job)
    assert head.commit == deployed.commit_sha
    assert len(head.history) == 2
    assert "old.js" not in head.files
    assert head.record is not None
    assert [head.record.commits_of(one) for one in (job, other)] == [1, 1]


async def test_a_branch_that_moved_gives_the_job_back_as_it_came(world: DeployerWorld) -> None:
    job = new_job()
    data = b"a,b\r\n1,2\r\n"
    csv = AttachmentRef(name="sub/data.csv", path="sub/data.csv", media_type="text/csv", size=len(data))
    readme = AttachmentRef(name="README.md", path="README.md", media_type="text/markdown", size=7)
    refs = (csv, readme)
    await world.deploy(made(job, {"sub/data.csv": data, "README.md": b"# Mine\n\n## Ours"}, attachments=refs))
    base = await world.head(job)
    await world.deploy(made(new_job(job.task, round_=2, nonce="first"), base=base))
    late = new_job(job.task, round_=2, nonce="second")
    for inline in (frozenset[str](), frozenset({"sub/data.csv", "README.md"})):
        event = made(late, base=base, attachments=refs, inline=inline, hand_backs=2)
        assert bool(inline) == any(file.path == "README.md" for file in event.files)
        back = await deploy(event, world.tools)
        assert isinstance(back, Received)
        assert (back.job, back.brief, back.hand_backs) == (late, event.request.brief, 3)
        assert [(item.name, item.url) for item in back.attachments] == [
            ("sub/data.csv", "data:text/csv;base64," + base64.b64encode(data).decode()),
            ("README.md", "data:text/markdown;base64," + base64.b64encode(b"# Mine\n").decode()),
        ]
    assert len((await world.head(job)).history) == 2


async def test_a_round_that_was_built_whole_is_given_back_when_its_predecessor_has_come(world: DeployerWorld) -> None:
    job = new_job()
    whole = made(new_job(job.task, round_=2))
    await world.deploy(made(job))
    assert isinstance(await deploy(whole, world.tools), Received)
    assert len((await world.head(job)).history) == 1


async def test_two_first_rounds_at_once_are_two_commits(world: DeployerWorld) -> None:
    job = new_job()
    both = [made(job), made(new_job(job.task, nonce="other"))]
    results = await asyncio.gather(*(world.to_the_end(event) for event in both))
    head = await world.head(job)
    assert {commit.sha for commit in head.history} == {story.deployed.commit_sha for story in results}
    assert len(head.history) == 2
    assert head.record is not None
    assert [head.record.commits_of(event.job) for event in both] == [1, 1]


async def test_giving_back_has_an_end(world: DeployerWorld) -> None:
    job = new_job()
    await world.deploy(made(job))
    base = await world.head(job)
    await world.deploy(made(new_job(job.task, round_=2, nonce="first"), base=base))
    event = made(new_job(job.task, round_=2, nonce="second"), base=base, hand_backs=world.settings.max_hand_backs)
    with pytest.raises(Reject, match="moved 30 times"):
        await deploy(event, world.tools)


async def test_a_round_is_superseded_by_a_higher_one_that_was_accepted_later(world: DeployerWorld) -> None:
    job = new_job()
    await world.deploy(made(job))
    base = await world.head(job)
    await world.deploy(made(new_job(job.task, round_=3, minute=2), base=base))
    with pytest.raises(Reject, match="superseded"):
        await deploy(made(new_job(job.task, round_=2, minute=1), base=base), world.tools)
    later = await deploy(made(new_job(job.task, round_=2, minute=3), base=base), world.tools)
    assert isinstance(later, Received), "accepted after that commit, it goes on"


async def test_ten_rounds_at_once_and_three_nonces_are_thirteen_commits_in_a_row(world: DeployerWorld) -> None:
    """Each round waits for the one before it, as the generator makes it; what is given back is made again."""
    task = new_job().task
    jobs = [new_job(task, round_=number) for number in range(1, 11)]
    jobs += [new_job(task, round_=10, nonce=f"other {number}") for number in range(3)]
    made_calls: dict[str, int] = {}

    async def run(job: Job) -> str:
        back = 0
        while True:
            app = await world.read(job)
            record = (app.record if app else None) or ProjectRecord()
            if max((item.round for item in record.rounds), default=0) < job.round - 1:
                await asyncio.sleep(0.1)
                continue
            made_calls[job.id] = made_calls.get(job.id, 0) + 1
            result = await deploy(made(job, base=app, hand_backs=back), world.tools)
            if isinstance(result, Received):
                back = result.hand_backs
                continue
            return result.commit_sha

    shas = await asyncio.gather(*map(run, jobs))
    history = (await world.head(jobs[0])).history
    assert [commit.sha for commit in reversed(history[-10:])][:9] == shas[:9]
    assert {commit.sha for commit in history} == set(shas)
    assert len(history) == 13
    assert [int(commit.trailers["Round"]) for commit in reversed(history)] == [*range(1, 11), 10, 10, 10]
    assert all(made_calls[job.id] == 1 for job in jobs[:9])


async def test_fifty_projects_at_once(world: DeployerWorld) -> None:
    events = [made(new_job()) for _ in range(50)]
    results = await asyncio.gather(*map(world.deploy, events))
    assert all(result.live for result in results)
    assert len(world.requests()) == 4 * 50
    heads = await asyncio.gather(*(world.head(event.job) for event in events))
    assert [head.commit for head in heads] == [result.commit_sha for result in results]
    assert all(len(head.history) == 1 for head in heads)


async def test_every_kind_of_file_arrives_byte_for_byte(world: DeployerWorld, tmp_path: Path) -> None:
    workflow = b"on: push\njobs: {}\n"
    files = {
        "index.html": b"<!DOCTYPE html>\r\n<title>CRLF</title>\r\n",
        "daten/größe 日本.txt": "ünïcode\n".encode(),
        "empty.txt": b"",
        "big.bin": os.urandom(5 * 1024 * 1024),
        "no newline": b"x",
        ".github/workflows/ci.yml": workflow,
        **{f"many/{number % 7}/file-{number}.txt": f"{number}\n".encode() * number for number in range(195)},
    }
    job = new_job()
    event = made(job, files)
    script = File.of("bin/run.sh", b"#!/bin/sh\necho hi\n", "100755")
    event = event.model_copy(update={"files": (*event.files, script)})
    files |= {file.path: file.data for file in event.files}
    async with deployer_world(world.sandbox, pages_wait_s=0.5) as patient:
        deployed = await patient.deploy(event)
    clone = world.clone(job, tmp_path / "clone")
    found = {
        str(path.relative_to(clone)): path.read_bytes()
        for path in clone.rglob("*")
        if path.is_file() and ".git" not in path.relative_to(clone).parts[:1]
    }
    assert len(found) > 200
    assert found == files | {".nojekyll": b""}
    assert git("rev-parse", "HEAD", cwd=clone) == deployed.commit_sha
    executable = [path for path in found if (clone / path).stat().st_mode & stat.S_IXUSR]
    assert executable == ["bin/run.sh"]
    git("fsck", "--strict", cwd=clone)

    base = await world.head(job)
    assert {path: file.data for path, file in base.files.items()} == found
    assert base.files["bin/run.sh"].mode == "100755"
    world.sandbox.reset()
    revision = made(new_job(job.task, round_=2), base=base)
    assert {file.path for file in revision.files} == {"index.html", ".slipway/task.json"}
    async with deployer_world(world.sandbox, pages_wait_s=0.5) as patient:
        await patient.deploy(revision)
    git("pull", "-q", cwd=clone)
    assert (clone / "big.bin").read_bytes() == files["big.bin"]
    assert (clone / ".github/workflows/ci.yml").read_bytes() == workflow
    assert (clone / "bin/run.sh").stat().st_mode & stat.S_IXUSR


async def test_a_path_out_of_the_repository_is_rejected(world: DeployerWorld) -> None:
    with pytest.raises(Reject, match=r"'\.\./x' cannot be committed"):
        await deploy(made(new_job(), {"../x": b""}), world.tools)


async def test_the_budget_is_kept_before_github_says_so(sandbox: Sandbox) -> None:
    async with deployer_world(sandbox, github_writes_per_minute=3) as world:
        await world.deploy(made(new_job()))
        second = made(new_job())
        with pytest.raises(Wait) as caught:
            await deploy(second, world.tools)
        assert 50 < caught.value.after <= 60
        assert len([request for request in world.requests() if request.startswith("POST /user")]) == 2
        assert await world.head(second.job), "what was counted is done: the commit is there, its site will be"
