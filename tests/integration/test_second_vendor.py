"""A second vendor behind an OpenAI-compatible endpoint, over a socket through the real `openai` package."""

from typing import Any

import pytest
from model_world import ASKED, FIRST, SYSTEM, a_chain, a_ledger, asked_of

from slipway_common.stage import Outcome, Pause, Reject, Retry
from slipway_generator.__main__ import models_of
from slipway_generator.model import Image, Turn
from slipway_generator.settings import GeneratorSettings
from slipway_sandbox.client import Sandbox

OTHER = "scripted-large"
NOBODY = "gemini-0.1-nano"
"""Gemini has no such model, so that the second vendor is asked."""


@pytest.fixture(autouse=True)
def scripted(sandbox: Sandbox) -> None:
    sandbox.script("Count the swans", ["Seven swans. {{serial}}", "Eight swans. {{serial}}"])


@pytest.mark.parametrize("kind", ["unavailable", "daily_quota", "model_not_found", "bad_key", "drop"])
async def test_it_is_asked_when_gemini_does_not_answer(sandbox: Sandbox, kind: str) -> None:
    ledger = a_ledger()
    with sandbox.faulty("gemini", kind):
        async with a_chain(sandbox, FIRST, second=[OTHER]) as chain:
            answer = await chain.ask(SYSTEM, ASKED, ledger)
    assert answer.text.startswith("Seven swans.")
    assert ledger.used.models[-1] == OTHER
    assert ledger.used.cost_usd is None, "nobody knows what this model costs"


async def test_it_is_not_asked_while_gemini_answers(sandbox: Sandbox) -> None:
    async with a_chain(sandbox, FIRST, second=[OTHER]) as chain:
        await chain.ask(SYSTEM, ASKED, a_ledger())
    assert [status for _, status in await asked_of(sandbox)] == [200]
    assert sandbox.requests("openai") == []


async def test_a_conversation_and_its_pictures_arrive(sandbox: Sandbox) -> None:
    picture = Image("image/png", b"\x89PNG")
    turns = (Turn("user", ASKED[0].text, (picture,)), Turn("model", "Seven swans."), Turn("user", "Count again."))
    async with a_chain(sandbox, NOBODY, second=[OTHER]) as chain:
        answer = await chain.ask(SYSTEM, turns, a_ledger())
    assert answer.text.startswith("Eight swans."), "the turn of the model was not seen"
    [prompt] = sandbox.prompts()
    assert (prompt.images, prompt.text) == (1, f"{SYSTEM}\n{ASKED[0].text}\nSeven swans.\nCount again.")


@pytest.mark.parametrize(
    ("options", "outcome", "says"),
    [
        ({"status": 401, "code": "invalid_api_key"}, Pause, "key was refused"),
        ({"status": 403}, Pause, "key was refused"),
        ({"status": 429, "code": "insufficient_quota", "type": "insufficient_quota"}, Pause, "quota"),
        ({"status": 402}, Pause, "quota"),
        ({"status": 404, "code": "model_not_found"}, Pause, "none of the models exists"),
        ({"status": 429, "code": "rate_limit_exceeded", "headers": {"retry-after": "90"}}, Retry, "429"),
        ({"status": 400, "message": "prompt too long"}, Reject, "prompt too long"),
    ],
)
async def test_its_errors_end_as_geminis_do(
    sandbox: Sandbox, options: dict[str, Any], outcome: type[Outcome], says: str
) -> None:
    sandbox.fault("openai", "status", times=None, **options)
    async with a_chain(sandbox, NOBODY, second=[OTHER]) as chain:
        with pytest.raises(outcome, match=says) as ended:
            await chain.ask(SYSTEM, ASKED, a_ledger())
    if isinstance(ended.value, Retry):
        assert ended.value.after is not None
        assert ended.value.after > 89
    assert len(sandbox.requests("openai")) == 1
    assert "second-key" not in ended.value.reason


@pytest.mark.parametrize(
    "fault", [("status", {"status": 503}), ("ends", {"reason": "length", "text": "Sev"}), ("ends", {}), ("drop", {})]
)
async def test_a_passing_fault_is_followed_by_another_call(sandbox: Sandbox, fault: tuple[str, dict[str, Any]]) -> None:
    kind, options = fault
    sandbox.fault("openai", kind, **options)
    async with a_chain(sandbox, NOBODY, second=[OTHER, "scripted-small"]) as chain:
        answer = await chain.ask(SYSTEM, ASKED, a_ledger())
    assert answer.text.startswith("Seven swans.")
    assert len(sandbox.requests("openai")) == 2


async def test_a_filtered_answer_is_not_asked_for_again(sandbox: Sandbox) -> None:
    sandbox.fault("openai", "ends", times=None, reason="content_filter")
    async with a_chain(sandbox, NOBODY, second=[OTHER]) as chain:
        with pytest.raises(Reject, match="refused"):
            await chain.ask(SYSTEM, ASKED, a_ledger())
    assert len(sandbox.requests("openai")) == 1


async def test_a_refused_key_of_both_pauses_until_one_of_them_works(sandbox: Sandbox) -> None:
    async with a_chain(sandbox, FIRST, second=[OTHER], second_key="bad-key") as chain:
        with sandbox.faulty("gemini", "bad_key"):
            with pytest.raises(Pause, match="key was refused"):
                await chain.ask(SYSTEM, ASKED, a_ledger())
            with pytest.raises(Exception, match=r"40[01]"):
                await chain.probe()
        await chain.probe()
        assert (await chain.ask(SYSTEM, ASKED, a_ledger())).model == FIRST


async def test_the_settings_put_it_at_the_end_of_the_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {
        "AMQP_URL": "amqp://nowhere", "GITHUB_USERNAME": "someone", "GEMINI_API_KEY": "k", "GEMINI_MODELS": "a, b",
        "OPENAI_MODEL": "c", "OPENAI_BASE_URL": "http://127.0.0.1:9/v1",
    }  # fmt: skip
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    models = models_of(GeneratorSettings.load())
    assert [(vendor.vendor, name) for vendor, name in models] == [("Gemini", "a"), ("Gemini", "b"), ("OpenAI", "c")]
    for vendor in {vendor for vendor, _ in models}:
        await vendor.aclose()
