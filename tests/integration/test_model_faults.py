"""Every fault of Gemini over a socket, through the real google-genai and the chain: each ends in the right way."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from model_world import ASKED, FIRST, KEY, SECOND, SYSTEM, a_chain, a_ledger, asked_of

from slipway_common.stage import Outcome, Pause, Reject, Retry
from slipway_generator.model.chain import UNUSABLE_IN_A_ROW
from slipway_generator.model.gemini import seconds_to_renewal
from slipway_generator.model.ledger import DailyBudget, SpentError
from slipway_sandbox.client import Sandbox

DAY_S = 24 * 3600


@pytest.fixture(autouse=True)
def scripted(sandbox: Sandbox) -> None:
    sandbox.script("Count the swans", ["Seven swans. {{serial}}"])


async def test_a_plain_answer_is_counted_with_its_tokens(sandbox: Sandbox) -> None:
    ledger = a_ledger()
    async with a_chain(sandbox) as chain:
        answer = await chain.ask(SYSTEM, ASKED, ledger)
    assert answer.text.startswith("Seven swans.")
    assert (ledger.used.models, ledger.used.calls) == ((FIRST,), 1)
    assert ledger.used.input_tokens > 0
    assert ledger.used.output_tokens > 300, "the thoughts of this model are 300 tokens"
    assert ledger.used.cost_usd == pytest.approx(
        (ledger.used.input_tokens * 0.75 + ledger.used.output_tokens * 3.75) / 1e6, abs=1e-6
    )


@pytest.mark.parametrize(
    ("kind", "options", "counts"),
    [
        ("rate_limit", {"retry_s": 600}, 0),
        ("daily_quota", {}, 0),
        ("unavailable", {}, 0),
        ("model_not_found", {}, 0),
        ("status", {"status": 500}, 0),
        ("status", {"status": 504, "name": "DEADLINE_EXCEEDED"}, 0),
        ("cut_stream", {}, 1),
        ("drop", {}, 1),
        ("slow", {"seconds": 30}, 1),
        ("slow", {"seconds": 30, "drip": True}, 1),
        ("recitation", {}, 1),
        ("max_tokens", {"tokens": 301}, 1),
        ("thinking_only", {}, 1),
        ("empty", {}, 1),
        ("no_parts", {}, 1),
        ("finish", {"reason": "OTHER"}, 1),
        ("finish", {"reason": "LANGUAGE"}, 1),
        ("finish", {"reason": "MALFORMED_RESPONSE"}, 1),
        ("finish", {"reason": None}, 1),
    ],
)
async def test_a_model_that_gives_no_reply_is_followed_by_the_next(
    sandbox: Sandbox, kind: str, options: dict[str, Any], counts: int
) -> None:
    ledger = a_ledger()
    sandbox.fault("gemini", kind, **options)
    async with a_chain(sandbox, FIRST, SECOND, timeout_s=1.5 if kind == "slow" else 10) as chain:
        answer = await chain.ask(SYSTEM, ASKED, ledger)
    assert answer.text.startswith("Seven swans.")
    assert [model for model, _ in await asked_of(sandbox)] == [FIRST, SECOND]
    assert ledger.used.calls == 1 + counts, "only what may have been worked on counts"


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("blocked_prompt", {}),
        ("safety", {}),
        ("finish", {"reason": "PROHIBITED_CONTENT"}),
        ("finish", {"reason": "BLOCKLIST"}),
        ("finish", {"reason": "SPII"}),
        ("status", {"status": 400, "name": "INVALID_ARGUMENT", "message": "The input is too long."}),
    ],
)
async def test_a_refusal_is_reported_and_not_asked_again(sandbox: Sandbox, kind: str, options: dict[str, Any]) -> None:
    sandbox.fault("gemini", kind, times=None, **options)
    async with a_chain(sandbox) as chain:
        with pytest.raises(Reject, match="the model refused"):
            await chain.ask(SYSTEM, ASKED, a_ledger())
    assert len(await asked_of(sandbox)) == 1


@pytest.mark.parametrize("kind", ["empty", "no_parts", "thinking_only", "recitation"])
async def test_answers_that_stay_unusable_end_after_a_few_calls(sandbox: Sandbox, kind: str) -> None:
    ledger = a_ledger()
    sandbox.fault("gemini", kind, times=None)
    async with a_chain(sandbox, FIRST, SECOND) as chain:
        with pytest.raises(Reject, match=f"no usable answer in {UNUSABLE_IN_A_ROW} calls"):
            await chain.ask(SYSTEM, ASKED, ledger)
    assert ledger.used.calls == UNUSABLE_IN_A_ROW
    assert [model for model, _ in await asked_of(sandbox)] == [FIRST, SECOND, FIRST]


async def test_what_an_unusable_answer_took_is_counted_too(sandbox: Sandbox) -> None:
    ledger = a_ledger()
    sandbox.fault("gemini", "thinking_only", tokens=4321)
    async with a_chain(sandbox, FIRST, SECOND) as chain:
        await chain.ask(SYSTEM, ASKED, ledger)
    assert ledger.used.output_tokens > 4321


async def test_a_recited_answer_is_asked_for_in_other_words(sandbox: Sandbox) -> None:
    sandbox.fault("gemini", "recitation")
    async with a_chain(sandbox, FIRST) as chain:
        await chain.ask(SYSTEM, ASKED, a_ledger())
    [prompt] = sandbox.prompts()
    assert "in your own words" in prompt.text


async def test_the_wait_that_a_rate_limit_asks_for_is_kept(sandbox: Sandbox) -> None:
    ledger = a_ledger()
    sandbox.fault("gemini", "rate_limit", retry_s=0.4)
    async with a_chain(sandbox, FIRST) as chain:
        await chain.ask(SYSTEM, ASKED, ledger)
    refused, answered = [r for r in sandbox.requests("gemini") if r.path.endswith("generateContent")]
    assert (refused.status, answered.status) == (429, 200)
    assert (answered.at - refused.at).total_seconds() >= 0.4
    assert ledger.used.calls == 1


async def test_a_long_wait_is_left_to_the_delay_queues_and_known_to_every_job(sandbox: Sandbox) -> None:
    sandbox.fault("gemini", "rate_limit", retry_s=120)
    async with a_chain(sandbox, FIRST) as chain:
        with pytest.raises(Retry) as first:
            await chain.ask(SYSTEM, ASKED, a_ledger())
        with pytest.raises(Retry) as second:
            await chain.ask(SYSTEM, ASKED, a_ledger())
    assert first.value.after is not None
    assert first.value.after > 119
    assert second.value.after is not None
    assert len(await asked_of(sandbox)) == 1, "the second job asked before the time was over"


async def test_a_burst_of_overload_is_waited_out(sandbox: Sandbox) -> None:
    sandbox.fault("gemini", "unavailable", times=3)
    async with a_chain(sandbox, FIRST, SECOND) as chain:
        await chain.ask(SYSTEM, ASKED, a_ledger())
    assert [status for _, status in await asked_of(sandbox)] == [503, 503, 503, 200]


async def test_when_no_answer_comes_in_time_the_job_is_tried_again_later(sandbox: Sandbox) -> None:
    ledger = a_ledger(seconds=0.8)
    sandbox.fault("gemini", "hang", times=None)
    async with a_chain(sandbox, FIRST, SECOND, timeout_s=0.5) as chain:
        with pytest.raises(Retry, match="no answer within"):
            await chain.ask(SYSTEM, ASKED, ledger)
    assert ledger.used.calls >= 1, "an answer that was lost may have cost"


async def test_a_model_that_does_not_exist_is_asked_once_for_all_jobs(sandbox: Sandbox) -> None:
    async with a_chain(sandbox, "gemini-0.1-nano", SECOND) as chain:
        for _ in range(2):
            await chain.ask(SYSTEM, ASKED, a_ledger())
    assert await asked_of(sandbox) == [("gemini-0.1-nano", 404), (SECOND, 200), (SECOND, 200)]


async def test_without_any_model_the_stage_pauses_and_names_the_setting(sandbox: Sandbox) -> None:
    async with a_chain(sandbox, "gemini-0.1-nano") as chain:
        with pytest.raises(Pause, match=r"GEMINI_MODELS.*gemini-0\.1-nano"):
            await chain.ask(SYSTEM, ASKED, a_ledger())
        with pytest.raises(Pause):
            await chain.probe()


async def test_a_bad_key_pauses_until_listing_models_works(sandbox: Sandbox) -> None:
    ledger = a_ledger()
    async with a_chain(sandbox) as chain:
        with sandbox.faulty("gemini", "bad_key"):
            with pytest.raises(Pause, match="key was refused") as paused:
                await chain.ask(SYSTEM, ASKED, ledger)
            with pytest.raises(Exception, match="400 INVALID_ARGUMENT"):
                await chain.probe()
            with pytest.raises(Pause):
                await chain.ask(SYSTEM, ASKED, ledger)
        assert len(await asked_of(sandbox)) == 1, "a second job tried a key that is known to be refused"
        await chain.probe()
        assert (await chain.ask(SYSTEM, ASKED, ledger)).text
    assert ledger.used.calls == 1
    assert KEY not in paused.value.reason


async def test_a_probe_that_meets_an_outage_does_not_resume(sandbox: Sandbox) -> None:
    async with a_chain(sandbox) as chain:
        sandbox.fault("gemini", "bad_key")
        with pytest.raises(Pause):
            await chain.ask(SYSTEM, ASKED, a_ledger())
        with sandbox.faulty("gemini", "status", status=503), pytest.raises(Exception, match="503"):
            await chain.probe()
        await chain.probe()


async def test_spent_quotas_of_the_day_pause_the_stage_though_the_models_can_be_listed(sandbox: Sandbox) -> None:
    ledger = a_ledger()
    sandbox.fault("gemini", "daily_quota", times=2, retry_s=1)
    async with a_chain(sandbox, FIRST, SECOND) as chain:
        with pytest.raises(Pause, match="the quota of every model is spent"):
            await chain.ask(SYSTEM, ASKED, ledger)
        # the fault is over and the key works, but the day is not
        with pytest.raises(Pause, match="quota"):
            await chain.probe()
        with pytest.raises(Pause, match="quota"):
            await chain.ask(SYSTEM, ASKED, ledger)
    assert [status for _, status in await asked_of(sandbox)] == [429, 429]
    assert ledger.used.calls == 0


async def test_no_more_calls_than_the_job_may_make(sandbox: Sandbox) -> None:
    ledger = a_ledger(calls=2)
    sandbox.fault("gemini", "empty", times=None)
    async with a_chain(sandbox) as chain:
        with pytest.raises(SpentError, match="MAX_MODEL_CALLS"):
            await chain.ask(SYSTEM, ASKED, ledger)
    assert len(await asked_of(sandbox)) == 2


async def test_no_more_tokens_than_the_job_may_use(sandbox: Sandbox) -> None:
    sandbox.script("Count the swans", ["swan " * 8000])
    ledger = a_ledger(tokens=6000)
    async with a_chain(sandbox, FIRST) as chain:
        with pytest.raises(SpentError, match="MAX_TOKENS"):
            await chain.ask(SYSTEM, ASKED, ledger)
    assert [status for _, status in await asked_of(sandbox)] == [200]
    used = ledger.used
    # the prompt is estimated, four characters to a token
    assert 4000 < used.input_tokens + used.output_tokens < 6050, "the answer was not cut to what was left"


async def test_the_budget_of_the_day_pauses_every_job_until_the_next_day(sandbox: Sandbox) -> None:
    today = [date(2026, 11, 23)]
    budget = DailyBudget(100, lambda: today[0])
    async with a_chain(sandbox, FIRST, budget=budget) as chain:
        await chain.ask(SYSTEM, ASKED, a_ledger())
        with pytest.raises(Pause, match="DAILY_TOKEN_BUDGET"):
            await chain.ask(SYSTEM, ASKED, a_ledger())
        with pytest.raises(Pause, match="DAILY_TOKEN_BUDGET"):
            await chain.probe()
        today[0] = date(2026, 11, 24)
        await chain.probe()
        await chain.ask(SYSTEM, ASKED, a_ledger())
    assert len(await asked_of(sandbox)) == 2


async def test_no_outcome_tells_the_key(sandbox: Sandbox) -> None:
    for kind in ("bad_key", "safety", "status"):
        sandbox.fault("gemini", kind)
        async with a_chain(sandbox, FIRST) as chain:
            with pytest.raises(Outcome) as outcome:
                await chain.ask(SYSTEM, ASKED, a_ledger(seconds=0.9))
        assert KEY not in outcome.value.reason


def test_the_day_of_quotas_ends_at_midnight_in_california() -> None:
    assert seconds_to_renewal(datetime(2026, 11, 23, 8, 0, tzinfo=UTC)) == DAY_S
    assert seconds_to_renewal(datetime(2026, 7, 1, 6, 59, tzinfo=UTC)) == 60
    assert seconds_to_renewal(datetime(2026, 11, 1, 7, 0, tzinfo=UTC)) == DAY_S + 3600, "the clocks go back that day"
