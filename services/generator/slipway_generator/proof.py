"""The proof of a candidate: static inspection, the browser, and what a revision left untouched."""

import asyncio
from collections.abc import Collection, Mapping, Sequence

from slipway_common.events import Check, EditReport
from slipway_generator.browser import Inspector
from slipway_generator.checks import text_of
from slipway_generator.inspection import inspect_app
from slipway_generator.invariants import Invariants, compare
from slipway_generator.verdict import Verdict


class Prover:
    """Shared by all jobs of the process."""

    def __init__(self, inspector: Inspector, owner: str) -> None:
        self._inspector = inspector
        self._owner = owner

    async def prove(
        self,
        files: Mapping[str, bytes],
        *,
        base: Mapping[str, bytes] | None,
        rewritten: bool = False,
        repository: str,
        checks: Sequence[tuple[int, Check]],
        brief: str = "",
        given: Collection[str] = (),
    ) -> Verdict:
        """All that can be said of the app in `files`.

        `base` has the model's files that a revision was made from; files in `given` are not the model's to mend.
        """
        texts = [text_of(check) for _, check in checks]
        static = asyncio.to_thread(inspect_app, files, texts, brief=brief, given=given)
        seen = self._inspector.inspect(files, self._owner, repository, checks)
        findings, evidence = await asyncio.gather(static, seen)
        edit = await asyncio.to_thread(edit_report, base, files, rewritten=rewritten) if base is not None else None
        return Verdict(evidence.checks, (*findings, *evidence.findings), edit, evidence.screenshots, evidence.notes)


def edit_report(base: Mapping[str, bytes], files: Mapping[str, bytes], *, rewritten: bool) -> EditReport:
    """What a revision kept of the text files in `base`: lines over all of them, violations of each."""
    kept = total = 0.0
    violations: list[str] = []
    for path, data in base.items():
        old = _text(data)
        if old is None:
            continue
        lines = len(old.splitlines())
        total += lines
        measured = _measure(old, files.get(path), path)
        if measured is not None:
            kept += lines * measured.untouched
            violations += measured.violations()
    return EditReport(
        rewrite=rewritten, untouched=round(kept / total, 4) if total else 1.0, violations=tuple(violations)
    )


def _measure(old: str, new: bytes | None, path: str) -> Invariants | None:
    """None where the file is gone or no text any more: nothing of it is kept."""
    text = _text(new) if new is not None else None
    return compare(old, text, path) if text is not None else None


def _text(data: bytes) -> str | None:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None
