"""The metrics that every stage has (Prometheus naming: base units, `_total` for counters)."""

from prometheus_client import Counter, Gauge, Histogram

STAGE_SECONDS = Histogram(
    "slipway_stage_seconds",
    "Seconds that a stage spent on an event, by outcome.",
    ["stage", "outcome"],
    buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600),
)
DEAD_LETTERS = Counter("slipway_dead_letters_total", "Events that a stage gave up on.", ["stage"])
PAUSED = Gauge("slipway_stage_paused", "1 while the stage does not consume because of a fault of ours.", ["stage"])
