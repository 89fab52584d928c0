"""Realistic replies, good, odd and bad: each is applied to the byte, mended, repaired, or refused for its reason."""

import difflib
import re
from collections import Counter

import pytest
from corpus.loading import Case, Refusal, load_cases, sha256

from slipway_generator.edits import Applied, ChangeRefused, Staging
from slipway_generator.inspection import inspect_app, without_integrity
from slipway_generator.reply import FileEdits, Reply, ReplyError, WholeFile, parse_reply

pytestmark = pytest.mark.corpus

CASES = load_cases()
HABITS = (
    "preamble and closing chatter",
    "fences inside README",
    "missing closing fence",
    "HTML entities",
    "literal \\n",
    "smart quotes",
    "placeholders",
    "whole page instead of edits",
    "text that is not there",
    "search text that occurs twice",
    "overlapping edits",
    "edit already applied",
    "invented SRI hashes",
    "dead or unpinned CDN links",
    "images that do not exist",
)
"""What models get wrong, as the project knows it; each must be shown at least twice."""


def name(case: Case) -> str:
    return case.name


def applied_cases(*, edits: bool) -> list[Case]:
    return [case for case in CASES if case.outcome != "refused" and bool(case.diff()) == edits]


def take(case: Case) -> tuple[dict[str, bytes], Applied, list[str]]:
    """Offer the replies turn by turn, as the generator does: the result, what was applied, and what was mended."""
    base = case.base()
    staging = Staging(base)
    refusals = list(case.refusals)
    for text in case.replies():
        refusal = refusals.pop(0) if refusals else None
        before = dict(base)
        try:
            reply = parse_reply(text, base)
            applied = staging.offer(reply)
        except (ReplyError, ChangeRefused) as error:
            assert refusal, error.report()
            check_refusal(error, refusal)
            assert base == before
            continue
        assert refusal is None, f"applied, but was to be refused: {refusal}"
        files, removed_hashes = without_integrity(applied.over(base))
        return files, applied, [*reply.notes, *(found.message for found in removed_hashes)]
    assert case.outcome == "refused", "no reply was applied"
    return base, Applied(), []


def check_refusal(error: ReplyError | ChangeRefused, refusal: Refusal) -> None:
    assert type(error).__name__ == refusal.error
    assert refusal.says in error.report()
    if isinstance(error, ChangeRefused):
        failures = [failure for problem in error.problems for failure in problem.failures]
        assert sorted({failure.reason for failure in failures}) == sorted(set(refusal.reasons))


@pytest.mark.parametrize("case", [case for case in CASES if case.outcome == "refused"], ids=name)
def test_a_bad_reply_is_refused_for_its_reason_and_changes_nothing(case: Case) -> None:
    files, applied, _ = take(case)
    assert len(case.refusals) == len(case.replies())
    assert files == case.base()
    assert applied == Applied()


@pytest.mark.parametrize("case", applied_cases(edits=False), ids=name)
def test_whole_files_are_written_to_the_byte(case: Case) -> None:
    files, _, notes = take(case)
    assert set(files) == set(case.files)
    for path, expected in case.files.items():
        assert files[path].decode() == case.text_of(path)
        assert sha256(files[path]) == expected.sha256
    check_notes(case, notes)


@pytest.mark.parametrize("case", applied_cases(edits=True), ids=name)
def test_edits_make_exactly_their_difference(case: Case) -> None:
    base = case.base()
    files, applied, notes = take(case)
    assert applied.rewrite is case.rewrite
    assert set(base) - set(files) == set(case.removed)
    changed = [path for path in base if path in files and files[path] != base[path]]
    assert difference(case, base, files, changed) == case.diff()
    for path in changed:
        old, new = base[path].decode(), files[path].decode()
        assert new.startswith("\ufeff") == old.startswith("\ufeff")
        assert new.endswith("\n") == old.endswith("\n")
        assert new.count("\r\n") == (new.count("\n") if "\r\n" in old else 0)
        assert case.installed or sha256(files[path]) == case.files[path].sha256
    for path in set(files) - set(base):
        assert files[path].decode() == case.text_of(path)
    check_notes(case, notes)


def check_notes(case: Case, notes: list[str]) -> None:
    assert bool(notes) == (case.outcome == "mended")
    for note in case.notes:
        assert any(note in told for told in notes), notes


