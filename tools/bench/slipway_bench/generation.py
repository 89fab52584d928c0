"""Measures revisions: what they leave untouched, and how much shorter an edit reply is than the whole page.

Both on replies that are written down: the bundled examples' and those of the corpus under tests/. No model is asked.
"""

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import BaseModel

from slipway_common.data_url import decode_data_url
from slipway_common.events import Attachment
from slipway_generator.assembly import assemble, mit_license
from slipway_generator.attachments import Material, media_type, place
from slipway_generator.edits import ChangeRefused, Staging
from slipway_generator.prompt import show_file
from slipway_generator.proof import edit_report
from slipway_generator.reply import ReplyError, parse_reply

ROOT = Path(__file__).resolve().parents[3]
LONG_PAGE_LINES = 400
LEAST_UNTOUCHED = 0.8
LARGEST_RATIO = 0.25
_SERIAL = "{{serial}}"


@dataclass(frozen=True)
class RevisionRow:
    """One revision of an example. `untouched` = share (0..1) of the old lines that are kept in order."""

    project: str
    round: int
    rewrite: bool
    untouched: float
    good: bool


@dataclass(frozen=True)
class ReplyRow:
    """One edit reply of the corpus, beside the reply that would send the changed files whole. Lengths in characters."""

    case: str
    lines: int
    edit_chars: int
    whole_chars: int
    ratio: float
    good: bool


@dataclass(frozen=True)
class Figures:
    """All of it."""

    revisions: tuple[RevisionRow, ...]
    replies: tuple[ReplyRow, ...]

    @property
    def good(self) -> bool:
        """Whether every row holds what is promised, and there is at least one of each."""
        revised, replied = [row.good for row in self.revisions], [row.good for row in self.replies]
        return bool(revised and replied) and all(revised) and all(replied)


class _Request(BaseModel):
    """What is needed of an example's request.json."""

    attachments: list[Attachment]


def main() -> None:
    """Prints the figures as JSON; exits 1 when one is not as promised."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    found = measure()
    print(json.dumps(asdict(found), indent=2))
    sys.exit(0 if found.good else 1)


def measure() -> Figures:
    """Play every example round after round, and apply every edit reply of the corpus to its page."""
    projects = sorted(path for path in (ROOT / "examples").iterdir() if path.is_dir())
    return Figures(tuple(row for project in projects for row in _revisions(project)), tuple(_replies()))


def _revisions(project: Path) -> list[RevisionRow]:
    rows: list[RevisionRow] = []
    app: dict[str, bytes] = {}
    attached: set[str] = set()
    for number, folder in enumerate(sorted(project.glob("round-*")), 1):
        materials = _materials(folder)
        attached |= {material.path for material in materials} - {"README.md"}
        written = {path: data for path, data in app.items() if path not in {*attached, "LICENSE", ".nojekyll"}}
        reply = (folder / "reply-1.md").read_text().replace(_SERIAL, f"round-{number}")
        applied = Staging(written, guarded=number > 1).offer(parse_reply(reply, written))
        app = assemble({**app, **applied.over(written)}, materials, mit_license(2025, "someone"))
        if number > 1:
            report = edit_report(written, app, rewritten=applied.rewrite)
            good = not report.rewrite and report.untouched >= LEAST_UNTOUCHED
            rows.append(RevisionRow(project.name, number, report.rewrite, report.untouched, good))
    return rows


def _materials(folder: Path) -> tuple[Material, ...]:
    request = _Request.model_validate_json((folder / "request.json").read_bytes())
    found = [(attachment.name, decode_data_url(attachment.url).data) for attachment in request.attachments]
    return tuple(Material(name, place(name), media_type(name, data), data) for name, data in found)


def _replies() -> list[ReplyRow]:
    """Edit replies that are applied as they stand and change a file of LONG_PAGE_LINES lines or more."""
    tests = str(ROOT / "tests")
    if tests not in sys.path:
        sys.path.append(tests)
    from corpus.loading import load_cases  # noqa: PLC0415 (the corpus lies beside the tests)

    rows: list[ReplyRow] = []
    for case in load_cases():
        if case.outcome not in {"applied", "mended"} or case.rewrite or not case.diff():
            continue
        base = case.base()
        [reply] = case.replies()
        row = _reply_row(case.name, base, reply)
        if row is not None:
            rows.append(row)
    return rows


def _reply_row(name: str, base: Mapping[str, bytes], reply: str) -> ReplyRow | None:
    try:
        result = Staging(base).offer(parse_reply(reply, base)).over(base)
    except (ReplyError, ChangeRefused) as error:
        raise ValueError(f"corpus case {name} is said to apply: {error.report()}") from None
    changed = {path: data for path, data in result.items() if base.get(path) != data}
    lines = max((len(base[path].splitlines()) for path in changed if path in base), default=0)
    if lines < LONG_PAGE_LINES:
        return None
    whole = sum(len(show_file(path, data.decode())) for path, data in changed.items())
    ratio = round(len(reply) / whole, 4)
    return ReplyRow(name, lines, len(reply), whole, ratio, ratio <= LARGEST_RATIO)


if __name__ == "__main__":
    main()
