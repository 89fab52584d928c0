"""The generator service."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from slipway_common.events import Received
from slipway_common.service import Service, Surroundings, run
from slipway_common.stage import Stage
from slipway_generator import VERSION
from slipway_generator.attachments.fetching import Fetcher
from slipway_generator.author import Author
from slipway_generator.browser import Inspector
from slipway_generator.browser.chromium import find_chromium
from slipway_generator.browser.evaluation import Limits
from slipway_generator.browser.public_web import PublicWeb, is_public
from slipway_generator.generate import Tools, generate
from slipway_generator.model import Model
from slipway_generator.model.chain import Chain
from slipway_generator.model.gemini import Gemini
from slipway_generator.model.ledger import DailyBudget
from slipway_generator.proof import Prover
from slipway_generator.settings import GeneratorSettings


@asynccontextmanager
async def open_tools(settings: GeneratorSettings, _: Surroundings) -> AsyncIterator[Tools]:
    models = models_of(settings)
    chain = Chain(models, settings.model_call_timeout_s, DailyBudget(settings.daily_token_budget))
    inspector = Inspector(
        find_chromium(settings.chromium_path),
        settings.cdn_dir,
        web=PublicWeb() if settings.verify_network == "on" else None,
        limits=Limits(check=settings.check_timeout_s),
    )
    author = Author(chain, Prover(inspector, settings.github_username), max_repairs=settings.max_repairs)
    anyone = settings.attachment_hosts == "any"
    fetcher = Fetcher(settings.attachment_timeout_s, (lambda _: True) if anyone else is_public)
    async with inspector:
        try:
            yield Tools(settings, author, chain, fetcher)
        finally:
            await fetcher.aclose()
            for vendor in {vendor for vendor, _ in models}:
                await vendor.aclose()


def models_of(settings: GeneratorSettings) -> list[tuple[Model, str]]:
    """The chain: Gemini's models in their order, then the one of the second vendor."""
    models: list[tuple[Model, str]] = []
    if key := settings.gemini_api_key.get_secret_value():
        gemini = Gemini(key, base_url=settings.gemini_base_url, api_version=settings.gemini_api_version)
        models += [(gemini, name) for name in settings.gemini_models]
    if settings.openai_model:
        from slipway_generator.model.openai import OpenAI  # noqa: PLC0415 (its package is an extra)

        second = OpenAI(settings.openai_api_key.get_secret_value(), base_url=settings.openai_base_url)
        models.append((second, settings.openai_model))
    return models


async def probe(tools: Tools) -> None:
    await tools.chain.probe()


def stage(settings: GeneratorSettings) -> Stage[Received, Tools]:
    # beyond the budget: the last call and the last inspection that were begun inside it
    limit = settings.generate_budget_s + settings.model_call_timeout_s + 120
    return Stage(
        "generator",
        Received,
        generate,
        time_limit_s=limit,
        working="generating",
        # as many as the deployer's: both need GitHub, and outlast two minutes without it
        attempts=8,
        probe=probe,
    )


def main() -> None:
    run(
        Service(
            name="generator",
            version=VERSION,
            settings=GeneratorSettings,
            port=lambda s: s.generator_port,
            concurrency=lambda s: s.generator_concurrency,
            stage=stage,
            tools=open_tools,
        )
    )


if __name__ == "__main__":
    main()