def difference(case: Case, base: dict[str, bytes], files: dict[str, bytes], changed: list[str]) -> str:
    """The changed files' unified difference with one line of context, without line numbers and CR.

    The files stand in the order of the stored difference.
    """
    order = re.findall(r"^\+\+\+ (.*)$", case.diff(), re.MULTILINE)
    assert sorted(order) == sorted(changed)
    lines: list[str] = []
    for path in order:
        old, new = (data[path].decode().removeprefix("\ufeff").replace("\r\n", "\n") for data in (base, files))
        lines += difflib.unified_diff(old.split("\n"), new.split("\n"), path, path, n=1, lineterm="")
    return "\n".join("@@" if line.startswith("@@ ") else line for line in lines) + "\n"


@pytest.mark.parametrize("case", [case for case in CASES if case.findings], ids=name)
def test_what_a_reply_does_right_but_should_not_do_is_found(case: Case) -> None:
    files, _, _ = take(case)
    errors = [found for found in inspect_app(files, ()) if found.severity == "error" and found.file != "README.md"]
    told = {(found.file, found.line) for found in errors}
    for expected in case.findings:
        assert (expected.file, expected.line) in told, errors
        assert any(expected.says in found.message for found in errors if found.line == expected.line)


@pytest.mark.parametrize("case", [case for case in applied_cases(edits=True) if not case.rewrite], ids=name)
def test_a_second_time_the_same_edits_are_refused(case: Case) -> None:
    files, _, _ = take(case)
    for text in case.replies():
        with pytest.raises((ReplyError, ChangeRefused)):
            Staging(files).offer(parse_reply(text, files))


@pytest.mark.parametrize("case", applied_cases(edits=True), ids=name)
def test_a_reply_cut_anywhere_is_refused_or_applies_only_what_it_says(case: Case) -> None:
    base = case.base()
    full = parse_reply(case.replies()[-1], base)
    text = case.replies()[-1]
    for cut in range(0, len(text), max(1, len(text) // 40)):
        try:
            part = parse_reply(text[:cut], base)
        except ReplyError:
            continue
        assert parts_of(part) <= parts_of(full), text[:cut]


def parts_of(reply: Reply) -> set[tuple[str, str, str]]:
    found: set[tuple[str, str, str]] = set()
    for part in reply.parts:
        if isinstance(part, FileEdits):
            found |= {(part.path, block.search, block.replace) for block in part.blocks}
        elif isinstance(part, WholeFile):
            found.add((part.path, "", part.text))
        else:
            found.add((part.path, "", ""))
    return found


LONG = [case for case in applied_cases(edits=True) if not case.rewrite and case.installed]


@pytest.mark.parametrize("case", LONG, ids=name)
def test_on_a_long_page_an_edit_reply_is_at_most_a_quarter_of_the_page(case: Case) -> None:
    base = case.base()
    files, _, _ = take(case)
    (path,) = base
    assert len(base[path].decode().split("\n")) >= 400
    whole = f"```html\n{path}\n{files[path].decode()}```\n"
    assert len(case.replies()[0]) * 4 <= len(whole)


def test_the_corpus_is_as_large_as_it_must_be() -> None:
    edits = [case for case in CASES if case.pages and longest_edited(case) >= 200]
    installed = {case.pages for case in edits if case.installed}
    shown = Counter(habit for case in CASES for habit in case.shows)
    assert len(CASES) >= 60
    assert len(edits) >= 25
    assert len(installed) >= 5
    assert {habit: shown[habit] for habit in HABITS if shown[habit] < 2} == {}
    assert set(shown) == set(HABITS)
    assert {extension for case in CASES for path in case.files for extension in [path.rpartition(".")[2]]} >= {
        "html",
        "css",
        "js",
        "md",
        "json",
    }


def longest_edited(case: Case) -> int:
    """The lines of the longest page that the case's edits are meant for; 0 for pages over 800 lines."""
    base = case.base()
    lengths = [0]
    for path, data in base.items():
        if any(f"\n{path}" in text.replace("\r", "") for text in case.replies()):
            lengths.append(len(data.decode().split("\n")))
    return max(length for length in lengths if length <= 800)
