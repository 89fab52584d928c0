"""What the generator counts of its models (Prometheus naming: base units, `_total` for counters)."""

from prometheus_client import Counter

MODEL_CALLS = Counter("slipway_model_calls_total", "Calls of a model, by how they ended.", ["model", "outcome"])
MODEL_TOKENS = Counter("slipway_model_tokens_total", "Tokens, thinking counted as output.", ["model", "direction"])
MODEL_COST = Counter("slipway_model_cost_usd_total", "US dollars, where the price of the model is known.", ["model"])
