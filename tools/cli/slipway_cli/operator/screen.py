"""Where the operator's program writes: a terminal in its width, a pipe or file without cut lines."""

import sys

from rich.console import Console

_WIDTH_OF_A_FILE = 240


def screen() -> Console:
    """Standard output, with nothing in the text read as markup."""
    width = None if sys.stdout.isatty() else _WIDTH_OF_A_FILE
    return Console(markup=False, highlight=False, emoji=False, width=width)


def write(text: str) -> None:
    """One or more whole lines."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
