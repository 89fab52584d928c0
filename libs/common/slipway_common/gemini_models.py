"""The chain of Gemini models: what GEMINI_MODELS says, and which are asked when it says nothing."""

DEFAULT_MODELS = ("gemini-3.8-flash", "gemini-3.5-flash", "gemini-flash-latest")


def model_chain(text: str) -> tuple[str, ...]:
    """The names in a comma-separated list, the preferred one first."""
    return tuple(name.strip() for name in text.split(",") if name.strip())
