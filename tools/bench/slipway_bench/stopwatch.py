"""How long a function takes, on a machine that others use as well."""

import time
from collections.abc import Callable

ROUNDS = 15


def best_ms(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Milliseconds of the fastest of `rounds` runs, after one that warms up: what others do only ever adds time."""
    work()
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times) * 1000
