"""The intake service."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, suppress
from pathlib import Path

from slipway_common.events import Notified
from slipway_common.service import Service, Surroundings, run
from slipway_common.stage import Stage
from slipway_intake import __version__
from slipway_intake.close import close
from slipway_intake.front_page import FrontPage
from slipway_intake.history_reader import HistoryReader
from slipway_intake.openapi import add_openapi
from slipway_intake.projection import Projection
from slipway_intake.ready import ReadyEndpoint
from slipway_intake.settings import IntakeSettings
from slipway_intake.status import StatusEndpoints


@asynccontextmanager
async def tools(settings: IntakeSettings, around: Surroundings) -> AsyncIterator[None]:
    """The endpoints, and the projection kept up with the history beside them."""
    with ExitStack() as stack:
        folder = settings.var_dir or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="slipway-intake-")))
        projection = Projection(folder / f"intake-{settings.intake_port}.sqlite")
        stack.callback(projection.close)
        reader = HistoryReader(around.bus, projection)
        around.health.add("history", reader.not_ready)
        around.app.router.add_post("/ready", ReadyEndpoint(settings, around.bus, projection))
        StatusEndpoints(settings, projection, reader, __version__).add_to(around.app)
        FrontPage(settings).add_to(around.app)
        add_openapi(around.app, __version__)
        reading = asyncio.create_task(reader.run())
        try:
            yield
        finally:
            reading.cancel()
            with suppress(asyncio.CancelledError):
                await reading


def stage(_: IntakeSettings) -> Stage[Notified, None]:
    return Stage(name="intake", consumes=Notified, run=close, time_limit_s=10)


def main() -> None:
    run(
        Service(
            name="intake",
            version=__version__,
            settings=IntakeSettings,
            port=lambda settings: settings.intake_port,
            concurrency=lambda _: 64,
            stage=stage,
            tools=tools,
        )
    )


if __name__ == "__main__":
    main()
