"""The main job: every example, round after round, from POST /ready to the evaluator's 200."""

import asyncio
import base64
import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from slipway_under_test import Slipway
from stage_world import until

from slipway_cli.stack import EXAMPLES

pytestmark = pytest.mark.asyncio(loop_scope="session")

README_SECTIONS = ("setup", "usage", "code explanation", "license")


def requests_of(project: str) -> list[dict[str, Any]]:
    rounds = sorted((EXAMPLES / project).glob("round-*/request.json"))
    return [json.loads(path.read_text()) for path in rounds]


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize("project", sorted(path.name for path in EXAMPLES.iterdir() if path.is_dir()))
async def test_every_round_of_an_example_becomes_a_commit_and_a_live_page(
    slipway: Slipway, project: str, tmp_path: Path
) -> None:
    requests = requests_of(project)
    shas = []
    for request in requests:
        request |= {"evaluation_url": slipway.sandbox.notify_url, "email": f"{project}.path@example.com"}
        view = await slipway.ended(await slipway.submit(request))
        assert view.state == "notified", view
        assert view.checks.false == 0, view
        assert view.edit is None or (not view.edit.rewrite and view.edit.untouched >= 0.8)
        [told] = slipway.told(request["nonce"])
        assert told.status == 200
        assert told.body == {
            **{name: request[name] for name in ("email", "task", "round", "nonce")},
            "repo_url": view.repo_url,
            "commit_sha": view.commit_sha,
            "pages_url": view.pages_url,
        }
        shas.append(view.commit_sha)
        async with httpx.AsyncClient() as http:
            page = await http.get(str(view.pages_url))
        assert page.status_code == 200
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", str(view.repo_url), str(clone))
    assert git(clone, "log", "--format=%H", "--reverse").split() == shas
    assert page.content == (clone / "index.html").read_bytes()
    assert (clone / "LICENSE").read_text().startswith("MIT License\n\nCopyright (c) ")
    assert 'THE SOFTWARE IS PROVIDED "AS IS"' in (clone / "LICENSE").read_text()
    readme = (clone / "README.md").read_text().lower()
    assert all(f"# {section}" in readme for section in README_SECTIONS)
    for request in requests:
        for attachment in request["attachments"]:
            sent = base64.b64decode(attachment["url"].partition("base64,")[2])
            committed = (clone / attachment["name"]).read_bytes()
            # an attached README.md stays at the top of the app's own
            assert committed == sent or (attachment["name"] == "README.md" and committed.startswith(sent))
    assert ".path@example.com" not in git(clone, "log", "-p", "--all")


async def test_a_page_that_is_answered_200_shows_the_commit_of_its_own_round(slipway: Slipway) -> None:
    request = slipway.request(brief="A page about tides.")
    first = await slipway.ended(await slipway.submit(request))
    second = await slipway.run(task=request["task"], round=2, brief="Add a table of the moons.")
    assert first.commit_sha != second.commit_sha
    async with httpx.AsyncClient() as http:
        shown = (await http.get(str(second.pages_url))).text
    assert "A page about tides." in shown
    assert "Add a table of the moons." in shown


async def test_the_same_request_sent_twice_is_one_job(slipway: Slipway) -> None:
    request = slipway.request()
    jobs = {await slipway.submit(request) for _ in range(3)}
    assert len(jobs) == 1
    view = await slipway.ended(jobs.pop())
    assert await slipway.submit(request) == view.job
    assert slipway.told_commits(request["nonce"]) == {view.commit_sha}


async def test_round_one_again_with_a_new_nonce_rebuilds_in_the_same_repository(slipway: Slipway) -> None:
    request = slipway.request()
    first = await slipway.ended(await slipway.submit(request))
    again = await slipway.run(task=request["task"])
    assert again.repo_url == first.repo_url
    assert again.commit_sha != first.commit_sha
    assert again.edit is None


async def test_jobs_of_different_projects_do_not_wait_for_each_other(slipway: Slipway) -> None:
    views = await asyncio.gather(*(slipway.run() for _ in range(8)))
    assert {view.state for view in views} == {"notified"}
    assert len({view.repo_url for view in views}) == 8


async def test_the_status_tells_what_is_used_of_githubs_limits(slipway: Slipway) -> None:
    await slipway.run()
    metrics = (await asyncio.to_thread(httpx.get, f"http://127.0.0.1:{slipway.stack.plan.ports.deployer}/metrics")).text
    minute, hour = (await slipway.intake.counts()).budgets
    assert minute.used >= 2, "the repository and its site"
    # within the minute's window, older writes may have dropped out between the two looks
    assert f'slipway_github_writes{{window="hour"}} {hour.used}.0' in metrics
    assert (minute.name, hour.name) == ("GitHub writes per minute", "GitHub writes per hour")
    assert hour.held_until is None

    slipway.sandbox.fault("github", "secondary_rate_limit", retry_after=3, match="/user/repos")
    job = await slipway.submit(slipway.request())
    held: list[datetime] = []

    async def asked_to_wait() -> bool:
        held.extend(budget.held_until for budget in (await slipway.intake.counts()).budgets if budget.held_until)
        return bool(held)

    await until(asked_to_wait)
    assert held[0] > datetime.now(UTC)
    view = await slipway.ended(job)
    assert view.state == "notified"
    assert view.times["notified"] > held[0], "nothing was sent before"
