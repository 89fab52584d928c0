"""Generators side by side: they share the work, and a killed one loses nothing."""

import asyncio
import re
from collections import Counter
from pathlib import Path

import httpx
import pytest
from slipway_under_test import Slipway, running_slipway

pytestmark = pytest.mark.asyncio(loop_scope="function")

JOBS = 24


async def test_three_generators_share_the_work_and_one_of_them_killed_loses_nothing(
    fresh_vhost_url: str, tmp_path: Path
) -> None:
    async with running_slipway(tmp_path, fresh_vhost_url, generators=3, chromium=False) as slipway:
        # every call takes a while, so that the work is spread and a kill strikes in the middle
        slipway.sandbox.fault("gemini", "slow", seconds=0.5, times=None)
        jobs = [await slipway.submit(slipway.request()) for _ in range(JOBS)]
        assert await slipway.until(lambda: len(slipway.sandbox.replies()) >= JOBS // 3)
        done = await _generated(slipway)
        slipway.stack.child("generator-2").kill()
        views = await asyncio.gather(*(slipway.ended(job) for job in jobs))
        assert Counter(view.state for view in views) == {"notified": JOBS}
        assert len(done) == 3, "a generator did nothing"
        assert all(done.values())


async def _generated(slipway: Slipway) -> dict[int, int]:
    """How many events each generator has finished, by the port of its metrics."""
    found = {}
    async with httpx.AsyncClient(trust_env=False) as http:
        for port in slipway.stack.generator_ports:
            text = (await http.get(f"http://127.0.0.1:{port}/metrics")).text
            match = re.search(r'slipway_stage_seconds_count{outcome="done",stage="generator"} (\d+)', text)
            found[port] = int(match[1]) if match else 0
    return found
