"""The intake's own metrics."""

from prometheus_client import Counter, Histogram

REQUESTS = Counter("slipway_requests_total", "Task requests, by the HTTP status of the answer.", ["status"])
JOBS_CLOSED = Counter("slipway_jobs_closed_total", "Jobs whose evaluator was told, by whether in time.", ["late"])
JOB_SECONDS = Histogram(
    "slipway_job_seconds",
    "Seconds from a request's acceptance to its evaluator's 200.",
    buckets=(0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 3600),
)
