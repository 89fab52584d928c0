"""The deployer as a process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from slipway_common.events import Generated
from slipway_common.service import Service, Surroundings, run
from slipway_common.stage import Stage
from slipway_deployer import __version__
from slipway_deployer.deploy import check_forge, deploy
from slipway_deployer.settings import DeployerSettings
from slipway_deployer.tools import Tools, open_tools

WORK_S = 180.0
"""Time for everything but the wait for the page."""


@asynccontextmanager
async def _tools(settings: DeployerSettings, _: Surroundings) -> AsyncIterator[Tools]:
    async with open_tools(settings) as tools:
        yield tools


def _stage(settings: DeployerSettings) -> Stage[Generated, Tools]:
    return Stage(
        name="deployer",
        consumes=Generated,
        run=deploy,
        time_limit_s=settings.pages_wait_s + WORK_S,
        working="deploying",
        attempts=8,
        probe=check_forge,
        budgets=lambda tools: tools.rate.state(),
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
