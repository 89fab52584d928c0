"""The door alone: requests a second, each confirmed by the broker, beside an aiohttp handler that only answers 200."""

import asyncio
import itertools
import json
import time
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Annotated

import aiohttp

from slipway_bench.figures import Figures, Told
from slipway_bench.grounds import Grounds
from slipway_bench.world import running_world
from slipway_cli.ports import free_port
from slipway_cli.processes import Program, supervisor
from slipway_cli.worlds import SANDBOX_SECRET

SENDERS = 16
SECONDS, SECONDS_QUICK = 10.0, 2.5


class IntakeFigures(Figures):
    """Every request is a new job, 1.5 KB of JSON; the same client asks both."""

    senders: Annotated[int, Told("", "requests on their way at the same time")]
    requests_per_s: Annotated[float, Told("requests/s", "POST /ready, answered 200 once the broker has confirmed")]
    bare_per_s: Annotated[float, Told("requests/s", "baseline: a bare aiohttp handler, same requests, same client")]
    ratio: Annotated[float, Told("", "intake / baseline")]
    median_ms: Annotated[float, Told("ms", "one request, median")]
    p99_ms: Annotated[float, Told("ms", "one request, 99th percentile")]
    bare_median_ms: Annotated[float, Told("ms", "baseline: one request to the bare handler, median")]


@dataclass(frozen=True)
class _Load:
    per_s: float
    times_ms: list[float]


async def measure(grounds: Grounds) -> IntakeFigures:
    seconds = SECONDS_QUICK if grounds.quick else SECONDS
    async with supervisor(grounds.folder / "intake" / "logs", grace_s=2) as running:
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        await running.start(
            Program("bare-handler", "slipway_bench.bare_handler", {}, [str(port)], f"{url}/health/ready")
        )
        bare = await _ask(url, seconds)
    vhost = await grounds.vhost()
    async with running_world(grounds.folder / "intake", vhost, services=("intake",)) as world:
        asked = await _ask(world.stack.intake_url, seconds)
    return IntakeFigures(
        senders=SENDERS, requests_per_s=asked.per_s, bare_per_s=bare.per_s, ratio=asked.per_s / bare.per_s,
        median_ms=median(asked.times_ms), p99_ms=quantiles(asked.times_ms, n=100)[98],
        bare_median_ms=median(bare.times_ms),
    )  # fmt: skip


async def _ask(url: str, seconds: float) -> _Load:
    """SENDERS tasks that post one job after the other until the time is over."""
    serial = itertools.count()
    times: list[float] = []
    connector = aiohttp.TCPConnector(limit=SENDERS)
    async with aiohttp.ClientSession(connector=connector) as http:
        start = time.perf_counter()

        async def send() -> None:
            while (began := time.perf_counter()) < start + seconds:
                async with http.post(f"{url}/ready", data=_body(next(serial)), headers=_JSON) as answer:
                    if answer.status != 200:
                        raise RuntimeError(f"{url}/ready: {answer.status} {await answer.text()}")
                    await answer.read()
                times.append((time.perf_counter() - began) * 1000)

        await asyncio.gather(*(send() for _ in range(SENDERS)))
        return _Load(len(times) / (time.perf_counter() - start), times)


_JSON = {"Content-Type": "application/json"}


def _body(number: int) -> bytes:
    request = {
        "email": "student@example.com",
        "secret": SANDBOX_SECRET,
        "task": f"task-{number}",
        "round": 1,
        "nonce": f"nonce-{number}",
        "brief": "Show a friendly greeting, then say what day it is. " * 20,
        "checks": [{"js": "document.title.length > 0"}],
        "evaluation_url": "http://127.0.0.1:9/notify",
    }
    return json.dumps(request).encode()
