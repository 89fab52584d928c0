"""The deployer as a process."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

import httpx

from slipway_common.events import Generated
from slipway_common.service import Service, Surroundings, run
from slipway_common.stage import Stage
from slipway_deployer import __version__
from slipway_deployer.deploy import Tools, check_forge, deploy
from slipway_deployer.github import GitHub
from slipway_deployer.pages import PublicSite
from slipway_deployer.rate import RateBudget
from slipway_deployer.scan import SecretScan, secrets_of_environment
from slipway_deployer.settings import DeployerSettings

WORK_S = 180.0
"""Time for everything but the wait for the page."""


@asynccontextmanager
async def tools(settings: DeployerSettings) -> AsyncIterator[Tools]:
    """Everything the stage works with, wired from the settings."""
    # to_thread's own pool is as small as the machine; these threads only wait on the network
    asyncio.get_running_loop().set_default_executor(
        ThreadPoolExecutor(settings.deployer_concurrency, thread_name_prefix="network")
    )
    github = GitHub(
        settings.github_api_url,
        settings.github_token.get_secret_value(),
        settings.github_username,
        budget=RateBudget(settings.writes_per_minute, settings.writes_per_hour),
        timeout_s=settings.github_timeout_s,
    )
    async with httpx.AsyncClient(timeout=10, follow_redirects=True) as client:
        with ThreadPoolExecutor(1, thread_name_prefix="packing") as packing:
            yield Tools(
                settings=settings,
                github=github,
                site=PublicSite(client),
                scan=SecretScan([*settings.secrets(), *secrets_of_environment()]),
                packing=packing,
            )


@asynccontextmanager
async def _tools(settings: DeployerSettings, _: Surroundings) -> AsyncIterator[Tools]:
    async with tools(settings) as made:
        yield made


def _stage(settings: DeployerSettings) -> Stage[Generated, Tools]:
    return Stage(
        name="deployer",
        consumes=Generated,
        run=deploy,
        time_limit_s=settings.pages_wait_s + WORK_S,
        working="deploying",
        attempts=8,
        probe=check_forge,
    )


SERVICE = Service(
    name="deployer",
    version=__version__,
    settings=DeployerSettings,
    port=lambda settings: settings.deployer_port,
    concurrency=lambda settings: settings.deployer_concurrency,
    stage=_stage,
    tools=_tools,
)

if __name__ == "__main__":
    run(SERVICE)
