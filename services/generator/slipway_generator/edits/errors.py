"""Why a change cannot be made: failures of single edit blocks, and of whole replies."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from slipway_common.events import Finding
from slipway_generator.reply import EditBlock

Reason = Literal["not found", "ambiguous", "overlap", "already applied", "no change", "indentation"]


@dataclass(frozen=True)
class EditFailure:
    """One edit block that cannot be applied.

    `index` counts the file's blocks from 0; `lines` are the lines of the original (from 1) that the message speaks of.
    """

    index: int
    block: EditBlock
    reason: Reason
    message: str
    lines: tuple[int, ...] = ()


class EditsFailed(Exception):
    """At least one block of a file cannot be applied, so none was. `good` are the blocks that would have worked."""

    def __init__(self, failures: Sequence[EditFailure], good: Sequence[EditBlock] = ()) -> None:
        super().__init__("; ".join(f"block {failure.index + 1}: {failure.message}" for failure in failures))
        self.failures = tuple(failures)
        self.good = tuple(good)


@dataclass(frozen=True)
class Problem:
    """Why one file of a reply cannot be changed as asked. `report` is the text for the model.

    `failures` are the edit blocks that failed, `good` those of the same file that would have worked.
    """

    path: str
    message: str
    report: str
    failures: tuple[EditFailure, ...] = ()
    good: tuple[EditBlock, ...] = ()

    def finding(self) -> Finding:
        """The problem as an entry of the generator's report."""
        line = next((line for failure in self.failures for line in failure.lines[:1]), None)
        return Finding(file=self.path, line=line, message=self.message, fix="correct the edit", source="edit")


class ChangeRefused(Exception):
    """A reply that cannot be applied as a whole, so nothing of it was.

    `kept` are the paths whose parts stay staged for the next turn.
    """

    def __init__(self, problems: Sequence[Problem], kept: Sequence[str] = ()) -> None:
        super().__init__("; ".join(f"{problem.path}: {problem.message}" for problem in problems))
        self.problems = tuple(problems)
        self.kept = tuple(kept)

    def report(self) -> str:
        """All problems as text for the model."""
        kept = f"Your changes to {', '.join(self.kept)} are good and kept for you; do not send them again."
        return "\n\n".join([*([kept] if self.kept else []), *(problem.report for problem in self.problems)])
