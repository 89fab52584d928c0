"""A whole reply is applied or refused as one; what is good of a refused one is kept for the next turn."""

import pytest

from slipway_generator.edits import ChangeRefused, Staging, apply_reply
from slipway_generator.reply import EditBlock, FileEdits, Part, Removal, Reply, WholeFile

PAGE = """<!DOCTYPE html>
<html lang="en">
<head><title>Sales</title></head>
<body>
  <h1 id="title">Sales</h1>
  <p>By region</p>
  <ul>
    <li>North</li>
    <li>South</li>
  </ul>
  <form>
    <input name="region">
  </form>
  <p>Sums in dollars</p>
  <p>Updated daily</p>
</body>
</html>
"""


def edit(search: str, replace: str) -> EditBlock:
    return EditBlock(search, replace)


def reply(*parts: Part) -> Reply:
    return Reply(parts)


FILES = {"index.html": PAGE.encode(), "old.js": b"let a = 1;\n", "data.bin": b"\xff\xfe\x00"}


def test_a_reply_adds_changes_and_removes() -> None:
    applied = apply_reply(
        FILES,
        reply(
            FileEdits("index.html", (edit("  <ul>", '  <ul id="list">'),)),
            WholeFile("style.css", "a {}\n"),
            Removal("old.js"),
        ),
    )
    assert applied.over(FILES) == {
        "data.bin": FILES["data.bin"],
        "index.html": PAGE.replace("<ul>", '<ul id="list">').encode(),
        "style.css": b"a {}\n",
    }
    assert not applied.rewrite
    assert applied.invariants["index.html"].untouched == 16 / 17


@pytest.mark.parametrize(
    "part",
    [
        FileEdits("indx.html", (edit("a", "b"),)),
        FileEdits("data.bin", (edit("a", "b"),)),
        FileEdits("old.js", (edit("let a = 1;", ""),)),
        WholeFile("data.bin", "text\n"),
        WholeFile("Index.html", PAGE),
        WholeFile("old.js/x.js", "let b;\n"),
        Removal("missing.js"),
        Removal("index.html"),
        WholeFile("index.html", PAGE),
        WholeFile("index.html", "<!DOCTYPE html>\n<html>\n<body>All new</body>\n</html>\n"),
    ],
)
def test_one_part_that_cannot_be_applied_refuses_the_whole_reply(part: Part) -> None:
    good = [WholeFile("new.css", "a {}\n")] if not (isinstance(part, WholeFile) and part.text == PAGE) else []
    if part == WholeFile("Index.html", PAGE):
        good = [WholeFile("new.css", "a {}\n")]
    with pytest.raises(ChangeRefused) as refused:
        apply_reply(FILES, reply(*good, part))
    assert [problem.path for problem in refused.value.problems] == [part.path]
    assert part.path in refused.value.report()
    assert refused.value.problems[0].finding().source == "edit"


def test_a_whole_page_that_is_the_old_one_with_a_change_is_taken_and_told() -> None:
    new = PAGE.replace("North", "Nord")
    applied = apply_reply(FILES, reply(WholeFile("index.html", new)))
    assert applied.rewritten == ("index.html",)
    assert applied.over(FILES)["index.html"] == new.encode()


def test_any_whole_page_is_taken_while_the_app_is_being_built() -> None:
    new = "<!DOCTYPE html>\n<html>\n<body>All new</body>\n</html>\n"
    applied = apply_reply(FILES, reply(WholeFile("index.html", new)), guarded=False)
    assert applied.changed == {"index.html": new.encode()}


def test_a_rewrite_keeps_the_files_line_ends_and_byte_order_mark() -> None:
    old = "\ufeff" + PAGE.replace("\n", "\r\n")
    applied = apply_reply({"index.html": old.encode()}, reply(WholeFile("index.html", PAGE.replace("North", "Nord"))))
    assert applied.changed["index.html"].decode() == old.replace("North", "Nord")


def test_good_edits_stay_staged_until_the_failed_ones_are_mended() -> None:
    staging = Staging(FILES)
    first = edit("  <ul>", "  <ol>")
    last = edit("  </ul>", "  </ol>")
    with pytest.raises(ChangeRefused) as refused:
        staging.offer(
            reply(WholeFile("a.css", "a {}\n"), FileEdits("index.html", (first, edit("  </list>", "  </ol>"))))
        )
    assert "a.css" in refused.value.report()
    assert "1 edit of this file is good and kept" in refused.value.report()
    assert {part.path for part in staging.staged} == {"a.css", "index.html"}
    applied = staging.offer(reply(FileEdits("index.html", (last,))))
    wanted = PAGE.replace("<ul>", "<ol>").replace("</ul>", "</ol>").encode()
    assert applied.over(FILES) == {**FILES, "a.css": b"a {}\n", "index.html": wanted}


def test_a_newer_edit_of_the_same_lines_takes_the_place_of_a_staged_one() -> None:
    staging = Staging(FILES)
    with pytest.raises(ChangeRefused):
        staging.offer(reply(FileEdits("index.html", (edit("  <ul>", "  <ol>"), edit("nowhere", "x")))))
    newer = edit("  <ul>\n    <li>North</li>", '  <ul id="list">\n    <li>North</li>')
    applied = staging.offer(reply(FileEdits("index.html", (newer,))))
    assert applied.changed["index.html"] == PAGE.replace("<ul>", '<ul id="list">').encode()


def test_a_staged_edit_sent_again_counts_once() -> None:
    staging = Staging(FILES)
    good = edit("  <ul>", "  <ol>")
    with pytest.raises(ChangeRefused):
        staging.offer(reply(FileEdits("index.html", (good, edit("nowhere", "x")))))
    applied = staging.offer(reply(FileEdits("index.html", (good,))))
    assert applied.changed["index.html"] == PAGE.replace("<ul>", "<ol>").encode()
