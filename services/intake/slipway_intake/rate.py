"""How many tasks one sender may start within a minute; off unless a limit is set."""

import time
from collections import OrderedDict, deque

_WINDOW_S = 60.0
_SENDERS = 10_000


class SenderRate:
    """Counts starts per sender over the last minute, for as many senders as fit (the longest silent go first)."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._starts: OrderedDict[str, deque[float]] = OrderedDict()

    def wait_s(self, sender: str) -> int:
        """0 and counted when the sender may start one more now; else the whole seconds until it may."""
        if not self._limit:
            return 0
        now = time.monotonic()
        starts = self._starts.setdefault(sender, deque())
        self._starts.move_to_end(sender)
        if len(self._starts) > _SENDERS:
            self._starts.popitem(last=False)
        while starts and starts[0] <= now - _WINDOW_S:
            starts.popleft()
        if len(starts) >= self._limit:
            return int(starts[0] + _WINDOW_S - now) + 1
        starts.append(now)
        return 0
