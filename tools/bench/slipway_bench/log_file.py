"""What measured parts log in this process goes to a file: it costs what it costs a service, and hides no figure."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog


@contextmanager
def log_file(folder: Path) -> Iterator[None]:
    """All log lines go to `folder`/bench.log while the block runs."""
    with (folder / "bench.log").open("w") as log:
        structlog.configure(
            processors=[
                structlog.contextvars.merge_contextvars,
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso"),
                structlog.processors.JSONRenderer(),
            ],
            logger_factory=structlog.WriteLoggerFactory(log),
        )
        try:
            yield
        finally:
            structlog.reset_defaults()
