"""What a job may spend, what it has spent, and what that cost."""

from datetime import UTC, date, datetime
from time import monotonic

import pytest

from slipway_common.events import ModelUse
from slipway_generator.model import Image, Tokens, Turn
from slipway_generator.model.ledger import MAX_OUTPUT_TOKENS, Allowance, DailyBudget, Ledger, SpentError, TimeSpentError
from slipway_generator.model.prices import cost_usd

ASKED = (Turn("user", "x" * 4000),)
TODAY = datetime.now(UTC).date()


def allowance(*, calls: int = 3, tokens: int = 100_000, seconds: float = 60.0) -> Allowance:
    return Allowance(calls, tokens, monotonic() + seconds, monotonic() + seconds)


def test_calls_tokens_models_and_costs_add_up_and_are_kept() -> None:
    kept: list[ModelUse] = []
    ledger = Ledger(allowance(), keep=kept.append)
    ledger.add("gemini-2.5-flash", Tokens(1000, 200))
    ledger.add("gemini-2.5-pro", Tokens(100, 20))
    assert kept[-1] == ledger.used
    assert ledger.used == ModelUse(
        models=("gemini-2.5-flash", "gemini-2.5-pro"), calls=2, input_tokens=1100, output_tokens=220, cost_usd=0.001125
    )


def test_one_call_of_unknown_price_makes_the_whole_unknown() -> None:
    ledger = Ledger(allowance())
    for model in ("gemini-2.5-flash", "gemini-flash-latest", "gemini-2.5-flash"):
        ledger.add(model, Tokens(1, 1))
    assert ledger.used.cost_usd is None


def test_a_stand_in_under_a_models_name_has_no_price() -> None:
    ledger = Ledger(allowance(), priced=False)
    ledger.add("gemini-2.5-flash", Tokens(1, 1))
    assert ledger.used.cost_usd is None


def test_it_goes_on_from_what_was_used_before() -> None:
    ledger = Ledger(allowance(calls=3), ModelUse(models=("m",), calls=2, input_tokens=5))
    ledger.room_for("", ASKED)
    ledger.add("n", Tokens(1, 0))
    assert (ledger.used.models, ledger.used.calls, ledger.used.input_tokens) == (("m", "n"), 3, 6)
    with pytest.raises(SpentError, match=r"all 3 model calls of this job are used \(MAX_MODEL_CALLS\)"):
        ledger.room_for("", ASKED)


def test_the_answer_may_have_what_the_job_has_left() -> None:
    assert Ledger(allowance(tokens=1_000_000)).room_for("", ASKED) == MAX_OUTPUT_TOKENS
    assert Ledger(allowance(tokens=11_000)).room_for("", ASKED) == 10_000
    pictured = (Turn("user", "", (Image("image/png", b""),)),)
    assert Ledger(allowance(tokens=11_000)).room_for("", pictured) < 10_000
    with pytest.raises(SpentError, match="MAX_TOKENS"):
        Ledger(allowance(tokens=2_900)).room_for("", ASKED)


def test_no_call_begins_after_the_deadline() -> None:
    with pytest.raises(TimeSpentError, match="GENERATE_BUDGET_S"):
        Ledger(allowance(seconds=-1)).room_for("", ASKED)


def test_the_budget_of_a_day_ends_with_it() -> None:
    days = [date(2026, 1, 1)]
    budget = DailyBudget(10, lambda: days[0])
    budget.add(Tokens(4, 5))
    assert not budget.exhausted()
    budget.add(Tokens(1, 0))
    assert budget.exhausted()
    days[0] = date(2026, 1, 2)
    assert not budget.exhausted()
    assert not DailyBudget(None).exhausted()


@pytest.mark.parametrize(
    ("model", "tokens", "on", "dollars"),
    [
        ("gemini-3.8-flash", Tokens(1_000_000, 1_000_000), date(2026, 12, 31), 4.5),
        ("gemini-3.8-flash", Tokens(1_000_000, 1_000_000), date(2027, 1, 1), 9.0),
        ("models/gemini-2.5-flash-001", Tokens(1_000_000, 0), TODAY, 0.3),
        ("gemini-2.5-pro", Tokens(200_000, 0), TODAY, 0.25),
        ("gemini-2.5-pro", Tokens(200_001, 0), TODAY, 0.5000025),
        ("gemini-3.8-flash", Tokens(1, 1), date(2026, 1, 1), None),
        ("gemini-flash-latest", Tokens(1, 1), TODAY, None),
    ],
)
def test_prices_hold_from_their_day_on(model: str, tokens: Tokens, on: date, dollars: float | None) -> None:
    found = cost_usd(model, tokens, on)
    assert found == (pytest.approx(dollars) if dollars is not None else None)
