"""The examples' replies: they apply round after round, change little, and leave a whole repository."""

import re
from difflib import SequenceMatcher

import pytest
from played_examples import EXAMPLES, PROJECTS, ROUNDS, SERIAL, material, play

from slipway_generator.assembly import NOJEKYLL
from slipway_generator.attachments import README
from slipway_generator.reply import FileEdits, WholeFile

REVISIONS = [(project, number) for project, number in ROUNDS if number > 1]
SECTIONS = ("summary", "setup", "usage", "code explanation", "license")


def test_every_round_of_every_project_is_here() -> None:
    found = sorted((path.parents[1].name, path.parent.name) for path in EXAMPLES.glob("*/*/request.json"))
    assert found == sorted((project, f"round-{number}") for project, number in ROUNDS)


def test_no_brief_is_part_of_another() -> None:
    # The sandbox recognises a prompt by the brief that stands in it.
    briefs = [play(*key).asked.brief for key in ROUNDS]
    assert [(a, b) for a in briefs for b in briefs if a is not b and a in b] == []


@pytest.mark.parametrize(("project", "number"), ROUNDS)
def test_a_reply_says_its_serial_once_and_inside_a_file(project: str, number: int) -> None:
    text = (EXAMPLES / project / f"round-{number}" / "reply-1.md").read_text()
    assert text.count(SERIAL) == 1
    applied = play(project, number).applied
    written = b"".join([*applied.added.values(), *applied.changed.values()])
    assert written.count(f"{number}-serial".encode()) == 1


@pytest.mark.parametrize("project", PROJECTS)
def test_the_first_reply_writes_the_page_and_the_readme_and_nothing_else(project: str) -> None:
    parts = play(project, 1).reply.parts
    assert [part.path for part in parts if isinstance(part, WholeFile)] == ["index.html", README]
    assert len(parts) == 2


@pytest.mark.parametrize(("project", "number"), REVISIONS)
def test_a_revision_edits_and_leaves_four_fifths_of_each_file_alone(project: str, number: int) -> None:
    played = play(project, number)
    assert all(isinstance(part, FileEdits) for part in played.reply.parts)
    assert set(played.reply.paths) == {"index.html", README}
    for path in played.reply.paths:
        assert untouched(played.before[path], played.applied.changed[path]) >= 0.8, path
    # The number in an earlier round's reply is unknown to whoever writes the next one.
    edits = [part for part in played.reply.parts if isinstance(part, FileEdits)]
    assert not any("-serial" in block.search for part in edits for block in part.blocks)


def untouched(old: bytes, new: bytes) -> float:
    """The share of the old lines that are kept, in order."""
    lines = old.decode().splitlines()
    blocks = SequenceMatcher(None, lines, new.decode().splitlines(), autojunk=False).get_matching_blocks()
    return sum(block.size for block in blocks) / len(lines)


@pytest.mark.parametrize(("project", "number"), ROUNDS)
def test_the_repository_holds_the_promised_files_and_the_attachments(project: str, number: int) -> None:
    played = play(project, number)
    assert set(played.app) == {*played.promised.files, NOJEKYLL}
    for earlier in range(1, number + 1):
        for attachment in play(project, earlier).asked.attachments:
            data = material(attachment).data
            kept = played.app[attachment.name]
            assert kept.startswith(data) if attachment.name == README else kept == data


@pytest.mark.parametrize(("project", "number"), ROUNDS)
def test_the_readme_has_the_asked_sections(project: str, number: int) -> None:
    text = play(project, number).app[README].decode()
    headings = [heading.lower() for heading in re.findall(r"^## (.+)$", text, re.MULTILINE)]
    assert [section for section in SECTIONS if headings.count(section) != 1] == []


@pytest.mark.parametrize("project", PROJECTS)
def test_the_first_script_of_a_page_is_its_own(project: str) -> None:
    page = play(project, PROJECTS[project]).app["index.html"].decode()
    scripts = re.findall(r"<script\b([^>]*)>", page)
    assert "src=" not in scripts[0]
    pinned = r"https://cdn\.jsdelivr\.net/npm/(@[\w-]+/)?[\w-]+@\d+\.\d+\.\d+/"
    links = re.findall(r"(?:<script\b|<link\b)[^>]*?(?:src|href)=\"([^\"]+)\"", page)
    assert links
    assert [link for link in links if not re.match(pinned, link)] == []
