"""The operator's program against a whole Slipway: a job sent and followed, a dead one found, mended and replayed."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import pytest
from shared_broker import SharedBroker
from slipway_under_test import Slipway

from slipway_cli.job import JobView
from slipway_cli.running import Running
from slipway_cli.stack import EXAMPLES
from slipway_cli.worlds import SANDBOX_SECRET

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def operator(slipway: Slipway, *arguments: str) -> tuple[int | None, str]:
    """Exit code and output of `slipway ...`, told of the running system by its environment."""
    assert slipway.stack.sandbox
    told = {
        "AMQP_URL": slipway.stack.plan.amqp_url,
        "SLIPWAY_URL": slipway.stack.intake_url,
        "ADMIN_TOKEN": slipway.stack.plan.admin_token,
        "STUDENT_SECRET": SANDBOX_SECRET,
        "SANDBOX_URL": slipway.stack.sandbox.origin,
        "VAR_DIR": str(slipway.stack.plan.folder),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "slipway_cli", *arguments,
        env={**os.environ, **told}, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await process.communicate()
    return process.returncode, output.decode()


async def test_a_job_is_sent_and_followed_to_its_end(slipway: Slipway) -> None:
    example = EXAMPLES / "sum-of-sales" / "round-1" / "request.json"
    code, output = await operator(slipway, "submit", str(example), "--watch")
    assert code == 0, output
    job = output.split()[1]
    [first, *_] = output.splitlines()
    assert first == f"job {job}"
    assert f"status {slipway.stack.intake_url}/jobs/{job}" in output
    assert [line.split()[1] for line in output.splitlines() if line[2:3] == ":"] == [
        "received", "generating", "generated", "deploying", "deployed", "notified",
    ]  # fmt: skip
    code, output = await operator(slipway, "status", job)
    assert code == 0
    assert "notification 200" in output
    code, output = await operator(slipway, "status")
    assert code == 0
    assert "model: sandbox, forge: sandbox" in output
    assert job in output
    code, output = await operator(slipway, "watch", "--seconds", "0.1")
    assert code == 0
    assert f"{job} sum-of-sales-a1b2c round 1: notified" in output


@pytest.mark.skipif("CHROMIUM_PATH" not in os.environ, reason="the lack of a browser is a problem by itself")
async def test_the_doctor_finds_nothing_wrong_with_a_running_system(slipway: Slipway) -> None:
    plan = slipway.stack.plan
    running = Running(
        pid=os.getpid(), url=slipway.stack.intake_url, amqp_url=plan.amqp_url, admin_token=plan.admin_token,
        student_secret=SANDBOX_SECRET, model="sandbox", forge="sandbox",
    )  # fmt: skip
    running.write(plan.folder / "up.json")
    try:
        code, output = await operator(slipway, "doctor")
    finally:
        (plan.folder / "up.json").unlink()
    assert code == 0, output
    assert f"the intake at {slipway.stack.intake_url} is ready" in output
    assert "model: sandbox, forge: sandbox" in output
    assert "exchanges and queues are as they should be" in output
    assert "no problems, 0 not seen" in output


async def test_a_refused_request_names_each_field_and_fails(slipway: Slipway, tmp_path: Path) -> None:
    file = tmp_path / "request.json"
    file.write_text(json.dumps({**slipway.request(), "round": 0, "email": ""}))
    code, output = await operator(slipway, "submit", str(file))
    assert code == 1
    assert output.startswith(f"slipway: the intake at {slipway.stack.intake_url} refuses POST /ready: 422 ")
    assert "round: " in output
    assert "email: " in output
    code, output = await operator(slipway, "submit", "--as-is", __file__)
    assert code == 1
    assert "400 body: not JSON" in output


async def test_a_deployment_that_failed_for_good_is_replayed_once_its_cause_is_gone(
    slipway: Slipway, broker: SharedBroker, tmp_path: Path
) -> None:
    # somebody else's repository is in the way: no retry can mend that
    slipway.sandbox.fault("github", "name_taken")
    file = tmp_path / "request.json"
    file.write_text(json.dumps(slipway.request()))
    code, output = await operator(slipway, "submit", str(file), "--watch")
    assert code == 1
    assert "dead" in output
    job = output.split()[1]

    code, output = await operator(slipway, "dead-letters", "list", "--json")
    assert code == 0
    [letter] = [item for item in json.loads(output) if item["job"] == job]
    assert (letter["queue"], letter["service"], letter["error"]) == ("task.generated.dead", "deployer", "Reject")
    repository = letter["message"].split()[0]
    assert "was not made by Slipway" in letter["message"]

    read = await in_the_management_page(slipway, broker, "task.generated.dead")
    event = next(event for event in read if event["subject"] == job)
    assert event["data"]["files"], "the dead letter is not the whole event"

    owner, name = urlsplit(repository).path.split("/")[-2:]
    async with httpx.AsyncClient(headers={"Authorization": "Bearer sandbox"}, trust_env=False) as github:
        answer = await github.delete(f"{slipway.sandbox.api_url}/repos/{owner}/{name}")
        assert answer.status_code == httpx.codes.NO_CONTENT
    code, output = await operator(slipway, "dead-letters", "replay", job)
    assert (code, output) == (0, f"replayed into task.generated: job {job}\n")
    assert await slipway.until(lambda: len(slipway.sandbox.notifications()) > 0)
    view = await notified(slipway, job)
    assert len(slipway.commits(view)) == 1
    code, output = await operator(slipway, "dead-letters", "list", "--json")
    assert job not in output


async def notified(slipway: Slipway, job: str) -> JobView:
    """The job once it is notified, even if it was dead before."""
    for _ in range(200):
        view = await slipway.intake.job(job)
        if view is not None and view.state == "notified":
            return view
        await asyncio.sleep(0.1)
    raise AssertionError(f"{job} was not notified")


async def in_the_management_page(slipway: Slipway, broker: SharedBroker, queue: str) -> list[dict[str, Any]]:
    """What "Get messages" shows there, given back afterwards."""
    vhost = quote(urlsplit(slipway.stack.plan.amqp_url).path[1:], safe="")
    asked = {"count": 100, "ackmode": "reject_requeue_true", "encoding": "auto"}
    async with httpx.AsyncClient(auth=(broker.user, broker.password), trust_env=False) as management:
        answer = await management.post(f"{broker.management_url}/api/queues/{vhost}/{queue}/get", json=asked)
    assert answer.status_code == httpx.codes.OK, answer.text
    assert {message["payload_encoding"] for message in answer.json()} == {"string"}
    return [json.loads(message["payload"]) for message in answer.json()]
