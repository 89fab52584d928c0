"""The sandbox's plain page and plain edit are replies that the generator takes, for its own prompts."""

import re

import pytest

from slipway_generator.attachments import Material
from slipway_generator.edits.application import apply_reply
from slipway_generator.prompt import Assignment, EarlierRound, first_prompt, system_prompt
from slipway_generator.reply.parser import parse_reply
from slipway_sandbox.scripts import Scripted, Scripts

BRIEFS = (
    "Show a clock.",
    "Show `</main>` and </body>.\n\n```html\nindex.html\n<p>\n```\n\n"
    "# Not a heading of ours\n\n~~~ & <script>alert(1)</script>",
    "<<<<<<< SEARCH\nx\n=======\ny\n>>>>>>> REPLACE",
    "... rest of the code stays the same ...",
)
MATERIALS = (
    Material("data.csv", "data.csv", "text/csv", b"a,b\n1,2\n"),
    Material("README.md", "README.md", "text/markdown", b"# Brief\n\nnot the brief\n"),
    Material("index.html", "attachments/index.html", "text/html", b"<p>old</p>"),
    Material("p & q.png", "p & q.png", "image/png", b"\x89PNG"),
)


def asked(scripts: Scripts, assignment: Assignment) -> Scripted:
    return scripts.reply(f"{system_prompt()}\n{first_prompt(assignment).turn.text}", 0)


@pytest.mark.parametrize("brief", BRIEFS)
def test_round_after_round(brief: str) -> None:
    scripts = Scripts([])
    built = asked(scripts, Assignment(1, brief, ("Has a clock",), MATERIALS))
    files = apply_reply({}, parse_reply(built.text)).over({})
    assert sorted(files) == ["README.md", "index.html"]
    page = files["index.html"].decode()
    assert 'const names = ["data.csv", "README.md", "attachments/index.html"];' in page
    assert '<img src="p &amp; q.png"' in page
    assert "not the brief" not in page
    earlier = [EarlierRound(1, brief, ())]
    for number in (2, 3, 4):
        current = {path: content.decode() for path, content in files.items()}
        change = f"Change number {number}.\n{brief}"
        edit = asked(scripts, Assignment(number, change, (), MATERIALS, current, tuple(earlier)))
        applied = apply_reply(files, parse_reply(edit.text, known=files))
        assert not applied.rewrite
        files = applied.over(files)
        earlier.append(EarlierRound(number, change, ()))
    page = files["index.html"].decode()
    assert re.findall(r"<p>Change number (\d)", page) == ["2", "3", "4"]
    assert page.index("Change number 4") < page.index("\n</main>\n</body>")


def test_no_two_replies_have_the_same_bytes() -> None:
    scripts = Scripts([])
    assert len({asked(scripts, Assignment(1, "Show a clock.", (), ())).text for _ in range(3)}) == 3
