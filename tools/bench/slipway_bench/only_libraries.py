"""`python -m slipway_bench.only_libraries`: has what every service needs in memory, and does nothing."""

import signal

import aio_pika  # noqa: F401
import httpx  # noqa: F401
import pydantic_settings  # noqa: F401
import structlog  # noqa: F401
from aiohttp import web  # noqa: F401

if __name__ == "__main__":
    signal.pause()
