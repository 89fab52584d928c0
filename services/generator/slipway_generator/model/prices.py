"""What tokens cost: the one place with prices, each with the day from which it holds.

Standard paid tier in US dollars for a million tokens, as https://ai.google.dev/gemini-api/docs/pricing listed them in
October 2026. A free tier costs nothing, cached input less: what is reckoned here is an upper bound.
"""

import re
from dataclasses import dataclass
from datetime import date

from slipway_generator.model import Tokens

LONG_PROMPT_TOKENS = 200_000
_REVISION = re.compile(r"-\d{3}$")


@dataclass(frozen=True)
class Price:
    """`long_*` is for calls whose prompt is over LONG_PROMPT_TOKENS, where that differs."""

    model: str
    since: date
    input: float
    output: float
    long_input: float | None = None
    long_output: float | None = None


_PRICES = (
    Price("gemini-3.8-flash", date(2026, 9, 2), 0.75, 3.75),
    Price("gemini-3.8-flash", date(2027, 1, 1), 1.50, 7.50),
    Price("gemini-3.5-flash", date(2026, 5, 19), 1.50, 9.00),
    Price("gemini-3.5-flash-lite", date(2026, 10, 1), 0.30, 2.50),
    Price("gemini-3.1-pro-preview", date(2026, 3, 1), 2.00, 12.00, 4.00, 18.00),
    Price("gemini-3-flash-preview", date(2025, 12, 17), 0.50, 3.00),
    Price("gemini-2.5-pro", date(2025, 6, 17), 1.25, 10.00, 2.50, 15.00),
    Price("gemini-2.5-flash", date(2025, 6, 17), 0.30, 2.50),
    Price("gemini-2.5-flash-lite", date(2025, 7, 22), 0.10, 0.40),
)


def cost_usd(model: str, tokens: Tokens, on: date) -> float | None:
    """What one call cost on that day; None where the price is not known, for example behind an alias."""
    name = _REVISION.sub("", model.removeprefix("models/"))
    known = [price for price in _PRICES if price.model == name and price.since <= on]
    if not known:
        return None
    price = max(known, key=lambda price: price.since)
    long = tokens.input > LONG_PROMPT_TOKENS
    input_price = price.long_input if long and price.long_input is not None else price.input
    output_price = price.long_output if long and price.long_output is not None else price.output
    return (tokens.input * input_price + tokens.output * output_price) / 1_000_000
