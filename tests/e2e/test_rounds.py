"""Rounds of one project: one after the other, whatever order they come in, and never without an answer."""

import asyncio
from pathlib import Path

import pytest
from slipway_under_test import running_slipway

pytestmark = pytest.mark.asyncio(loop_scope="function")


async def test_a_round_whose_predecessor_never_comes_waits_and_is_then_built_whole_and_says_so(
    fresh_vhost_url: str, tmp_path: Path
) -> None:
    async with running_slipway(tmp_path, fresh_vhost_url, settings={"PREDECESSOR_WAIT_S": "1"}) as slipway:
        request = slipway.request(round=2, brief="Add a map of the harbour.")
        view = await slipway.ended(await slipway.submit(request))
        assert view.state == "notified"
        assert view.edit is None, "there was nothing to edit"
        assert "round 1 never came: built whole" in " ".join(view.notes)
        assert len(slipway.commits(view)) == 1


async def test_rounds_sent_at_once_are_committed_in_their_order(fresh_vhost_url: str, tmp_path: Path) -> None:
    async with running_slipway(tmp_path, fresh_vhost_url) as slipway:
        first = slipway.request(brief="A page about ships.")
        later = [slipway.request(task=first["task"], round=n, brief=f"Add section {n}.") for n in (2, 3)]
        jobs = [await slipway.submit(request) for request in (*reversed(later), first)]
        views = await asyncio.gather(*(slipway.ended(job) for job in jobs))
        assert {view.state for view in views} == {"notified"}
        in_order = sorted(views, key=lambda view: view.round)
        assert slipway.commits(in_order[0]) == [view.commit_sha for view in in_order]
        assert all(view.edit and not view.edit.rewrite for view in in_order[1:])
