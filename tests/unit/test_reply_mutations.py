"""However an edit reply is damaged: what is applied is exactly what the blocks that were read say, or nothing.

The oracle knows nothing of the editor: it looks for each block's lines by brute force, line by line.
"""

from collections.abc import Callable
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from slipway_generator.edits import ChangeRefused, apply_reply
from slipway_generator.reply import EditBlock, FileEdits, ReplyError, parse_reply

CORPUS = Path(__file__).resolve().parent.parent / "corpus"
PAGE = (CORPUS / "pages" / "expenses" / "index.html").read_text()
REPLY = (CORPUS / "cases" / "edit-a-feature" / "reply.md").read_text().partition("```markdown")[0]
FILES = {"index.html": PAGE.encode()}


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """The reply with one to three lines or characters lost, doubled, swapped, or invented."""
    lines = REPLY.split("\n")
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(lines) - 2))
        match draw(st.sampled_from(["lose", "double", "swap", "indent", "lose character", "add character", "copy"])):
            case "lose":
                del lines[at]
            case "double":
                lines.insert(at, lines[at])
            case "swap":
                lines[at], lines[at + 1] = lines[at + 1], lines[at]
            case "indent":
                lines[at] = f"  {lines[at]}"
            case "lose character" if lines[at]:
                where = draw(st.integers(0, len(lines[at]) - 1))
                lines[at] = lines[at][:where] + lines[at][where + 1 :]
            case "add character":
                lines[at] += draw(st.sampled_from(["x", " ", ";", "\u2019", "`"]))
            case "copy":
                lines.insert(at, draw(st.sampled_from(PAGE.split("\n"))))
    return "\n".join(lines)


@settings(max_examples=300, deadline=None)
@given(damaged())
def test_a_damaged_reply_does_what_its_blocks_say_or_nothing(text: str) -> None:
    try:
        reply = parse_reply(text)
        applied = apply_reply(FILES, reply)
    except (ReplyError, ChangeRefused):
        return
    (part,) = reply.parts
    assert isinstance(part, FileEdits)
    new = applied.over(FILES)["index.html"].decode()
    assert squeezed(new.split("\n")) == squeezed(by_hand(list(part.blocks)))


def by_hand(blocks: list[EditBlock]) -> list[str]:
    """The page with each block's one place replaced; indentation is not followed up, hence the comparison without."""
    lines = PAGE.split("\n")
    changes = []
    for block in blocks:
        search = block.search.split("\n")
        exact = places(lines, search, str)
        loose = exact or places(lines, search, str.strip)
        if len(loose) == 1:
            changes.append((loose[0], len(search), block.replace.split("\n") if block.replace else []))
            continue
        # Part of a line, or lines without the first one's beginning: the text must stand in the page once.
        assert PAGE.count(block.search) == 1, block
        before, after = PAGE.split(block.search)
        first = before.count("\n")
        whole = before.rpartition("\n")[2] + block.replace + after.partition("\n")[0]
        changes.append((first, len(search), whole.split("\n")))
    for at, count, new in sorted(changes, reverse=True):
        lines[at : at + count] = new
    return lines


def places(lines: list[str], search: list[str], same: Callable[[str], str]) -> list[int]:
    wanted = [same(line) for line in search]
    return [
        at
        for at in range(len(lines) - len(search) + 1)
        if [same(line) for line in lines[at : at + len(search)]] == wanted
    ]


def squeezed(lines: list[str]) -> list[str]:
    return [line.strip() for line in lines]
