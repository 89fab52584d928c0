"""Watches an event loop: for how long was nothing else let in?"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

TICK_S = 0.002


class LoopWatch:
    """`longest_s`: the longest time by which a tick came late."""

    def __init__(self) -> None:
        self.longest_s = 0.0

    async def run(self) -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(TICK_S)
            self.longest_s = max(self.longest_s, time.perf_counter() - before - TICK_S)


@asynccontextmanager
async def watched_loop() -> AsyncIterator[LoopWatch]:
    """A watch on the running loop while the block runs."""
    watch = LoopWatch()
    ticking = asyncio.create_task(watch.run())
    try:
        yield watch
    finally:
        ticking.cancel()
        with suppress(asyncio.CancelledError):
            await ticking
