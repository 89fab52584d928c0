"""What the deployer's stage works with, wired from the settings."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlsplit

import httpx

from slipway_deployer.github import GitHub
from slipway_deployer.pages import PublicSite
from slipway_deployer.rate import RateBudget
from slipway_deployer.scan import SecretScan, secrets_of_environment
from slipway_deployer.settings import DeployerSettings

T = TypeVar("T")


@dataclass(frozen=True)
class Tools:
    """`packing` has one thread: more CPU-bound ones would starve the event loop."""

    settings: DeployerSettings
    github: GitHub
    site: PublicSite
    scan: SecretScan
    packing: Executor
    rate: RateBudget

    async def pack(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self.packing, work)


@asynccontextmanager
async def open_tools(settings: DeployerSettings) -> AsyncIterator[Tools]:
    """The tools while the block runs. Nothing is asked of the network before the first event."""
    rate = RateBudget(settings.writes_per_minute, settings.writes_per_hour)
    github = GitHub(
        settings.github_api_url,
        settings.github_token.get_secret_value(),
        settings.github_username,
        budget=rate,
        timeout_s=settings.github_timeout_s,
    )
    async with httpx.AsyncClient(timeout=10, follow_redirects=True) as client:
        with ThreadPoolExecutor(1, thread_name_prefix="packing") as packing:
            password = urlsplit(settings.amqp_url.get_secret_value()).password or ""
            scan = SecretScan([*settings.secrets(), *secrets_of_environment(), password])
            yield Tools(settings, github, PublicSite(client), scan, packing, rate)
