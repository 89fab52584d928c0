"""The limits that figures must keep, all of them, each with who set it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from slipway_bench.figures import Figure


@dataclass(frozen=True)
class Limit:
    """A bound that is still good, and where it comes from."""

    bound: float
    source: str
    at_least: bool = False

    def __str__(self) -> str:
        return f"{'at least' if self.at_least else 'at most'} {self.bound:g}"

    def keeps(self, figure: Figure) -> bool:
        """Whether the figure is within it. What was not measured is not."""
        if not isinstance(figure.value, int | float):
            return False
        return figure.value >= self.bound if self.at_least else figure.value <= self.bound


_DEPLOYER = "docs/github.md, requests"
_GENERATION = "docs/measurements.md, generation"
_BROWSER = "docs/measurements.md, browser"

LIMITS: Mapping[str, Mapping[str, Limit]] = {
    "deploy": {
        "new.requests": Limit(4, _DEPLOYER),
        "update.requests": Limit(2, _DEPLOYER),
        "redelivered.requests": Limit(1, _DEPLOYER),
        "read.requests": Limit(3, _DEPLOYER),
    },
    "generation": {
        "untouched.*": Limit(0.8, _GENERATION, at_least=True),
        "rewrites": Limit(0, _GENERATION),
        "reply_share.*": Limit(0.25, _GENERATION),
        "*edits_ms": Limit(20, _GENERATION),
        "inspection_ms": Limit(150, _GENERATION),
    },
    "browser": {
        "warm_ms": Limit(400, _BROWSER),
        "growth": Limit(0.2, _BROWSER),
    },
}
"""Benchmark -> pattern of figure keys -> limit. Where nobody has set one, a figure is only shown."""


def limit_of(benchmark: str, key: str) -> Limit | None:
    """The limit for a figure, if there is one."""
    limits = LIMITS.get(benchmark, {})
    return next((limit for pattern, limit in limits.items() if fnmatchcase(key, pattern)), None)


def missed(benchmark: str, figures: Iterable[Figure]) -> list[str]:
    """One line for each figure that is over its limit, or that has one and was not measured."""
    found = []
    for figure in figures:
        limit = limit_of(benchmark, figure.key)
        if limit and not limit.keeps(figure):
            value = "not measured" if figure.value is None else f"{figure.value} {figure.unit}".rstrip()
            found.append(f"{benchmark} {figure.key}: {value}, must be {limit} ({limit.source})")
    return found
