"""Text from elsewhere (a sender's task, a page's error) made safe for a terminal."""

MAX_CELL = 160


def printable(text: str) -> str:
    """The text with everything that could steer a terminal replaced; line breaks and tabs stay."""
    return "".join(char if char.isprintable() or char in "\n\t" else "\ufffd" for char in text)


def cell(text: str) -> str:
    """The text as one short line, for a table."""
    line = " ".join(printable(text).split())
    return line if len(line) <= MAX_CELL else line[: MAX_CELL - 1] + "\u2026"
