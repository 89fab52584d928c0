"""What a run of benchmarks shows: lines as it goes, and a table for each benchmark with the limits that it has."""

import os
import time
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from slipway_bench.figures import Figure
from slipway_bench.limits import limit_of

PLAIN_WIDTH = 160
"""Columns where there is no terminal."""


def load() -> float | None:
    """The machine's load of the last minute; others' work makes every time longer."""
    try:
        return round(os.getloadavg()[0], 2)
    except OSError:
        return None


class Screen:
    """Prints the progress of measurements."""

    def __init__(self) -> None:
        self.console = Console(highlight=False)
        if not self.console.is_terminal:
            self.console = Console(highlight=False, width=PLAIN_WIDTH)
        self._began = time.monotonic()

    def introduce(self, what: str) -> None:
        self.console.print(f"[bold]{what}[/bold]   model: sandbox   forge: sandbox   no key is read")
        self.console.print(f"{os.cpu_count()} cores, load {load()}; broker and sandbox of its own on loopback\n")

    def say(self, text: str) -> None:
        """One line, with the seconds since the beginning."""
        self.console.print(f"{time.monotonic() - self._began:6.1f} s  {text}", markup=False, soft_wrap=True)

    def loud(self, text: str) -> None:
        self.console.print(Text(text, style="bold red"), soft_wrap=True)

    def table(self, benchmark: str, figures: Sequence[Figure]) -> None:
        """All figures of one benchmark."""
        table = Table(title=benchmark, title_justify="left", title_style="bold")
        for title, justify in (("figure", "left"), ("value", "right"), ("unit", "left"), ("limit", "left")):
            table.add_column(title, justify="right" if justify == "right" else "left")
        table.add_column("what it is", overflow="fold")
        for figure in figures:
            limit = limit_of(benchmark, figure.key)
            value = "not measured" if figure.value is None else f"{figure.value}"
            good = limit is None or limit.keeps(figure)
            table.add_row(
                figure.key, Text(value, style="" if good else "bold red"), figure.unit, str(limit or ""), figure.about
            )
        self.console.print(table)

    def trials(self, results: Mapping[str, Mapping[str, object]]) -> None:
        """One line for each trial of a soak."""
        table = Table(title="soak", title_justify="left", title_style="bold")
        columns = ("jobs", "turned_away", "notified", "repeats", "commits", "dead", "seconds")
        for title in ("trial", *columns, "faults"):
            table.add_column(title.replace("_", " "), justify="left" if title == "trial" else "right")
        for name, result in results.items():
            faults = result["faults"]
            number = len(faults) if isinstance(faults, list) else 0
            table.add_row(name, *(str(result[key]) for key in columns), Text(str(number), "bold red" if number else ""))
        self.console.print(table)
