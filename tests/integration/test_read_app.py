"""Reading a published app over git: what is there, what is not, and what a broken answer is called."""

import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import httpx
import pytest
from aiohttp import web
from deployer_world import DeployerWorld, deployer_world, made, new_job

from slipway_common.git_http import GitBusyError, GitRefusedError, GitUnreachableError
from slipway_common.repository import read_app
from slipway_sandbox.client import Sandbox


@pytest.fixture
async def world(sandbox: Sandbox) -> AsyncIterator[DeployerWorld]:
    async with deployer_world(sandbox) as made_world:
        yield made_world


async def test_a_missing_and_an_empty_repository_are_none(world: DeployerWorld) -> None:
    job = new_job()
    assert await world.read(job) is None
    project = world.project(job)
    await world.tools.github.create_repository(project.name, project.description, "")
    assert await world.read(job) is None


async def test_a_read_is_shallow_unless_history_is_asked_for(world: DeployerWorld) -> None:
    job = new_job()
    shas = [(await world.deploy(made(job, {"old.txt": b"old"}))).commit_sha]
    for round_ in (2, 3):
        event = made(new_job(job.task, round_=round_), {"new.txt": str(round_).encode()}, base=await world.head(job))
        shas.append((await world.deploy(event)).commit_sha)
    for asked in (1, 2, 50):
        app = await world.read(job, history=asked)
        assert app is not None
        assert [commit.sha for commit in app.history] == shas[::-1][:asked]
        assert app.commit == shas[-1]
        assert app.files["new.txt"].data == b"3"
        assert app.blob(app.files["old.txt"].sha) == b"old"
        assert app.blob("0" * 40) is None
    record = (await world.head(job)).record
    assert record is not None
    assert [item.round for item in record.rounds] == [1, 2, 3]


async def test_a_record_that_somebody_broke_is_none_and_the_app_is_read(world: DeployerWorld) -> None:
    event = made(new_job())
    files = tuple(f.model_copy(update={"content": "{"}) if f.path.startswith(".slipway") else f for f in event.files)
    await world.deploy(event.model_copy(update={"files": files}))
    app = await world.head(event.job)
    assert app.record is None
    assert "index.html" in app.files


@pytest.mark.parametrize(
    ("status", "headers", "error"),
    [
        (500, {}, GitUnreachableError),
        (403, {}, GitRefusedError),
        (403, {"Retry-After": "7"}, GitBusyError),
        (429, {}, GitBusyError),
    ],
)
async def test_a_refusal_is_named(
    world: DeployerWorld, status: int, headers: dict[str, str], error: type[Exception]
) -> None:
    world.sandbox.fault("git", "status", status=status, headers=dict(headers))
    with pytest.raises(error) as caught:
        await world.read(new_job())
    if isinstance(caught.value, GitBusyError):
        assert caught.value.retry_after == (7 if headers else None)


@asynccontextmanager
async def relay(git_url: str, change: Callable[[bytes], bytes]) -> AsyncIterator[str]:
    """A git server that changes the pack of every answer, as a bad line would."""

    async def pass_on(request: web.Request) -> web.Response:
        body = await request.read()
        kept = {name: request.headers[name] for name in ("Content-Type", "Git-Protocol") if name in request.headers}
        answer = await client.request(request.method, git_url + request.path_qs, content=body, headers=kept)
        told = answer.content if request.method == "GET" else change(answer.content)
        return web.Response(body=told, headers={"Content-Type": answer.headers["Content-Type"]})

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", pass_on)
    runner = web.AppRunner(app)
    async with httpx.AsyncClient(trust_env=False) as client:
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()


def cut(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data))]


def flip(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data))
    return data[:at] + bytes([data[at] ^ (1 << chance.randrange(8))]) + data[at + 1 :]


def swallow(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data))
    return data[:at] + data[at + chance.randrange(1, 30) :]


@pytest.mark.parametrize("damage", [cut, flip, swallow])
async def test_a_damaged_answer_is_an_error_or_harmless(
    world: DeployerWorld, damage: Callable[[bytes, random.Random], bytes]
) -> None:
    job = new_job()
    await world.deploy(made(job, {"data.txt": b"0123456789" * 300}))
    whole = await world.head(job)
    project = world.project(job)
    chance = random.Random(damage.__name__)
    harmed = 0
    async with relay(world.settings.github_git_url, lambda data: damage(data, chance)) as url:
        for _ in range(60):
            try:
                app = await read_app(url, project.owner, project.name)
            except GitUnreachableError:
                harmed += 1
            else:
                assert app is not None
                assert app.files == whole.files
    assert harmed > 15, "the damage reaches the pack, not only what the server says beside it"


async def test_a_server_that_says_nothing_is_left_in_time(world: DeployerWorld) -> None:
    world.sandbox.fault("git", "hang", seconds=5.0)
    begun = time.monotonic()
    with pytest.raises(GitUnreachableError):
        await read_app(world.settings.github_git_url, "sandbox", "any", timeout_s=0.3)
    assert time.monotonic() - begun < 3


async def test_nobody_listening_is_unreachable() -> None:
    with pytest.raises(GitUnreachableError):
        await read_app("http://127.0.0.1:9", "sandbox", "any")
