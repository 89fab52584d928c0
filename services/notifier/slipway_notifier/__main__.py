"""The notifier service."""

from contextlib import AbstractAsyncContextManager

from slipway_common.events import Deployed
from slipway_common.service import Service, Surroundings, run
from slipway_common.stage import Stage
from slipway_notifier import __version__
from slipway_notifier.notify import Tools, notify, open_tools
from slipway_notifier.settings import NotifierSettings


def stage(settings: NotifierSettings) -> Stage[Deployed, Tools]:
    return Stage(
        name="notifier",
        consumes=Deployed,
        run=notify,
        working="notifying",
        time_limit_s=settings.notify_timeout_s + 10,
        attempts=None,
        give_up_after_s=settings.notify_give_up_s,
    )


def tools(settings: NotifierSettings, _: Surroundings) -> AbstractAsyncContextManager[Tools]:
    return open_tools(settings.notify_timeout_s, settings.notifier_concurrency, __version__)


def main() -> None:
    run(
        Service(
            name="notifier",
            version=__version__,
            settings=NotifierSettings,
            port=lambda settings: settings.notifier_port,
            concurrency=lambda settings: settings.notifier_concurrency,
            stage=stage,
            tools=tools,
        )
    )


if __name__ == "__main__":
    main()
