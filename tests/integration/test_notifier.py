"""The notifier against a real evaluator over HTTP, and as a process on a real broker."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from service_process import running_service
from stage_world import deployed, open_vhost

from slipway_cli.ports import free_port
from slipway_common.events import Notified, read_event
from slipway_common.stage import Reject, Retry
from slipway_notifier.notify import Tools, notify, open_tools

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Evaluator:
    """An evaluator that keeps what it gets and answers as it is told; the last answer repeats."""

    def __init__(self, answers: list[int | Answer]) -> None:
        self.bodies: list[bytes] = []
        self.types: list[str] = []
        self.paths: list[str] = []
        self.url = ""
        self._answers = answers

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.bodies.append(await request.read())
        self.types.append(request.content_type)
        self.paths.append(f"{request.method} {request.path_qs}")
        answer = self._answers[min(len(self.bodies), len(self._answers)) - 1]
        if isinstance(answer, int):
            return web.Response(status=answer, headers={"Location": "/elsewhere"} if 300 <= answer < 400 else {})
        return await answer(request)


@asynccontextmanager
async def evaluator(*answers: int | Answer) -> AsyncIterator[Evaluator]:
    there = Evaluator(list(answers))
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", there.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    there.url = f"http://127.0.0.1:{port}/notify?key=evaluators-own-secret"
    try:
        yield there
    finally:
        await runner.cleanup()


@pytest.fixture
async def tools() -> AsyncIterator[Tools]:
    async with open_tools(20.0, 4, "0") as tools:
        yield tools


async def test_the_evaluator_gets_exactly_seven_fields(tools: Tools) -> None:
    async with evaluator(200) as there:
        event = deployed("seven", evaluation_url=there.url)
        told = await notify(event, tools)
    assert json.loads(there.bodies[0]) == {
        "email": "student@example.com", "task": "seven", "round": 1, "nonce": "n", "repo_url": "http://x/r",
        "commit_sha": "c" * 40, "pages_url": "http://x/p/",
    }  # fmt: skip
    assert (there.paths, there.types) == (["POST /notify?key=evaluators-own-secret"], ["application/json"])
    assert (told.status, told.tries, told.job, told.commit_sha) == (200, 1, event.job, event.commit_sha)


@pytest.mark.parametrize("status", [201, 202, 204, 301, 302, 303, 307, 308, 400, 404, 429, 500, 503])
async def test_only_200_counts_and_a_redirect_is_not_followed(tools: Tools, status: int) -> None:
    async with evaluator(status, 200) as there:
        with pytest.raises(Retry, match=f"answered {status}") as caught:
            await notify(deployed("not-200", evaluation_url=there.url), tools)
    assert len(there.bodies) == 1
    assert "secret" not in caught.value.reason


async def test_an_evaluator_that_does_not_answer_is_tried_again_later() -> None:
    async def hang(_: web.Request) -> web.StreamResponse:
        await asyncio.sleep(30)
        raise AssertionError("unreachable")

    async with evaluator(hang) as there, open_tools(0.5, 4, "0") as tools:
        with pytest.raises(Retry, match=r"did not answer within 0\.5 s"):
            await notify(deployed("hanging", evaluation_url=there.url), tools)


async def test_an_evaluator_that_is_not_there_is_tried_again_later(tools: Tools) -> None:
    url = f"http://127.0.0.1:{free_port()}/notify?key=evaluators-own-secret"
    with pytest.raises(Retry, match="could not be reached: ConnectError") as caught:
        await notify(deployed("absent", evaluation_url=url), tools)
    assert "secret" not in caught.value.reason


async def test_an_endless_answer_with_status_200_counts(tools: Tools) -> None:
    async def flood(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x" * 65536)

    async with evaluator(flood) as there:
        assert (await notify(deployed("flood", evaluation_url=there.url), tools)).status == 200


@pytest.mark.parametrize(
    "url", ["ftp://127.0.0.1/", "file:///etc/passwd", "127.0.0.1/notify", "http://", "http://[::1"]
)
async def test_a_url_that_cannot_be_notified_is_refused_for_good(tools: Tools, url: str) -> None:
    with pytest.raises(Reject, match="evaluation_url"):
        await notify(deployed("no-url", evaluation_url=url), tools)


async def test_it_tries_again_through_the_delay_queues_with_the_same_body(fresh_vhost_url: str, tmp_path: Path) -> None:
    async with open_vhost(fresh_vhost_url) as vhost, evaluator(503, 302, 200) as there:
        with running_service("notifier", fresh_vhost_url, tmp_path) as service:
            event = deployed("again", evaluation_url=there.url)
            await vhost.send(event)
            told = read_event((await vhost.take("task.notified")).body).data
            assert await asyncio.to_thread(service.stop) == 0
        assert isinstance(told, Notified)
        assert (told.status, told.tries) == (200, 3)
        assert there.paths == ["POST /notify?key=evaluators-own-secret"] * 3
        assert len(set(there.bodies)) == 1
        assert await vhost.story(event.job) == [
            "notifying", "retrying", "notifying", "retrying", "notifying", "task.notified",
        ]  # fmt: skip
        assert "student@example.com" not in service.log
        assert "evaluators-own-secret" not in service.log


async def test_it_gives_up_into_the_dead_letters(fresh_vhost_url: str, tmp_path: Path) -> None:
    async with open_vhost(fresh_vhost_url) as vhost, evaluator(500) as there:
        with running_service("notifier", fresh_vhost_url, tmp_path, NOTIFY_GIVE_UP_S="0.5"):
            body = await vhost.send(deployed("hopeless", evaluation_url=there.url))
            dead = await vhost.take("task.deployed.dead")
    assert dead.body == body
    assert dead.headers["x-slipway-message"] == "the evaluator answered 500; only 200 counts"
    assert len(there.bodies) == dead.headers["x-slipway-attempt"] == 2
