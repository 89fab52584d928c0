"""The intake as a process on a real broker: what it makes of the history, and who may see it."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from service_process import ADMIN_TOKEN, ServiceProcess, running_service
from shared_broker import SharedBroker
from stage_world import Vhost, deployed, notified, open_vhost, received, until

from slipway_cli.ports import free_port
from slipway_common.delivery import Delivery, origin_headers
from slipway_common.events import (
    AnyEvent,
    CheckResult,
    EditReport,
    Generated,
    Job,
    Progress,
    Report,
    Request,
    dump_event,
)
from slipway_common.sign_in import sign_in_code
from slipway_common.topology import DEAD_EXCHANGE

SECRET = "senders-own-secret"
TOKEN = {"Authorization": f"Bearer {ADMIN_TOKEN}"}


@pytest.fixture(scope="module")
def status_vhost(broker: SharedBroker, worker_id: str) -> str:
    return broker.add_vhost(f"status-{worker_id}")


@pytest.fixture(scope="module")
def intake(status_vhost: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    folder = tmp_path_factory.mktemp("intake")
    with running_service("intake", status_vhost, folder, STUDENT_SECRET=SECRET) as process:
        yield process
        assert process.stop() == 0
        assert "student@example.com" not in process.log
        assert "Traceback" not in process.log


@pytest_asyncio.fixture
async def http(intake: ServiceProcess) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=intake.url, timeout=60, trust_env=False) as client:
        yield client


@pytest_asyncio.fixture
async def vhost(intake: ServiceProcess, status_vhost: str) -> AsyncIterator[Vhost]:
    async with open_vhost(status_vhost) as vhost:
        yield vhost


async def tell(vhost: Vhost, event: AnyEvent) -> bytes:
    body = dump_event(event, source="test")
    await vhost.bus.write_history(body, event_type=event.type)
    return body


async def job_comes_to(http: httpx.AsyncClient, job: Job, state: str, *, knowing: str = "") -> dict[str, Any]:
    """The job as the operator sees it, once it is in the state and a time of `knowing` is known."""
    seen: dict[str, Any] = {}

    async def there() -> bool:
        answer = await http.get(f"/jobs/{job.id}", headers=TOKEN)
        seen.update(answer.json())
        return answer.status_code == 200 and seen["state"] == state and (not knowing or knowing in seen["times"])

    try:
        await until(there)
    except TimeoutError:
        raise AssertionError(f"not {state}: {seen}") from None
    return seen


def generated(job: Job) -> Generated:
    checks = (
        CheckResult(round=1, check="a", outcome="true"),
        CheckResult(round=1, check="b", outcome="inconclusive"),
    )
    report = Report(checks=checks, edit=EditReport(rewrite=False, untouched=0.97), notes=("kept the best",))
    return Generated(job=job, base_commit=None, files=(), request=Request(brief="b"), report=report)


async def test_a_job_is_followed_from_door_to_evaluator(http: httpx.AsyncClient, vhost: Vhost) -> None:
    event = deployed("followed")
    job = event.job
    # the beginning comes last: the history promises no order
    for data in (generated(job), notified(event), event, received("followed").model_copy(update={"job": job})):
        await tell(vhost, data)
    full = await job_comes_to(http, job, "notified", knowing="received")
    assert {name: full[name] for name in ("task", "round", "commit_sha", "notification_status", "error", "edit")} == {
        "task": "followed", "round": 1, "commit_sha": "c" * 40, "notification_status": 200, "error": None,
        "edit": {"rewrite": False, "untouched": 0.97},
    }  # fmt: skip
    assert full["checks"] == {"true": 1, "false": 0, "inconclusive": 1, "not_run": 0}
    assert (full["marks"], full["notes"]) == (["edited"], ["kept the best"])
    assert {"accepted", "received", "generated", "deployed", "notified", "due"} <= set(full["times"])

    opened = (await http.get(f"/jobs/{job.id}")).json()
    assert set(opened) == {"job", "task", "round", "state", "marks", "times", "repo_url", "pages_url"}
    assert opened == {name: full[name] for name in opened}
    status = (await http.get("/status")).json()
    assert (status["model"], status["forge"], status["history_read"]) == ("sandbox", "github", True)
    assert status["states"]["notified"] >= 1


async def test_dead_letters_show_however_they_died(http: httpx.AsyncClient, vhost: Vhost) -> None:
    given_up, crashed = received("given-up"), received("crashed")
    body = await tell(vhost, given_up)
    headers = Delivery(attempt=6).failed().headers() | origin_headers("generator", "0", "Retry", "the model is out")
    await vhost.bus.publish(DEAD_EXCHANGE, "task.received", body, event_type="task.received", headers=headers)
    full = await job_comes_to(http, given_up.job, "dead")
    assert full["error"] == "Retry: the model is out"

    await tell(vhost, Progress(job=crashed.job, service="generator", state="generating"))
    await vhost.send(crashed)
    queue = await vhost.channel.get_queue("task.received", ensure=False)
    deliveries = 0
    while message := await queue.get(fail=False):
        deliveries += 1
        await message.reject(requeue=True)
    assert deliveries == 21
    full = await job_comes_to(http, crashed.job, "dead")
    assert full["error"].startswith("Crashed: ")
    # given a second life, it is no longer dead
    await asyncio.sleep(1.1)
    await tell(vhost, Progress(job=crashed.job, service="generator", state="generating"))
    await job_comes_to(http, crashed.job, "generating")


async def test_what_is_no_event_is_borne(http: httpx.AsyncClient, vhost: Vhost) -> None:
    for body in (b"", b"no json", b'{"specversion": "1.0", "type": "task.invented"}'):
        await vhost.bus.write_history(body, event_type="task.invented")
        await vhost.bus.publish(DEAD_EXCHANGE, "task.received", body, event_type="task.received")
    event = received("after-nonsense")
    await tell(vhost, event)
    await job_comes_to(http, event.job, "received")


async def test_a_notified_job_is_closed(http: httpx.AsyncClient, vhost: Vhost, intake: ServiceProcess) -> None:
    event = notified(deployed("closed"))
    before = (await http.get("/metrics")).text
    await vhost.send(event)

    def closed() -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in intake.log.splitlines()]
        return [line for line in lines if line["event"] == "notified" and line["job"] == event.job.id]

    await until(lambda: bool(closed()))
    assert closed()[0]["late"] is False
    assert closed()[0]["seconds"] >= 0
    count = 'slipway_jobs_closed_total{late="false"}'
    after = (await http.get("/metrics")).text
    assert _value(after, count) == _value(before, count) + 1
    await until(lambda: _is_empty(vhost, "task.notified"))


async def test_only_the_operator_sees_lists_and_logs(http: httpx.AsyncClient, vhost: Vhost) -> None:
    events = [received(f"listed-{number}") for number in range(3)]
    for event in events:
        await tell(vhost, event)
    await job_comes_to(http, events[-1].job, "received")
    for path in ("/jobs", "/logs"):
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Cookie": "slipway_token=wrong"}):
            refused = await http.get(path, headers=headers)
            assert refused.status_code == 401
            assert "listed" not in refused.text
    first = (await http.get("/jobs?limit=2", headers=TOKEN)).json()
    second = (await http.get(f"/jobs?limit=1&before={first['next']}", headers=TOKEN)).json()
    assert [job["task"] for job in first["jobs"] + second["jobs"]] == ["listed-2", "listed-1", "listed-0"]
    wrong = [
        await http.get(f"/jobs?{query}", headers=TOKEN) for query in ("limit=0", "state=lost", "before=x", "limit=²")
    ]
    assert [answer.status_code for answer in wrong] == [422] * 4
    found = (await http.get("/jobs?state=received&limit=500", headers=TOKEN)).json()
    assert {job["state"] for job in found["jobs"]} == {"received"}

    logs = await http.get("/logs", headers=TOKEN)
    lines = [json.loads(line) for line in logs.text.splitlines()]
    last = [(line["service"], line["event"], line["task"]) for line in lines[-3:]]
    assert last == [("intake", "received", f"listed-{number}") for number in range(3)]
    assert len(lines) <= 200
    everything = logs.text + json.dumps(found) + (await http.get("/status")).text
    assert "student@example.com" not in everything


async def test_an_unknown_job_is_told_so(http: httpx.AsyncClient) -> None:
    answer = await http.get("/jobs/none-such")
    assert answer.status_code == 404
    assert answer.headers["Content-Type"].startswith("application/problem+json")


async def test_a_browser_signs_in_once_by_a_link(http: httpx.AsyncClient) -> None:
    stranger = await http.get("/")
    assert (stranger.status_code, "password" in stranger.text, "/jobs" in stranger.text) == (200, True, False)
    code = sign_in_code(ADMIN_TOKEN)
    assert ADMIN_TOKEN not in code
    signed_in = await http.get("/", params={"token": code})
    assert (signed_in.status_code, signed_in.headers["Location"]) == (303, "/")
    cookie = signed_in.headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie
    # the client keeps the cookie
    assert "/jobs" in (await http.get("/")).text
    assert (await http.get("/jobs")).status_code == 200

    async with httpx.AsyncClient(base_url=http.base_url, trust_env=False) as other:
        for used in (code, code[:-1] + "0", "", ADMIN_TOKEN, sign_in_code("another"), "1-2-3"):
            refused = await other.get("/", params={"token": used})
            assert (refused.status_code, "Set-Cookie" in refused.headers) == (401, False)


async def test_a_browser_signs_in_by_the_token(http: httpx.AsyncClient) -> None:
    wrong = await http.post("/sign-in", data={"token": "wrong"})
    assert (wrong.status_code, "Set-Cookie" in wrong.headers) == (401, False)
    right = await http.post("/sign-in", data={"token": ADMIN_TOKEN})
    assert (right.status_code, right.headers["Location"]) == (303, "/")


async def test_the_projection_is_resumed_rebuilt_and_never_mixed(
    broker: SharedBroker, fresh_vhost_url: str, tmp_path: Path
) -> None:
    settings = {"STUDENT_SECRET": SECRET, "VAR_DIR": str(tmp_path), "port": str(free_port())}
    file = tmp_path / f"intake-{settings['port']}.sqlite"
    one, two, three = received("one"), received("two"), received("three")
    async with open_vhost(fresh_vhost_url) as vhost:
        await tell(vhost, one)
        with running_service("intake", fresh_vhost_url, tmp_path, **settings) as process:
            async with httpx.AsyncClient(base_url=process.url, trust_env=False) as http:
                await job_comes_to(http, one.job, "received")
                # deleted in use: noticed with the next event, and read again from the beginning
                file.unlink()
                await tell(vhost, two)
                await job_comes_to(http, two.job, "received")
                await job_comes_to(http, one.job, "received")
                assert file.exists()
            process.kill()
        await tell(vhost, three)
        with running_service("intake", fresh_vhost_url, tmp_path, **settings) as process:
            # ready means: read up to now
            assert _tasks(process) == {"one", "two", "three"}
            process.kill()
        file.unlink()
        with running_service("intake", fresh_vhost_url, tmp_path, **settings) as process:
            assert _tasks(process) == {"one", "two", "three"}
            process.kill()

    # the same file before another broker's history, shorter or longer than ours
    for others in (1, 12):
        elsewhere = broker.add_vhost(f"{fresh_vhost_url.rpartition('/')[2]}-{others}")
        async with open_vhost(elsewhere) as vhost:
            for number in range(others):
                await tell(vhost, received(f"other-{number}"))
            with running_service("intake", elsewhere, tmp_path, **settings) as process:
                assert _tasks(process) == {f"other-{number}" for number in range(others)}


def _tasks(process: ServiceProcess) -> set[str]:
    jobs = httpx.get(f"{process.url}/jobs", headers=TOKEN, trust_env=False).json()["jobs"]
    return {job["task"] for job in jobs}


def _value(metrics: str, name: str) -> float:
    return sum(float(line.rpartition(" ")[2]) for line in metrics.splitlines() if line.startswith(name))


async def _is_empty(vhost: Vhost, queue: str) -> bool:
    return await vhost.count(queue) == 0
