"""The last stage: a notified job is closed, with the time that it took from door to evaluator."""

import structlog

from slipway_common.events import Notified
from slipway_intake.metrics import JOB_SECONDS, JOBS_CLOSED

log = structlog.get_logger()


async def close(event: Notified, _: object) -> None:
    """Log and count a job's end. The history has the event already, so nothing has to be kept."""
    seconds = (event.at - event.job.accepted_at).total_seconds()
    late = event.at > event.job.due_at
    JOBS_CLOSED.labels(str(late).lower()).inc()
    JOB_SECONDS.observe(seconds)
    log.info("notified", seconds=round(seconds, 3), late=late, live=event.live, pages_url=event.pages_url)
