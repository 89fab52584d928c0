"""The intake as a process on a real broker, over real HTTP: the door."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import pytest_asyncio
from service_process import ADMIN_TOKEN, ServiceProcess, running_service
from shared_broker import SharedBroker
from stage_world import Vhost, open_vhost, until

from slipway_cli.ports import free_port
from slipway_common.events import Received, read_event

SECRET = "senders-own-secret"
REQUEST: dict[str, Any] = {
    "email": "student@example.com",
    "secret": SECRET,
    "task": "sum-of-sales",
    "round": 1,
    "nonce": "n-1",
    "brief": "Sum the sales.",
    "evaluation_url": "http://127.0.0.1:9/notify",
    "checks": ["it has a README", {"js": "!!document.title"}],
    "attachments": [{"name": "data.csv", "url": "data:text/csv;base64,YSxi"}],
}


def request(**fields: object) -> dict[str, Any]:
    return {**REQUEST, **fields}


@pytest.fixture(scope="module")
def door_vhost(broker: SharedBroker, worker_id: str) -> str:
    return broker.add_vhost(f"door-{worker_id}")


@pytest.fixture(scope="module")
def intake(door_vhost: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    folder = tmp_path_factory.mktemp("intake")
    with running_service("intake", door_vhost, folder, STUDENT_SECRET=SECRET, VAR_DIR=str(folder)) as process:
        yield process
        assert process.stop() == 0
        assert SECRET not in process.log
        assert "student@example.com" not in process.log


@pytest_asyncio.fixture
async def http(intake: ServiceProcess) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=intake.url, timeout=60, trust_env=False) as client:
        yield client


@pytest_asyncio.fixture
async def vhost(intake: ServiceProcess, door_vhost: str) -> AsyncIterator[Vhost]:
    async with open_vhost(door_vhost) as vhost:
        yield vhost


async def test_a_request_is_answered_once_the_broker_has_it(http: httpx.AsyncClient, vhost: Vhost) -> None:
    answer = await http.post("/ready", json=request(nonce="taken", signature="ignored"))
    assert answer.status_code == 200, answer.text
    accepted = answer.json()
    # the 200 promises that it is there: no waiting
    message = await (await vhost.channel.get_queue("task.received", ensure=False)).get(fail=False)
    assert message
    await message.ack()
    body = message.body
    assert SECRET.encode() not in body
    event = read_event(body)
    assert isinstance(event.data, Received)
    job = event.data.job
    assert (accepted["status"], accepted["repeat"], accepted["job"]) == ("accepted", False, job.id)
    assert (job.email, job.task, job.round, job.nonce) == ("student@example.com", "sum-of-sales", 1, "taken")
    assert (job.due_at - job.accepted_at).total_seconds() == 600
    assert event.data.attachments[0].name == "data.csv"
    assert [type(check).__name__ for check in event.data.checks] == ["str", "JsCheck"]
    assert event.traceparent

    assert accepted["status_url"].startswith(str(http.base_url).rstrip("/"))
    shown = await http.get(urlsplit(accepted["status_url"]).path)
    assert (shown.status_code, shown.json()["state"]) == (200, "received")


async def test_the_job_is_the_same_for_the_same_four_values(http: httpx.AsyncClient, vhost: Vhost) -> None:
    first = await http.post("/ready", json=request(nonce="same"))
    again = await http.post("/ready", json=request(nonce="same", brief="Other words."))
    other = await http.post("/ready", json=request(nonce="same", round=2))
    assert [answer.status_code for answer in (first, again, other)] == [200, 200, 200]
    assert (again.json()["status"], again.json()["repeat"]) == ("repeat", True)
    assert first.json()["job"] == again.json()["job"] != other.json()["job"]
    rounds = [read_event((await vhost.take("task.received")).body).data.job.round for _ in range(2)]
    assert rounds == [1, 2]
    assert await vhost.count("task.received") == 0, "a repeat started something"


BAD_BODIES = [
    (b"", 400),
    (b"{", 400),
    (b'{"secret": NaN}', 400),
    (b"\xff\xfe{}", 400),
    (b"[" * 100_000, 400),
    (b"[]", 422),
    (b'"text"', 422),
    (b"null", 422),
    (b"{}", 422),
]


@pytest.mark.parametrize(("body", "status"), BAD_BODIES, ids=[str(body[:12]) for body, _ in BAD_BODIES])
async def test_a_body_that_is_no_request_gets_one_clear_answer(
    http: httpx.AsyncClient, body: bytes, status: int
) -> None:
    answer = await http.post("/ready", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == status
    assert_is_problem(answer)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"round": 0}, "round"),
        ({"round": "1"}, "round"),
        ({"task": "../../etc"}, "task"),
        ({"email": 5}, "email"),
        ({"evaluation_url": "file:///etc/passwd"}, "evaluation_url"),
        ({"attachments": [{"name": "a", "url": "data:,"}, {"name": "../x", "url": "data:,"}]}, "attachments.1.name"),
        ({"attachments": [{"name": "a", "url": "data:,"}, {"name": "a", "url": "data:,"}]}, "attachments.1.name"),
        ({"attachments": [{"name": "a", "url": "data:;base64,?"}]}, "attachments.0.url"),
        ({"checks": [1]}, "checks.0"),
    ],
)
async def test_a_wrong_field_is_named_and_nothing_starts(
    http: httpx.AsyncClient, vhost: Vhost, fields: dict[str, object], named: str
) -> None:
    answer = await http.post("/ready", json=request(nonce="wrong", **fields))
    assert answer.status_code == 422
    assert_is_problem(answer)
    assert [error["field"] for error in answer.json()["errors"]] == [named]
    assert named in answer.json()["detail"]
    assert await vhost.count("task.received") == 0


async def test_every_invalid_field_is_named_at_once(http: httpx.AsyncClient) -> None:
    answer = await http.post("/ready", json={"secret": SECRET, "round": 0})
    named = {error["field"] for error in answer.json()["errors"]}
    assert named == {"email", "task", "round", "nonce", "brief", "evaluation_url"}


async def test_a_wrong_secret_learns_nothing_of_the_rest(http: httpx.AsyncClient) -> None:
    wrong = [
        await http.post("/ready", json=request(secret=secret, round=0)) for secret in ("wrong", "", SECRET + "x", "ü")
    ]
    assert [answer.status_code for answer in wrong] == [401] * 4
    for answer in wrong:
        assert_is_problem(answer)
        assert "round" not in answer.text


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
async def test_only_json_is_taken(http: httpx.AsyncClient, media_type: str) -> None:
    headers = {"Content-Type": media_type} if media_type else {}
    answer = await http.post("/ready", content=json.dumps(REQUEST).encode(), headers=headers)
    assert answer.status_code == 415
    assert_is_problem(answer)


async def test_json_in_its_usual_disguises_is_taken(http: httpx.AsyncClient, vhost: Vhost) -> None:
    body = json.dumps(request(nonce="bom", task="Größe 東京")).encode()
    for media_type in ("application/json; charset=utf-8", "APPLICATION/JSON", "application/cloudevents+json"):
        answer = await http.post("/ready", content=b"\xef\xbb\xbf" + body, headers={"Content-Type": media_type})
        assert answer.status_code == 200
    assert read_event((await vhost.take("task.received")).body).data.job.task == "Größe 東京"


async def test_a_body_of_20_mb_is_refused_and_the_service_goes_on(http: httpx.AsyncClient) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * 1024 * 1024

    headers = {"Content-Type": "application/json"}
    announced = await http.post("/ready", content=b"x" * 20 * 1024 * 1024, headers=headers)
    assert announced.status_code == 413
    assert_is_problem(announced)
    chunked = await http.post("/ready", content=chunks(), headers=headers)
    assert chunked.status_code == 413
    assert (await http.get("/health/live")).status_code == 200


async def test_a_request_of_just_under_5_mib_is_taken(http: httpx.AsyncClient, vhost: Vhost) -> None:
    attachment = {"name": "big.txt", "url": "data:text/plain," + "x" * (5 * 1024 * 1024 - 2000)}
    answer = await http.post("/ready", json=request(nonce="big", attachments=[attachment]))
    assert answer.status_code == 200, answer.text
    event = read_event((await vhost.take("task.received")).body).data
    assert isinstance(event, Received)
    assert event.attachments[0].url == attachment["url"]


async def test_a_client_that_hangs_up_in_the_middle_hurts_nobody(
    intake: ServiceProcess, http: httpx.AsyncClient
) -> None:
    port = urlsplit(intake.url).port
    with socket.create_connection(("127.0.0.1", port or 0)) as connection:
        connection.sendall(
            b"POST /ready HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 999\r\n\r\n{"
        )
    with socket.create_connection(("127.0.0.1", port or 0)) as connection:
        connection.sendall(b"POST /ready HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\r\n")
    assert (await http.get("/status")).status_code == 200
    assert "Traceback" not in intake.log


async def test_a_body_that_is_not_what_its_encoding_says_is_refused(http: httpx.AsyncClient) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    answer = await http.post("/ready", content=json.dumps(REQUEST).encode(), headers=headers)
    assert answer.status_code == 400


@pytest.mark.parametrize("path", ["/ready", "/nothing"])
async def test_other_ways_to_ask_are_refused(http: httpx.AsyncClient, path: str) -> None:
    assert (await http.get(path)).status_code in (404, 405)


async def test_what_the_broker_does_not_take_is_put_off(
    http: httpx.AsyncClient, vhost: Vhost, intake: ServiceProcess
) -> None:
    queue = await vhost.channel.get_queue("task.received", ensure=False)
    await queue.unbind("slipway", "task.received")
    try:
        answer = await http.post("/ready", json=request(nonce="put-off"))
    finally:
        await queue.bind("slipway", "task.received")
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert_is_problem(answer)
    again = await http.post("/ready", json=request(nonce="put-off"))
    assert (again.status_code, again.json()["repeat"]) == (200, False)
    await vhost.take("task.received")


def test_without_a_broker_it_lives_is_not_ready_and_puts_off(tmp_path: Path) -> None:
    nowhere = f"amqp://guest:brokers-own-password@127.0.0.1:{free_port()}/"
    with running_service("intake", nowhere, tmp_path, wait_for="/health/live", STUDENT_SECRET=SECRET) as process:
        answer = httpx.post(f"{process.url}/ready", json=REQUEST, timeout=60, trust_env=False)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
        health = httpx.get(f"{process.url}/health/ready", timeout=60, trust_env=False)
        assert (health.status_code, set(health.json()["failing"])) == (503, {"stage", "broker", "history"})
        assert process.stop() == 0
        assert "brokers-own-password" not in process.log


@pytest.mark.parametrize(("variable", "value"), [("STUDENT_SECRET", ""), ("MAX_REQUEST_BYTES", "much")])
def test_a_missing_or_wrong_setting_ends_it_in_one_line(tmp_path: Path, variable: str, value: str) -> None:
    environment = {"STUDENT_SECRET": SECRET, variable: value, "AMQP_URL": "amqp://127.0.0.1:1/"}
    process = ServiceProcess("slipway_intake", environment, tmp_path / "log", 0)
    assert process.wait() == 2
    assert process.log.count("\n") == 1
    assert variable in process.log
    assert "much" not in process.log


async def test_too_many_from_one_sender_and_too_many_unfinished_jobs(fresh_vhost_url: str, tmp_path: Path) -> None:
    limits = {"MAX_BACKLOG": "3", "MAX_TASKS_PER_MINUTE": "2"}
    with running_service("intake", fresh_vhost_url, tmp_path, STUDENT_SECRET=SECRET, **limits) as process:
        async with httpx.AsyncClient(base_url=process.url, timeout=60, trust_env=False) as client:

            async def send(nonce: str, email: str) -> httpx.Response:
                return await client.post("/ready", json=request(nonce=nonce, email=email))

            async def known(number: int) -> bool:
                return bool((await client.get("/status")).json()["total"] == number)

            assert [(await send(nonce, "a@example.com")).status_code for nonce in "123"] == [200, 200, 429]
            limited = await send("4", "a@example.com")
            assert 0 < int(limited.headers["Retry-After"]) <= 60
            assert (await send("1", "a@example.com")).json()["repeat"] is True, "a repeat is never too many"
            assert (await send("1", "b@example.com")).status_code == 200
            await until(lambda: known(3))
            full = await send("2", "b@example.com")
            assert (full.status_code, "MAX_BACKLOG" in full.json()["detail"]) == (503, True)
            assert full.headers["Retry-After"]


async def test_the_interface_description_names_what_there_is(http: httpx.AsyncClient) -> None:
    described = (await http.get("/openapi.json")).json()
    assert described["openapi"].startswith("3.1")
    assert set(described["components"]["schemas"]["TaskRequest"]["required"]) == {
        "email", "secret", "task", "round", "nonce", "brief", "evaluation_url",
    }  # fmt: skip
    token = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
    for path, methods in described["paths"].items():
        for method in methods:
            answer = await http.request(method, path.replace("{job}", "none"), headers=token)
            status = answer.status_code
            assert status not in (405, 500), path
            assert status != 404 or path == "/jobs/{job}", path
    text = json.dumps(described)
    for reference in set(_references(described)):
        name = reference.removeprefix("#/components/schemas/")
        assert name in described["components"]["schemas"], f"{reference} leads nowhere in {text[:80]}"


def _references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "$ref":
                yield str(inner)
            else:
                yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)


def assert_is_problem(answer: httpx.Response) -> None:
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    told = answer.json()
    assert told["status"] == answer.status_code
    assert told["title"] and told["detail"]
    assert SECRET not in answer.text


async def test_many_at_once_are_all_taken_once(http: httpx.AsyncClient, vhost: Vhost) -> None:
    answers = await asyncio.gather(*(http.post("/ready", json=request(nonce=f"many-{number}")) for number in range(60)))
    assert {answer.status_code for answer in answers} == {200}
    jobs = {read_event((await vhost.take("task.received")).body).data.job.id for _ in range(60)}
    assert jobs == {answer.json()["job"] for answer in answers}
