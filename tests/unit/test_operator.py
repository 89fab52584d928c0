"""The operator's program without a broker: what it finds, what it sends, how letters are named and shown."""

import json
import os
import uuid
from pathlib import Path

import pytest

from slipway_cli.operator.errors import OperatorError
from slipway_cli.operator.letter import Address, readable_body
from slipway_cli.operator.plain import cell, printable
from slipway_cli.operator.reach import DEFAULT_URL, Reach, reach_from
from slipway_cli.operator.submit import request_body
from slipway_cli.running import Running

RUNNING = Running(
    pid=os.getpid(), url="http://127.0.0.1:1", amqp_url="amqp://u:p@127.0.0.1:2/slipway", admin_token="token",
    management_url="http://127.0.0.1:3", student_secret="test-secret", sandbox_url="http://127.0.0.1:4",
    model="sandbox", forge="sandbox",
)  # fmt: skip


def reach(**environment: str) -> Reach:
    return reach_from(environment, RUNNING, {"ADMIN_TOKEN": "of the file", "LOG_LEVEL": "x"})


class TestWhatIsFound:
    def test_the_environment_comes_before_the_running_system_and_that_before_the_file(self) -> None:
        assert reach().admin_token == "token"
        assert reach(ADMIN_TOKEN="mine").admin_token == "mine"
        assert reach_from({}, None, {"ADMIN_TOKEN": "of the file"}).admin_token == "of the file"
        assert reach_from({"ADMIN_TOKEN": ""}, None, {}).admin_token == ""

    def test_nothing_at_all_leaves_the_documented_address(self) -> None:
        found = reach_from({}, None, {})
        assert (found.url, found.amqp_url, found.sandbox_url) == (DEFAULT_URL, "", "")

    @pytest.mark.parametrize("other", [{"SLIPWAY_URL": "https://else.example"}, {"AMQP_URL": "amqp://else.example"}])
    def test_passwords_of_the_running_system_go_to_no_other(self, other: dict[str, str]) -> None:
        found = reach_from(other, RUNNING, {})
        assert (found.admin_token, found.student_secret, found.management_url, found.sandbox_url) == ("", "", "", "")

    def test_the_same_address_named_twice_is_the_same_system(self) -> None:
        assert reach(SLIPWAY_URL=RUNNING.url, AMQP_URL=RUNNING.amqp_url).student_secret == "test-secret"

    def test_the_history_settings_shape_the_topology(self) -> None:
        history = reach(HISTORY_MAX_BYTES="4096", HISTORY_MAX_AGE="12h").topology.queues[0]
        assert (history.arguments["x-max-length-bytes"], history.arguments["x-max-age"]) == (4096, "12h")
        with pytest.raises(OperatorError, match="HISTORY_MAX_BYTES: '8G' is not a number"):
            reach(HISTORY_MAX_BYTES="8G")

    async def test_without_any_broker_the_variable_is_named(self) -> None:
        with pytest.raises(OperatorError, match=r"AMQP_URL is not set and no `\./run up` is running here"):
            async with reach_from({}, None, {}).bus():
                pass


class TestTheRunningFile:
    def test_it_comes_back_as_written_and_is_private(self, tmp_path: Path) -> None:
        file = tmp_path / "up.json"
        for _ in range(2):
            RUNNING.write(file)
        assert Running.read(file) == RUNNING
        assert file.stat().st_mode & 0o777 == 0o600
        assert list(tmp_path.iterdir()) == [file]

    def test_a_file_that_is_missing_broken_or_left_over_counts_as_none(self, tmp_path: Path) -> None:
        file = tmp_path / "up.json"
        assert Running.read(file) is None
        file.write_text('{"pid": 1}')
        assert Running.read(file) is None
        RUNNING.model_copy(update={"pid": 2**22 + 1}).write(file)  # over Linux's highest pid
        assert Running.read(file) is None


class TestWhatIsSubmitted:
    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        file = tmp_path / "request.json"
        file.write_text(
            '{"task": "t", "secret": "x", "nonce": "old", "evaluation_url": "https://e.example/", "more": [1]}'
        )
        return file

    def test_secret_nonce_and_evaluator_are_filled_in(self, file: Path) -> None:
        first, second = (json.loads(request_body(file, reach(), as_is=False)) for _ in range(2))
        assert first["secret"] == "test-secret"
        assert uuid.UUID(first["nonce"]) != uuid.UUID(second["nonce"])
        assert first["evaluation_url"] == "http://127.0.0.1:4/notify"
        assert (first["task"], first["more"]) == ("t", [1])

    def test_without_a_sandbox_the_sender_is_told(self, file: Path) -> None:
        real = reach_from({"STUDENT_SECRET": "s"}, None, {})
        assert json.loads(request_body(file, real, as_is=False))["evaluation_url"] == "https://e.example/"

    def test_as_is_sends_the_bytes(self, file: Path) -> None:
        assert request_body(file, reach(), as_is=True) == file.read_bytes()

    @pytest.mark.parametrize(
        ("text", "reason"), [("[1]", "not a JSON object"), ("{", "not JSON"), (None, "No such file")]
    )
    def test_what_cannot_be_sent_is_said(self, tmp_path: Path, text: str | None, reason: str) -> None:
        file = tmp_path / "request.json"
        if text is not None:
            file.write_text(text)
        with pytest.raises(OperatorError, match=f"request.json: {reason}"):
            request_body(file, reach(), as_is=False)


class TestLetters:
    def test_an_address_is_a_job_or_a_position(self) -> None:
        assert Address.parse("task.received/12") == Address("task.received/12", queue="task.received", position=12)
        assert Address.parse("task.received.dead/1").queue == "task.received"
        assert Address.parse("4f0c5d0e").job == "4f0c5d0e"

    @pytest.mark.parametrize("text", ["task.received/0", "task.received/", "task.received/x", "task.sent/1", "4f0c5"])
    def test_what_is_no_address_is_refused(self, text: str) -> None:
        with pytest.raises(OperatorError):
            Address.parse(text)

    def test_a_body_is_shown_with_long_strings_cut(self) -> None:
        body = json.dumps({"data": {"files": ["x" * 500, "short"]}}).encode()
        shown = json.loads(readable_body(body, 400))["data"]["files"]
        assert shown == ["x" * 400 + "\u2026 (100 more characters; --full shows them)", "short"]
        assert json.loads(readable_body(body, None)) == json.loads(body)
        assert readable_body(b"\xff no event", 400) == "\ufffd no event"


def test_nothing_that_was_sent_steers_the_terminal() -> None:
    assert printable("a\x1b[31mb\x9b2J\n\tc\u202e") == "a\ufffd[31mb\ufffd2J\n\tc\ufffd"
    assert cell("one\ntwo\t" + "x" * 500).startswith("one two xxx")
    assert len(cell("x" * 500)) == 160
