"""The inspector in a warm browser beside a bare page load, and the browser's memory over many apps."""

import base64
import os
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Annotated

from playwright.async_api import Browser, Route, async_playwright
from pydantic import BaseModel

from slipway_bench.figures import Figures, Told
from slipway_bench.grounds import Grounds
from slipway_bench.memory_of import below, proportional_mib
from slipway_cli.stack import EXAMPLES
from slipway_common.events import Attachment, Check
from slipway_generator.browser import Inspector
from slipway_generator.browser.evidence import Evidence
from slipway_generator.reply import WholeFile, parse_reply

EXAMPLE = "sum-of-sales"
WARM_UP = 5
SETTLED = 20
"""Apps after which the browser's memory is taken for its own."""
APPS, APPS_QUICK = 200, 40
BARE_LOADS = 10
_ADDRESS = "https://someone.github.io/trial/"


class BrowserFigures(Figures):
    """Times are medians; memory is the proportional set size of the browser's processes and its driver."""

    warm_ms: Annotated[float, Told("ms", f"inspection of round 1 of {EXAMPLE}, browser warm")]
    bare_load_ms: Annotated[float, Told("ms", "baseline: the same page in a fresh context, nothing else")]
    ratio: Annotated[float, Told("", "inspection / baseline")]
    apps: Annotated[int, Told("apps", "inspected in a row, each with other bytes")]
    memory_after_20_mib: Annotated[float, Told("MiB", f"baseline: after {SETTLED} apps")]
    memory_at_end_mib: Annotated[float, Told("MiB", "after the last")]
    growth: Annotated[float, Told("share", "by which it grew in between")]


class _Asked(BaseModel):
    checks: list[Check]
    attachments: list[Attachment]


@dataclass(frozen=True)
class _Example:
    page: str
    attached: dict[str, bytes]
    checks: list[tuple[int, Check]]


async def measure(grounds: Grounds) -> BrowserFigures:
    parts = await grounds.browser()
    apps = APPS_QUICK if grounds.quick else APPS
    example = _example()
    bare = await _bare_load_ms(parts.chromium, example.page)
    others = below(os.getpid())
    times: list[float] = []
    settled = 0.0
    async with Inspector(parts.chromium, parts.mirror, uses=apps + 1) as inspector:
        for number in range(1, apps + 1):
            files = {**example.attached, "index.html": f"{example.page}<!-- {number} -->".encode()}
            start = time.perf_counter()
            evidence = await inspector.inspect(files, "someone", "trial", example.checks)
            times.append((time.perf_counter() - start) * 1000)
            _check(number, evidence)
            if number == SETTLED:
                settled = proportional_mib(below(os.getpid()) - others)
        at_end = proportional_mib(below(os.getpid()) - others)
    warm = median(times[WARM_UP:])
    return BrowserFigures(
        warm_ms=warm, bare_load_ms=bare, ratio=warm / bare,
        apps=apps, memory_after_20_mib=settled, memory_at_end_mib=at_end, growth=at_end / settled - 1,
    )  # fmt: skip


def _check(number: int, evidence: Evidence) -> None:
    outcomes = [check.outcome for check in evidence.checks]
    if not evidence.available or "true" not in outcomes or "false" in outcomes:
        raise RuntimeError(f"app {number} was not inspected as it should be: {evidence.reason} {outcomes}")


def _example() -> _Example:
    folder = EXAMPLES / EXAMPLE / "round-1"
    asked = _Asked.model_validate_json((folder / "request.json").read_bytes())
    reply = parse_reply((folder / "reply-1.md").read_text())
    [page] = [part.text for part in reply.parts if isinstance(part, WholeFile) and part.path == "index.html"]
    attached = {item.name: base64.b64decode(item.url.partition(",")[2]) for item in asked.attachments}
    return _Example(page, attached, [(1, check) for check in asked.checks])


async def _bare_load_ms(chromium: Path, page: str) -> float:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        times = [await _load_once(browser, page) for _ in range(BARE_LOADS)]
        await browser.close()
    return median(times[2:])


async def _load_once(browser: Browser, page: str) -> float:
    async def serve(route: Route) -> None:
        if route.request.url == _ADDRESS:
            await route.fulfill(body=page, content_type="text/html")
        else:
            await route.fulfill(body="", content_type="text/plain")

    start = time.perf_counter()
    context = await browser.new_context()
    await context.route("**/*", serve)
    await (await context.new_page()).goto(_ADDRESS)
    await context.close()
    return (time.perf_counter() - start) * 1000
