"""The budget of requests that create content, kept before GitHub has to say that it is spent."""

import threading
import time
from collections import deque

from prometheus_client import Gauge

from slipway_deployer.errors import BusyError

_MINUTE = 60.0
_HOUR = 3600.0
WRITES = Gauge("slipway_github_writes", "Content-creating requests to GitHub in the window before now.", ["window"])
HELD = Gauge("slipway_github_held_until_timestamp_seconds", "Until when GitHub asked us to wait; 0 = never asked.")


class RateBudget:
    """Counts in sliding windows of a minute and an hour, for this process. Safe to use from several threads."""

    def __init__(self, per_minute: int, per_hour: int) -> None:
        self._limits = ((_MINUTE, per_minute), (_HOUR, per_hour))
        self._taken: deque[float] = deque(maxlen=max(per_minute, per_hour))
        self._held_until = 0.0
        self._lock = threading.Lock()

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
            while self._taken and now - self._taken[0] >= _HOUR:
                self._taken.popleft()
            for window, limit in self._limits:
                if len(self._taken) >= limit and (left := self._taken[-limit] + window - now) > 0:
                    raise BusyError(f"{limit} content-creating requests in {window:.0f} s are GitHub's limit", left)
            self._taken.append(now)
            WRITES.labels("minute").set(sum(now - at < _MINUTE for at in self._taken))
            WRITES.labels("hour").set(len(self._taken))

    def hold(self, seconds: float) -> None:
        """Let nothing through for so long, because GitHub asked for it."""
        with self._lock:
            self._held_until = max(self._held_until, time.monotonic() + seconds)
        HELD.set(time.time() + seconds)
