"""What becomes of jobs when the model writes rubbish, and when its key does not work for a while."""

import asyncio
from pathlib import Path

import httpx
import pytest
from slipway_under_test import JOB_S, Slipway, running_slipway

MAX_MODEL_CALLS = 8
JOBS = 100
OUTAGE_S = 5.0


def calls_for_replies(slipway: Slipway) -> int:
    return sum(request.path.endswith(":generateContent") for request in slipway.sandbox.requests("gemini"))


@pytest.mark.asyncio(loop_scope="session")
async def test_a_model_that_only_writes_rubbish_ends_the_job_and_changes_nothing(slipway: Slipway) -> None:
    request = slipway.request(brief="A page about otters.")
    first = await slipway.ended(await slipway.submit(request))
    assert first.state == "notified"
    async with httpx.AsyncClient() as http:
        before = (await http.get(str(first.pages_url))).content
        calls = calls_for_replies(slipway)
        slipway.sandbox.script("Add a rubbish section.", ["This is no file. {{serial}}"])
        revision = slipway.request(task=request["task"], round=2, brief="Add a rubbish section.")
        view = await slipway.ended(await slipway.submit(revision))
        assert view.state == "dead"
        assert "no version of the app could be made: the reply has no file block" in view.message
        assert 1 <= calls_for_replies(slipway) - calls <= MAX_MODEL_CALLS
        assert slipway.commits(first) == [first.commit_sha]
        assert (await http.get(str(first.pages_url))).content == before
    assert slipway.told(revision["nonce"]) == []


@pytest.mark.asyncio(loop_scope="session")
async def test_a_first_round_of_rubbish_leaves_no_repository(slipway: Slipway) -> None:
    slipway.sandbox.script("A rubbish page.", ["This is no file. {{serial}}"])
    request = slipway.request(brief="A rubbish page.")
    view = await slipway.ended(await slipway.submit(request))
    assert view.state == "dead"
    assert slipway.told(request["nonce"]) == []
    assert slipway.sandbox.requests("github") == [], "the deployer was at work"


@pytest.mark.asyncio(loop_scope="function")
async def test_a_hundred_jobs_through_an_outage_of_the_key_are_all_notified(
    fresh_vhost_url: str, tmp_path: Path
) -> None:
    settings = {"GENERATOR_CONCURRENCY": "16"}
    async with running_slipway(tmp_path, fresh_vhost_url, settings=settings, chromium=False) as slipway:
        slipway.sandbox.change_settings(pages_build_s=0)
        requests = [slipway.request() for _ in range(JOBS)]
        with slipway.sandbox.faulty("gemini", "bad_key"):
            jobs = await asyncio.gather(*(slipway.submit(request) for request in requests))
            await asyncio.sleep(OUTAGE_S)
            struck = slipway.sandbox.faults()[0].hits
            assert (await slipway.intake.counts()).unfinished == JOBS
        for _ in range(int(2 * JOB_S)):
            if (await slipway.intake.counts()).unfinished == 0:
                break
            await asyncio.sleep(0.5)
        views = [await slipway.ended(job) for job in jobs]
        assert {view.state for view in views} == {"notified"}
        told = [note.body["nonce"] for note in slipway.sandbox.notifications() if isinstance(note.body, dict)]
        assert set(told) == {request["nonce"] for request in requests}
        assert struck >= 2, "the outage was not met"
        # a paused stage asks with calls of its own, not with the jobs
        assert struck < JOBS
        async with httpx.AsyncClient() as http:
            metrics = (await http.get(f"http://127.0.0.1:{slipway.stack.generator_ports[0]}/metrics")).text
        assert f'slipway_model_calls_total{{model="gemini-3.8-flash",outcome="answered"}} {JOBS}.0' in metrics
        assert 'slipway_model_tokens_total{direction="output",model="gemini-3.8-flash"}' in metrics
        assert all(set(view.attempts.values()) <= {1} for view in views), "the outage burnt attempts"
