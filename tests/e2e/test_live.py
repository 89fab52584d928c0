"""One real build and one real revision: Gemini writes, GitHub publishes, with the keys of the environment or of .env.

Not run by default: `./run test -m live`. It leaves a public repository behind, of a task of its own each time, and
shows its address among the warnings. Only the evaluator is imitated: a real one has no reason to answer us.
"""

import asyncio
import os
import uuid
import warnings
from pathlib import Path

import httpx
import pytest
from slipway_under_test import Slipway, running_world

from slipway_cli.job import JobView
from slipway_cli.stack import ROOT
from slipway_cli.worlds import KEYS, WorldRefusedError, choose_world, read_environment

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="function")]

JOB_S = 900.0
BUILD = {
    "brief": "A page with two number fields, #first and #second (2 and 3 at the start), and their sum in #sum, which "
    "follows every change.",
    "checks": [
        "Repo has MIT license",
        "README.md is professional",
        {"js": "document.querySelector('#sum').textContent.trim() === '5'"},
    ],
}
REVISE = {
    "brief": "Show the product of the two numbers as well, in #product. Everything else stays as it is.",
    "checks": [
        {"js": "document.querySelector('#product').textContent.trim() === '6'"},
        {"js": "document.querySelector('#sum').textContent.trim() === '5'"},
    ],
}


async def test_a_real_build_and_a_real_revision(fresh_vhost_url: str, tmp_path: Path) -> None:
    variables = read_environment(os.environ, ROOT)
    missing = [name for name in KEYS if not variables.get(name)]
    if missing:
        pytest.skip(f"no keys: {', '.join(missing)} not set, neither in the environment nor in .env")
    try:
        world = choose_world(variables)
    except WorldRefusedError as error:
        pytest.skip(str(error))
    if (world.model, world.forge) != ("gemini", "github"):
        pytest.skip(f"the keys make another world: model: {world.model}, forge: {world.forge}")

    async with running_world(tmp_path, fresh_vhost_url, world) as slipway:
        request = slipway.request(secret=world.secret, task=f"slipway-live-{uuid.uuid4().hex[:8]}", **BUILD)
        built = await finished(slipway, request)
        revised = await finished(slipway, slipway.request(secret=world.secret, task=request["task"], round=2, **REVISE))
    assert built.repo_url == revised.repo_url
    assert slipway.commits(revised) == [built.commit_sha, revised.commit_sha]
    assert revised.edit is not None
    kept = f"{revised.edit.untouched:.0%} of the lines stayed"
    warnings.warn(f"published: {built.repo_url} and {revised.pages_url} ({kept})", stacklevel=1)
    async with httpx.AsyncClient(follow_redirects=True, timeout=30) as http:
        page = await http.get(f"{revised.pages_url}?{uuid.uuid4().hex}")
    assert page.status_code == httpx.codes.OK
    assert "product" in page.text


async def finished(slipway: Slipway, request: dict[str, object]) -> JobView:
    """The job, notified, with its page live, no check false, and one commit told to the evaluator."""
    view = await slipway.ended(await slipway.submit(request), JOB_S)
    assert view.state == "notified", view
    assert "not live" not in view.marks, view
    assert view.checks.false == 0, view
    told = await asyncio.to_thread(slipway.told, str(request["nonce"]))
    assert {note.body["commit_sha"] for note in told if isinstance(note.body, dict)} == {view.commit_sha}
    return view
