"""A repository that GitHub made without saying so: what the sender is told is true all the same."""

import pytest
from pydantic import JsonValue
from slipway_under_test import Slipway

from slipway_sandbox.records import Target

pytestmark = pytest.mark.asyncio(loop_scope="session")

AND_THEN: dict[str, tuple[Target, str, dict[str, JsonValue]] | None] = {
    "nothing else": None,
    "a push that is done and not said": ("git", "done_then_502", {"match": "/git-receive-pack", "method": "POST"}),
    "a site that is made and not said": ("github", "done_then_502", {"match": "/pages", "method": "POST"}),
}


@pytest.mark.parametrize("second", AND_THEN)
async def test_after_a_creation_race_the_sender_is_told_the_commit_that_is_there(slipway: Slipway, second: str) -> None:
    slipway.sandbox.fault("github", "done_then_502", match="/user/repos", method="POST")
    if (fault := AND_THEN[second]) is not None:
        target, kind, options = fault
        slipway.sandbox.fault(target, kind, **options)  # type: ignore[arg-type]
    request = slipway.request()
    view = await slipway.ended(await slipway.submit(request))
    assert view.state == "notified", view
    assert slipway.sandbox.faults() == [], "every fault struck"
    [commit] = slipway.commits(view)
    [told] = slipway.told(request["nonce"])
    assert told.status == 200
    assert isinstance(told.body, dict)
    assert told.body["commit_sha"] == commit
    assert told.body["repo_url"] == view.repo_url
    assert view.attempts["deployer"] > 1, "the race cost an attempt"
