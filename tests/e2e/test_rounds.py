"""Rounds of one project: one after the other, whatever order they come in, and never without an answer."""

import asyncio
import re
from collections import Counter
from pathlib import Path

import pytest
from slipway_under_test import Slipway, running_slipway
from stage_world import open_vhost

from slipway_common.events import Received, read_event

pytestmark = pytest.mark.asyncio(loop_scope="function")


async def test_a_round_whose_predecessor_never_comes_waits_and_is_then_built_whole_and_says_so(
    fresh_vhost_url: str, tmp_path: Path
) -> None:
    settings = {"PREDECESSOR_WAIT_S": "1", "PREDECESSOR_PAUSE_S": "1"}
    async with running_slipway(tmp_path, fresh_vhost_url, settings=settings, chromium=False) as slipway:
        request = slipway.request(round=2, brief="Add a map of the harbour.")
        view = await slipway.ended(await slipway.submit(request))
        assert view.state == "notified"
        assert view.edit is None, "there was nothing to edit"
        assert "round 1 never came: built whole" in " ".join(view.notes)
        assert len(slipway.commits(view)) == 1


async def test_ten_rounds_and_three_nonces_at_once_are_thirteen_commits_in_order(
    fresh_vhost_url: str, tmp_path: Path
) -> None:
    settings = {"PREDECESSOR_PAUSE_S": "1", "GENERATOR_CONCURRENCY": "16"}
    async with running_slipway(tmp_path, fresh_vhost_url, settings=settings, chromium=False) as slipway:
        slipway.sandbox.change_settings(pages_build_s=0)
        first = slipway.request(brief="A page about ships, the one of round 1.")
        rounds = [*range(2, 11), 10, 10, 10]
        later = [
            slipway.request(task=first["task"], round=number, brief=f"Add section {place} in round {number}.")
            for place, number in enumerate(rounds, 2)
        ]
        requests = [first, *later]
        jobs = await asyncio.gather(*(slipway.submit(request) for request in reversed(requests)))
        views = await asyncio.gather(*(slipway.ended(job) for job in jobs))
        assert {view.state for view in views} == {"notified"}

        shas = {view.job: view.commit_sha for view in views}
        commits = slipway.commits(views[0])
        assert len(commits) == 13
        assert set(commits) == set(shas.values()), "every job has a commit of its own, and there is no other"
        in_order = sorted(views, key=lambda view: commits.index(str(view.commit_sha)))
        assert [view.round for view in in_order] == [1, *range(2, 11), 10, 10, 10]
        for request, job in zip(reversed(requests), jobs, strict=True):
            told = [note.body["commit_sha"] for note in slipway.told(request["nonce"]) if isinstance(note.body, dict)]
            assert set(told) == {shas[job]}

        calls = calls_by_brief(slipway)
        assert set(calls) == {request["brief"] for request in requests}
        assert max(calls.values()) <= 2, calls
        assert sum(calls.values()) - len(requests) == await hand_backs(fresh_vhost_url), "a call more was a hand-back"


def calls_by_brief(slipway: Slipway) -> Counter[str]:
    """How often the model was asked for each brief, by the sandbox's own record of the prompts."""
    briefs = [re.search(r"^# Brief\s+(.+)$", prompt.text, re.MULTILINE) for prompt in slipway.sandbox.prompts()]
    return Counter(brief[1].strip() for brief in briefs if brief)


async def hand_backs(amqp_url: str) -> int:
    """How often the history says that a job went back to the generator because the branch had moved."""
    async with open_vhost(amqp_url) as vhost:
        events = [read_event(message.body).data for message in await vhost.history() if message.type == Received.type]
    return sum(isinstance(event, Received) and event.hand_backs > 0 for event in events)
