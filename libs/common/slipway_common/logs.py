"""Structured logs: one event, one line of JSON on stdout, the last 200 kept for `/logs`, secrets masked."""

import logging
import sys
from collections import deque
from collections.abc import Iterable

import structlog
from structlog.typing import EventDict, WrappedLogger

from slipway_common.credentials import blotted

KEPT_LINES = 200


class Masking:
    """Replaces secret values, and what looks like a credential, in a finished log line."""

    def __init__(self, secrets: Iterable[str]) -> None:
        # a short value would mask half the text and is no secret worth the name
        self._secrets = sorted({s for s in secrets if len(s) >= 6}, key=len, reverse=True)

    def __call__(self, line: str) -> str:
        for secret in self._secrets:
            line = line.replace(secret, "***")
        return blotted(line)


class LineBuffer:
    """The last lines that were logged."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=KEPT_LINES)

    def append(self, line: str) -> None:
        self._lines.append(line)

    def lines(self) -> list[str]:
        return list(self._lines)


def set_up_logs(service: str, version: str, *, level: str, secrets: Iterable[str]) -> LineBuffer:
    """Route structlog and the standard library's logging through one chain; returns the buffer behind `/logs`."""
    buffer = LineBuffer()
    mask = Masking(secrets)
    render = structlog.processors.JSONRenderer(default=str, ensure_ascii=False)

    def finish(logger: WrappedLogger, method: str, event: EventDict) -> str:
        line = mask(str(render(logger, method, event)))
        buffer.append(line)
        return line

    def name_service(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        event.update(service=service, version=version)
        return event

    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        name_service,
    ]
    numeric = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, finish],
        wrapper_class=structlog.make_filtering_bound_logger(numeric),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                finish,
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    # these two report every lost connection with a traceback; the bus says it in one line
    for noisy in ("aio_pika", "aiormq"):
        logging.getLogger(noisy).setLevel(logging.CRITICAL)
    return buffer
