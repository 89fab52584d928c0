"""What the tests of models share: chains over a socket, a job's ledger, and what a stand-in was asked."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from time import monotonic

from slipway_generator.model import Model, Turn
from slipway_generator.model.chain import Chain
from slipway_generator.model.gemini import Gemini
from slipway_generator.model.ledger import Allowance, DailyBudget, Ledger
from slipway_generator.model.openai import OpenAI
from slipway_sandbox.client import Sandbox

FIRST, SECOND, THIRD = "gemini-3.8-flash", "gemini-3.5-flash", "gemini-flash-latest"
SYSTEM = "You write pages."
ASKED = (Turn("user", "# Brief\n\nCount the swans.\n"),)
KEY = "sandbox-key-of-this-test"


def a_ledger(*, calls: int = 8, tokens: int = 1_000_000, seconds: float = 60.0) -> Ledger:
    """Of a job that begins now."""
    now = monotonic()
    return Ledger(Allowance(calls, tokens, now + seconds, now + seconds))


@asynccontextmanager
async def a_chain(
    sandbox: Sandbox,
    *names: str,
    key: str = KEY,
    timeout_s: float = 10.0,
    budget: DailyBudget | None = None,
    second: Sequence[str] = (),
    second_key: str = "second-key-of-this-test",
) -> AsyncIterator[Chain]:
    """The models `names` of the sandbox's Gemini, then those of its OpenAI-compatible endpoint."""
    gemini = Gemini(key, base_url=sandbox.gemini_url, api_version=None)
    other = OpenAI(second_key, base_url=sandbox.openai_url)
    models: list[tuple[Model, str]] = [(gemini, name) for name in names or (FIRST, SECOND, THIRD)]
    models += [(other, name) for name in second]
    try:
        yield Chain(models, timeout_s, budget)
    finally:
        await gemini.aclose()
        await other.aclose()


async def asked_of(sandbox: Sandbox) -> list[tuple[str, int | None]]:
    """(model, status) of every call for a reply, in order."""
    requests = await asyncio.to_thread(sandbox.requests, "gemini")
    return [
        (request.path.rpartition("/")[2].partition(":")[0], request.status)
        for request in requests
        if request.path.endswith(":generateContent")
    ]
