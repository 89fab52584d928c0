"""The budget of requests that create content, kept before GitHub has to say that it is spent."""

import threading
import time
from collections import deque
from datetime import UTC, datetime, timedelta
from functools import partial

from prometheus_client import Gauge

from slipway_common.events import Budget
from slipway_deployer.errors import BusyError

WRITES = Gauge("slipway_github_writes", "Content-creating requests to GitHub in the window before now.", ["window"])
HELD = Gauge("slipway_github_held_until_timestamp_seconds", "Until when GitHub asked us to wait; 0 = never asked.")


class _Window:
    """The times of the requests within the last `seconds`, oldest first, at most `limit` of them."""

    def __init__(self, name: str, seconds: float, limit: int) -> None:
        self.name = name
        self.seconds = seconds
        self.limit = limit
        self.taken: deque[float] = deque()

    def used(self, now: float) -> int:
        while self.taken and now - self.taken[0] >= self.seconds:
            self.taken.popleft()
        return len(self.taken)


class RateBudget:
    """Counts in sliding windows of a minute and an hour, for this process. Safe to use from several threads."""

    def __init__(self, per_minute: int, per_hour: int) -> None:
        self._windows = (_Window("minute", 60.0, per_minute), _Window("hour", 3600.0, per_hour))
        self._held_until = 0.0
        self._lock = threading.Lock()
        for window in self._windows:
            WRITES.labels(window.name).set_function(partial(self._used, window))

    def state(self) -> tuple[Budget, ...]:
        """What is used of each window's limit now."""
        left = self._held_until - time.monotonic()
        until = datetime.now(UTC) + timedelta(seconds=left) if left > 0 else None
        return tuple(
            Budget(
                name=f"GitHub writes per {window.name}",
                window_s=window.seconds,
                used=self._used(window),
                limit=window.limit,
                held_until=until,
            )
            for window in self._windows
        )

    def check(self) -> None:
        """Raises BusyError while GitHub has asked us to wait."""
        with self._lock:
            left = self._held_until - time.monotonic()
        if left > 0:
            raise BusyError(f"GitHub asked to wait; {left:.0f} s left", left)

    def take(self) -> None:
        """Count one request that creates content. Raises BusyError where it would be over the budget."""
        self.check()
        with self._lock:
            now = time.monotonic()
            for window in self._windows:
                if window.used(now) >= window.limit:
                    left = window.taken[0] + window.seconds - now
                    raise BusyError(
                        f"{window.limit} content-creating requests a {window.name} are GitHub's limit", left
                    )
            for window in self._windows:
                window.taken.append(now)

    def hold(self, seconds: float) -> None:
        """Let nothing through for so long, because GitHub asked for it."""
        with self._lock:
            self._held_until = max(self._held_until, time.monotonic() + seconds)
        HELD.set(time.time() + seconds)

    def _used(self, window: _Window) -> int:
        with self._lock:
            return window.used(time.monotonic())
