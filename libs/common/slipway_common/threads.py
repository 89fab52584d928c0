"""Blocking network calls beside the event loop, in threads that a process can leave behind when it ends.

The threads of `asyncio.to_thread` and of every executor are joined when the interpreter exits, so one call that waits
for an answer would keep a stopped service alive until its own time limit.
"""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from typing import TypeVar

T = TypeVar("T")


async def in_thread(work: Callable[[], T]) -> T:
    """Run `work` in a daemon thread of its own; a cancelled caller leaves it to its own time limit."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()
    context = copy_context()

    def settle(set_outcome: Callable[[], None]) -> None:
        # the loop may be closed by now: nobody waits any more
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(lambda: None if future.done() else set_outcome())

    def run() -> None:
        try:
            result = context.run(work)
        except BaseException as error:  # noqa: BLE001 (handed to the caller as it is)
            failure = error
            settle(lambda: future.set_exception(failure))
        else:
            settle(lambda: future.set_result(result))

    threading.Thread(target=run, name="network", daemon=True).start()
    return await future
