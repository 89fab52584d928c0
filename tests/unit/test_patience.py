"""For how long a stage tries again before an event becomes a dead letter."""

from collections.abc import Callable

import pytest

from slipway_common.stage import MAX_BACKOFF_S
from slipway_deployer.__main__ import SERVICE
from slipway_deployer.settings import DeployerSettings
from slipway_generator.__main__ import stage as generator_stage
from slipway_generator.settings import GeneratorSettings

AMQP = "amqp://nobody@127.0.0.1/"


def attempts_of_generator() -> int | None:
    settings = GeneratorSettings.model_validate({"amqp_url": AMQP, "gemini_api_key": "k", "github_username": "someone"})
    return generator_stage(settings).attempts


def attempts_of_deployer() -> int | None:
    settings = DeployerSettings.model_validate({"amqp_url": AMQP, "github_token": "t", "github_username": "someone"})
    return SERVICE.stage(settings).attempts


@pytest.mark.parametrize("attempts", [attempts_of_generator, attempts_of_deployer])
def test_a_minute_without_github_makes_no_dead_letter(attempts: Callable[[], int | None]) -> None:
    number = attempts()
    assert number is not None
    assert sum(min(2.0**failed, MAX_BACKOFF_S) for failed in range(number - 1)) >= 90
