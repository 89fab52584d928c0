"""Tries folders in the browser without any task: one JSON line in, one out. For measurements and for a look by hand.

echo '{"folder": "app", "checks": [{"js": "document.title !== \\"\\""}]}' | python -m slipway_generator.trial
"""

import asyncio
import os
import sys
import time
from pathlib import Path

from pydantic import BaseModel

from slipway_common.events import Check, CheckResult, Finding
from slipway_generator.browser import Inspector
from slipway_generator.chromium import find_chromium


class Ask(BaseModel):
    """A folder with an app, and what is to hold on its page."""

    folder: Path
    checks: list[Check] = []


class Answer(BaseModel):
    """What came out, and how long the inspection took."""

    seconds: float
    available: bool
    reason: str
    title: str
    checks: tuple[CheckResult, ...]
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]
    screenshots: int


async def answer(inspector: Inspector, ask: Ask) -> Answer:
    """Inspect one folder."""
    files = {
        path.relative_to(ask.folder).as_posix(): path.read_bytes() for path in ask.folder.rglob("*") if path.is_file()
    }
    start = time.perf_counter()
    evidence = await inspector.inspect(files, "someone", "trial", [(1, check) for check in ask.checks])
    return Answer(
        seconds=time.perf_counter() - start,
        available=evidence.available,
        reason=evidence.reason,
        title=evidence.title,
        checks=evidence.checks,
        findings=evidence.findings,
        notes=evidence.notes,
        screenshots=len(evidence.screenshots),
    )


async def serve() -> None:
    """Answer each line of the standard input until it ends."""
    cdn_dir = os.environ.get("CDN_DIR")
    chromium = find_chromium(os.environ.get("CHROMIUM_PATH"))
    async with Inspector(chromium, Path(cdn_dir) if cdn_dir else None, uses=1_000_000) as inspector:
        while line := await asyncio.to_thread(sys.stdin.readline):
            told = await answer(inspector, Ask.model_validate_json(line))
            sys.stdout.write(told.model_dump_json() + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(serve())
