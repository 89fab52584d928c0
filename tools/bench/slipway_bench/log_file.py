"""What measured parts log in this process goes to a file: it costs what it costs a service, and hides no figure."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog

LOG = "bench.log"


@contextmanager
def log_file(folder: Path) -> Iterator[None]:
    """All log lines go to `folder`/LOG while the block runs."""
    with (folder / LOG).open("w") as log:
        structlog.configure(
            processors=[
                structlog.contextvars.merge_contextvars,
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso"),
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(),
            ],
            logger_factory=structlog.WriteLoggerFactory(log),
        )
        try:
            yield
        finally:
            structlog.reset_defaults()
