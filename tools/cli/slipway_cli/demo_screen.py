"""What the demo shows: a live table in a terminal, plain lines elsewhere, and the closing table."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from slipway_cli.demo_record import Run
from slipway_cli.job import Edit
from slipway_cli.preparation import Prepared

STYLES = {"notified": "green", "dead": "bold red", "dropped": "red", "refused": "bold red", "not sent": "dim"}
PLAIN_WIDTH = 220
"""Columns where there is no terminal: addresses are not broken there."""


class Screen:
    """Prints the demo's progress."""

    def __init__(self) -> None:
        self.console = Console(highlight=False)
        if not self.console.is_terminal:
            self.console = Console(highlight=False, width=PLAIN_WIDTH)
        self._began = time.monotonic()
        self._shown: dict[str, str] = {}
        self._live: Live | None = None

    def say(self, text: str) -> None:
        """One line, with the seconds since the beginning."""
        self.console.print(f"{time.monotonic() - self._began:6.1f} s  {text}", markup=False, soft_wrap=True)

    def introduce(self) -> None:
        self.console.print("[bold]Slipway demo[/bold]   model: sandbox   forge: sandbox")
        self.console.print(
            "No model is called and nothing is published: the replies are scripted, Gemini, GitHub and the evaluator\n"
            "are imitated on this machine. RabbitMQ, git, Chromium and the four services are real. No key is read.\n"
        )

    def prepared(self, found: Prepared) -> None:
        self.say("broker is up")
        if found.browser.path:
            self.say(f"browser: {found.browser.version}")
        else:
            self.loud(f"no browser: checks on pages will NOT be run ({found.browser.reason})")

    def loud(self, text: str) -> None:
        self.console.print(Text(text, style="bold yellow"), soft_wrap=True)

    @asynccontextmanager
    async def watching(self, runs: Sequence[Run]) -> AsyncIterator[None]:
        """Shows the runs until the block is left."""
        if not self.console.is_terminal:
            yield
            return
        with Live(self._moving(runs), console=self.console, refresh_per_second=4, transient=True) as live:
            self._live = live
            try:
                yield
            finally:
                self._live = None

    def update(self, runs: Sequence[Run]) -> None:
        """Shows what has changed."""
        if self._live:
            self._live.update(self._moving(runs))
            return
        for run in runs:
            if self._shown.get(run.name, "not sent") != run.state:
                self._shown[run.name] = run.state
                self.say(f"{run.name:28} {run.state}{_why(run)}")

    def close(self, runs: Sequence[Run]) -> None:
        """The closing table, and loudly what is not proven."""
        self.console.print(_table(runs))
        for run in runs:
            not_run = run.checks.not_run - run.for_person
            if not_run:
                self.loud(f"{run.name}: {not_run} checks were NOT RUN")
            if run.for_person:
                self.loud(f"{run.name}: {run.for_person} checks were NOT RUN: they are for a person to judge")
            if run.checks.inconclusive:
                self.loud(f"{run.name}: {run.checks.inconclusive} checks are INCONCLUSIVE, nobody knows if they hold")
            if run.told != 200:
                self.loud(f"{run.name}: the evaluator was NOT TOLD; {run.state}{_why(run)}")
            if run.checks.false:
                self.loud(f"{run.name}: {run.checks.false} checks are FALSE")

    def _moving(self, runs: Sequence[Run]) -> Table:
        table = Table(box=None, pad_edge=False)
        for title in ("job", "state", "seconds", "checks"):
            table.add_column(title)
        for run in runs:
            seconds = f"{run.elapsed_s:.1f}" if run.elapsed_s is not None else ""
            state = Text(run.state, style=STYLES.get(run.state, "yellow"))
            table.add_row(run.name, state, seconds, _checks(run) if run.view else "")
        return table


def _table(runs: Sequence[Run]) -> Table:
    table = Table(title_justify="left")
    for title in ("job", "checks", "edit", "pages URL", "commit", "seconds"):
        table.add_column(title, overflow="fold", justify="right" if title == "seconds" else "left")
    for run in runs:
        outcome = run.outcome()
        table.add_row(
            run.name if run.told == 200 else f"[red]{run.name}[/red]",
            _checks(run),
            _edit(outcome.edit),
            outcome.pages_url or f"[red]{run.state}[/red]",
            (outcome.commit_sha or "")[:10],
            f"{outcome.seconds:.1f}" if outcome.seconds is not None else "",
        )
    return table


def _edit(edit: Edit | None) -> str:
    if edit is None:
        return ""
    return "rewritten" if edit.rewrite else f"{edit.untouched:.0%} untouched"


def _checks(run: Run) -> str:
    counts = run.checks.model_dump()
    return ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items() if count) or "none"


def _why(run: Run) -> str:
    why = run.refused or (run.view.error or run.view.message if run.view else "")
    return f": {why}" if why else ""
