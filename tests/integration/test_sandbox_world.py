"""The sandbox itself: the evaluator, how faults are counted, what is recorded, start and end of the process."""

import asyncio
import json
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from slipway_sandbox.client import Sandbox, SandboxError
from slipway_sandbox.process import SandboxNotStartedError, running_sandbox
from slipway_sandbox.scripts import BadExampleError, Scripts

_http = httpx.Client()  # one for all: each new one reads the machine's certificates
BODY = {"task": "t", "round": 1}


def notify(sandbox: Sandbox, path: str = "/x", **more: object) -> httpx.Response:
    return _http.post(sandbox.notify_url + path, json=BODY | more, timeout=5)


def test_the_evaluator_records_what_it_was_sent_and_what_it_answered(sandbox: Sandbox) -> None:
    sandbox.fault("evaluator", "status", status=503, headers={"Retry-After": "1"})
    sandbox.fault("evaluator", "redirect", location="/elsewhere")
    answers = [notify(sandbox) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [503, 302, 200]
    assert answers[0].headers["retry-after"] == "1"
    assert answers[1].headers["location"] == "/elsewhere"
    assert [(n.path, n.status, n.body) for n in sandbox.notifications()] == [
        ("/notify/x", 503, BODY),
        ("/notify/x", 302, BODY),
        ("/notify/x", 200, BODY),
    ]


def test_the_evaluator_may_cut_the_connection_or_say_nothing(sandbox: Sandbox) -> None:
    sandbox.fault("evaluator", "drop")
    sandbox.fault("evaluator", "hang")
    with pytest.raises(httpx.TransportError):
        notify(sandbox)
    with pytest.raises(httpx.ReadTimeout):
        _http.post(sandbox.notify_url, json=BODY, timeout=0.2)
    assert [note.status for note in sandbox.notifications()] == [None, None]


def test_the_evaluator_may_take_it_and_say_that_it_did_not(sandbox: Sandbox) -> None:
    sandbox.fault("evaluator", "done_then_502")
    assert notify(sandbox).status_code == 502
    assert [note.status for note in sandbox.notifications()] == [502]


def test_what_is_not_json_is_refused_and_recorded(sandbox: Sandbox) -> None:
    assert _http.post(sandbox.notify_url, content=b"task=t").status_code == 400
    assert [(note.status, note.body) for note in sandbox.notifications()] == [(400, "task=t")]


def test_a_fault_strikes_as_often_as_said_and_only_where_said(sandbox: Sandbox) -> None:
    sandbox.fault("evaluator", "status", times=2, skip=1, match="/bad", status=500)
    statuses = [notify(sandbox, path).status_code for path in ("/bad", "/bad", "/good", "/bad", "/bad")]
    assert statuses == [200, 500, 200, 500, 200]
    assert sandbox.faults() == []


def test_a_fault_without_end_lasts_until_it_is_removed(sandbox: Sandbox) -> None:
    sandbox.fault("evaluator", "status", times=None)
    assert [notify(sandbox).status_code for _ in range(3)] == [500] * 3
    (left,) = sandbox.faults()
    assert (left.times, left.hits) == (None, 3)
    sandbox.remove_faults()
    assert notify(sandbox).status_code == 200


def test_a_fault_that_does_not_exist_is_refused_by_name(sandbox: Sandbox) -> None:
    with pytest.raises(SandboxError, match=r"evaluator has no fault 'flood'; it has: .*redirect"):
        sandbox.fault("evaluator", "flood")
    with pytest.raises(SandboxError, match="options of evaluator/redirect: where: Extra inputs"):
        sandbox.fault("evaluator", "redirect", where="/")


def test_requests_are_recorded_without_tokens_keys_and_queries(sandbox: Sandbox) -> None:
    _http.get(f"{sandbox.gemini_url}/v1/models?key=key-of-mine", headers={"x-goog-api-key": "key-of-mine"})
    _http.get(f"{sandbox.api_url}/user?a=b", headers={"Authorization": "Bearer token-of-mine"})
    assert [(r.target, r.method, r.path, r.status) for r in sandbox.requests()] == [
        ("gemini", "GET", "/gemini/v1/models", 200),
        ("github", "GET", "/api/user", 200),
    ]
    assert [r.path for r in sandbox.requests("github")] == ["/api/user"]


def test_settings_change_while_it_runs_and_come_back_with_a_reset(sandbox: Sandbox) -> None:
    assert sandbox.change_settings(pages_build_s=3).pages_build_s == 3
    assert sandbox.settings().owner == "sandbox"
    with pytest.raises(SandboxError, match="pages_build_s"):
        sandbox.change_settings(pages_build_s=-1)
    sandbox.reset()
    assert sandbox.settings().pages_build_s == 0


async def test_many_at_a_time(sandbox: Sandbox) -> None:
    async with httpx.AsyncClient() as http:
        posts = [http.post(f"{sandbox.notify_url}/{number}", json={"n": number}) for number in range(100)]
        answers = await asyncio.gather(*posts)
    assert {answer.status_code for answer in answers} == {200}
    assert len(sandbox.notifications()) == 100


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_although_a_request_hangs(tmp_path: Path, number: signal.Signals) -> None:
    command = [sys.executable, "-m", "slipway_sandbox", "--port", "0", "--data", str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    with Sandbox(f"http://127.0.0.1:{json.loads(process.stdout.readline())['port']}") as sandbox:
        sandbox.fault("evaluator", "hang")
        with pytest.raises(httpx.ReadTimeout):
            _http.post(sandbox.notify_url, json=BODY, timeout=0.1)
        process.send_signal(number)
        _, errors = process.communicate(timeout=5)
    assert (process.returncode, errors) == (0, b"")


def test_a_broken_example_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "p" / "round-1"
    folder.mkdir(parents=True)
    for request, reply, message in (
        ('{"brief": "b"}', "reply-1.md", "request.json.*round"),
        ('{"brief": "b", "round": 2}', "reply-1.md", "request.json: its round is 2, its folder is round-1"),
        ('{"brief": "b", "round": 1}', "reply-2.md", "without a gap"),
    ):
        (folder / "request.json").write_text(request)
        (folder / reply).write_text("x")
        with pytest.raises(BadExampleError, match=f"(?s){folder}.*{message}"):
            Scripts.load(tmp_path)
        (folder / reply).unlink()


def test_a_sandbox_that_cannot_start_says_why(
    sandbox: Sandbox, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    port = int(sandbox.url.rsplit(":", 1)[1])
    with pytest.raises(SandboxNotStartedError), running_sandbox(tmp_path, port=port):
        pass
    assert "address already in use" in capfd.readouterr().err
