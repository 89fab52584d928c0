"""Edits are applied to exactly what they name, all or none; everything else stays byte for byte."""

import random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from slipway_generator.edits import EditsFailed, apply_edits, failure_report
from slipway_generator.edits.errors import EditFailure
from slipway_generator.reply import EditBlock

PAGE = """<!DOCTYPE html>
<html lang="en">
<body>
  <h1 id="title">Sales</h1>
  <ul>
    <li>North</li>
    <li>South</li>
  </ul>
  <script>
    const rate = 10;
    const rates = { north: rate };
    function total(rows) {
      return rows.length * rate;
    }
  </script>
</body>
</html>
"""


def edit(search: str, replace: str) -> EditBlock:
    return EditBlock(search, replace)


def failures(text: str, *blocks: EditBlock) -> list[EditFailure]:
    with pytest.raises(EditsFailed) as failed:
        apply_edits(text, blocks, "index.html")
    return list(failed.value.failures)


def reasons(text: str, *blocks: EditBlock) -> list[str]:
    return [failure.reason for failure in failures(text, *blocks)]


@pytest.mark.parametrize(
    ("search", "replace", "old", "new"),
    [
        pytest.param("    <li>South</li>", "    <li>West</li>", "South", "West", id="exact"),
        pytest.param("const rate = 10", "const rate = 12", "rate = 10", "rate = 12", id="inside a line"),
        pytest.param(
            '<h1 id="title">Sales</h1>  ', '<h1 id="title">Sums</h1>', ">Sales<", ">Sums<", id="blanks behind"
        ),
        pytest.param(
            "<ul>\n  <li>North</li>",
            "<ul>\n  <li>East</li>\n  <li>North</li>",
            "  <ul>\n",
            "  <ul>\n    <li>East</li>\n",
            id="indented less",
        ),
        pytest.param(
            "        function total(rows) {\n          return rows.length * rate;",
            "        function total(rows) {\n          if (!rows) return 0;\n          return rows.length * rate;",
            "total(rows) {\n",
            "total(rows) {\n      if (!rows) return 0;\n",
            id="indented more",
        ),
        pytest.param(
            "<li>North</li>",
            "<li>North</li>\n<li>East</li>",
            "    <li>North</li>\n",
            "    <li>North</li>\n    <li>East</li>\n",
            id="one line without its indentation",
        ),
        pytest.param("    <li>North</li>", "", "    <li>North</li>\n", "", id="deletion"),
        pytest.param("<li>North</li>", "", "    <li>North</li>\n", "", id="deletion without indentation"),
        pytest.param(
            "  <ul>", "  <p>\\1 \\g<0></p>\n  <ul>", "  <ul>", "  <p>\\1 \\g<0></p>\n  <ul>", id="backslashes"
        ),
    ],
)
def test_an_edit_changes_what_it_names(search: str, replace: str, old: str, new: str) -> None:
    assert PAGE.count(old) == 1
    assert apply_edits(PAGE, [edit(search, replace)], "index.html") == PAGE.replace(old, new)


def test_lines_that_an_edit_only_repeats_keep_their_typography_and_blanks() -> None:
    text = "<p>It\u2019s \u201cours\u201d \u2013 so</p>  \n<p>1</p>\n"
    block = edit('<p>It\'s "ours" - so</p>\n<p>1</p>', '<p>It\'s "ours" - so</p>\n<p>2</p>')
    assert apply_edits(text, [block]) == "<p>It\u2019s \u201cours\u201d \u2013 so</p>  \n<p>2</p>\n"


@pytest.mark.parametrize(
    ("text", "block", "wanted"),
    [
        ("a\r\nb\r\nc\r\n", edit("b", "x\ny"), "a\r\nx\r\ny\r\nc\r\n"),
        ("a\r\nb\r\nc", edit("b\nc", "x\ny"), "a\r\nx\r\ny"),
        ("a\nb\r\nc\n", edit("b", "x\ny"), "a\nx\r\ny\r\nc\n"),
        ("\ufeffa\nb\n", edit("a", "x"), "\ufeffx\nb\n"),
        ("a\nb", edit("b", "x"), "a\nx"),
        ("a\nb", edit("b", "x\n"), "a\nx"),
        ("a\nb\n", edit("b\n", "x"), "a\nx\n"),
        ("a\nb", edit("b", ""), "a"),
        ("a\nb\n", edit("b", ""), "a\n"),
        ("a\r\nb\r\n", edit("a", ""), "b\r\n"),
        ("a\u2028b\nc\x0bd\n", edit("c\x0bd", "e"), "a\u2028b\ne\n"),
    ],
)
def test_line_ends_byte_order_mark_and_the_files_end_stay(text: str, block: EditBlock, wanted: str) -> None:
    assert apply_edits(text, [block]) == wanted


def test_several_edits_are_all_found_in_the_original() -> None:
    blocks = [edit("a", "b"), edit("b", "c"), edit("c", "a")]
    assert apply_edits("a\nb\nc\n", blocks) == "b\nc\na\n"


def test_deleting_the_last_lines_one_by_one_leaves_the_rest() -> None:
    assert apply_edits("a\nb\nc", [edit("c", ""), edit("b", "")]) == "a"


@pytest.mark.parametrize(
    ("reason", "block"),
    [
        ("not found", edit("    <li>East</li>", "    <li>West</li>")),
        ("not found", edit("const rate = 1", "const rate = 2")),
        ("not found", edit("  <ul>\n    <!-- ... existing code ... -->\n  </ul>", "  <ol></ol>")),
        ("not found", edit("  <ul>\n      <li>North</li>", "  <ol>\n      <li>North</li>")),
        ("ambiguous", edit("<li>", "<li class='x'>")),
        ("ambiguous", edit("rate", "quota")),
        ("already applied", edit("    <li>South</li>\n    <li>West</li>", "    <li>South</li>")),
        ("already applied", edit("    <li>South</li>", "    <li>North</li>\n    <li>South</li>")),
        ("no change", edit("  <ul>", "  <ul>")),
        ("indentation", edit("      <ul>\n        <li>North</li>", "<ol>\n        <li>North</li>")),
    ],
)
def test_an_edit_that_names_no_one_place_fails_with_its_reason(reason: str, block: EditBlock) -> None:
    assert reasons(PAGE, block) == [reason]


@pytest.mark.parametrize(
    ("text", "search"),
    [
        ("a \nb\nc\na\t\nb\n", "a\nb"),
        ("  a\n  b\nc\n    a\n    b\n", "a\nb"),
        ("a \u2013 b\nc\na \u2014 b\n", "a - b"),
    ],
)
def test_two_places_that_are_only_alike_are_ambiguous_too(text: str, search: str) -> None:
    (failure,) = failures(text, edit(search, "x"))
    assert failure.reason == "ambiguous"
    assert len(failure.lines) == 2


def test_a_place_that_fits_better_wins_over_one_that_fits_worse() -> None:
    assert apply_edits("  a\n  b\na \nb\n", [edit("a\nb", "x")]) == "  a\n  b\nx\n"


def test_edits_that_overlap_both_fail_and_the_others_are_good() -> None:
    blocks = [edit("    <li>North</li>\n    <li>South</li>", "x"), edit("    <li>South</li>\n  </ul>", "y")]
    with pytest.raises(EditsFailed) as failed:
        apply_edits(PAGE, [*blocks, edit("  <ul>", "  <ol>")])
    assert [(failure.index, failure.reason) for failure in failed.value.failures] == [(0, "overlap"), (1, "overlap")]
    assert [block.replace for block in failed.value.good] == ["  <ol>"]
    assert failed.value.failures[0].lines == (7,)


def test_an_insertion_made_before_is_not_made_twice_even_with_other_indentation() -> None:
    block = edit("<li>North</li>", "<li>North</li>\n<li>East</li>")
    once = apply_edits(PAGE, [block])
    assert reasons(once, block) == ["already applied"]


def test_the_report_shows_the_real_lines_and_what_is_kept() -> None:
    good = edit("  <ul>", "  <ol>")
    bad = edit("    function total(rows) {\n      return rows.size * rate;\n    }", "gone")
    with pytest.raises(EditsFailed) as failed:
        apply_edits(PAGE, [good, bad])
    report = failure_report("index.html", PAGE, failed.value.failures, failed.value.good)
    assert "1 edit of this file is good and kept" in report
    assert "return rows.size * rate;" in report
    assert "   13 |       return rows.length * rate;" in report
    assert "but line 13 of the file is `return rows.length * rate;`" in report


def test_the_report_finds_lines_that_are_only_alike() -> None:
    bad = edit('  <h1 id="heading">Sales report</h1>', "x")
    report = failure_report("index.html", PAGE, failures(PAGE, bad))
    assert '    4 |   <h1 id="title">Sales</h1>' in report


def test_the_report_on_an_ambiguous_edit_shows_the_places() -> None:
    report = failure_report("index.html", PAGE, failures(PAGE, edit("<li>", "<li hidden>")))
    assert "lines 6, 7" in report
    assert "    6 |     <li>North</li>" in report


lines = st.text(alphabet="ab<>/='\" \t{};.\u2019\u00e9\\", max_size=12)
texts = st.builds(
    lambda body, newline, bom, end: bom + newline.join(body) + (newline if end else ""),
    st.lists(lines, min_size=1, max_size=30),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["", "\ufeff"]),
    st.booleans(),
)


@st.composite
def texts_with_edits(draw: st.DrawFn) -> tuple[str, list[EditBlock], str]:
    """A text, edits of whole lines that each stand in it once and apart, and what they make of it."""
    count = draw(st.integers(4, 25))
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    body = [f"{'  ' * draw(st.integers(0, 3))}line {number} {draw(lines)}" for number in range(count)]
    last = newline if draw(st.booleans()) else ""
    bom = draw(st.sampled_from(["", "\ufeff"]))
    picked = sorted(draw(st.sets(st.integers(0, count - 1), min_size=1, max_size=5)))
    blocks, result = [], list(body)
    for number in picked:
        new = draw(st.lists(st.builds(lambda text: f"new {text}", lines), min_size=1, max_size=3))
        result[number] = newline.join(new)
        blocks.append(EditBlock(body[number], "\n".join(new)))
    return bom + newline.join(body) + last, blocks, bom + newline.join(result) + last


@given(texts_with_edits(), st.randoms())
def test_only_the_named_lines_change_whatever_the_order_of_the_edits(
    case: tuple[str, list[EditBlock], str], chance: random.Random
) -> None:
    text, blocks, wanted = case
    assert apply_edits(text, blocks) == wanted
    chance.shuffle(blocks)
    assert apply_edits(text, blocks) == wanted


def allowed(text: str, block: EditBlock) -> set[str]:
    """All that a block whose search text is one line may make of a text with LF and without byte order mark."""

    def plain(line: str) -> str:
        return line.strip().replace("\u2019", "'")

    search, replace = block.search, block.replace
    body = text.removesuffix("\n").split("\n")
    made: list[list[str]] = []
    for number, line in enumerate(body):
        head, tail = body[:number], body[number + 1 :]
        indent = line[: len(line) - len(line.lstrip())]
        wanted = search[: len(search) - len(search.lstrip())]
        if plain(line) == plain(search):
            if not replace:
                made.append([*head, *tail])
            added, cut = indent.removesuffix(wanted), wanted.removesuffix(indent)
            made.append([*head, *(added + new for new in replace.split("\n")), *tail])
            made.append([*head, *(new.removeprefix(cut) for new in replace.split("\n")), *tail])
        at = line.find(search)
        while at >= 0:
            before, after = line[:at], line[at + len(search) :]
            made.append([*head, *(before + replace + after).split("\n"), *tail])
            made.append([*head, *(before + replace.replace("\n", f"\n{indent}") + after).split("\n"), *tail])
            at = line.find(search, at + 1)
    return {"\n".join(result) + ("\n" if text.endswith("\n") and result else "") for result in made}


@given(texts, lines, lines)
def test_an_edit_is_its_replacement_at_one_place_or_nothing(text: str, search: str, replace: str) -> None:
    assume(search.strip())
    try:
        new = apply_edits(text, [EditBlock(search, replace)])
    except EditsFailed:
        return
    assert new.startswith("\ufeff") == text.startswith("\ufeff")
    assert new.count("\r\n") == (new.count("\n") if "\r\n" in text else 0)
    old, new = (whole.removeprefix("\ufeff").replace("\r\n", "\n") for whole in (text, new))
    assert new.endswith("\n") == old.endswith("\n") or not new
    assert new.removesuffix("\n") in {result.removesuffix("\n") for result in allowed(old, EditBlock(search, replace))}


@given(texts_with_edits())
def test_an_edit_made_twice_is_refused_where_its_text_already_stands(case: tuple[str, list[EditBlock], str]) -> None:
    text, blocks, _ = case
    insertions = [EditBlock(block.search, f"{block.search}\n{block.replace}") for block in blocks]
    once = apply_edits(text, insertions)
    with pytest.raises(EditsFailed) as failed:
        apply_edits(once, insertions)
    assert {failure.reason for failure in failed.value.failures} == {"already applied"}
    assert not failed.value.good


@given(texts_with_edits(), st.data())
def test_a_damaged_search_text_is_refused_or_replaced_where_it_stands(
    case: tuple[str, list[EditBlock], str], data: st.DataObject
) -> None:
    text = case[0].removeprefix("\ufeff").replace("\r\n", "\n")
    block = case[1][0]
    at = data.draw(st.integers(0, len(block.search) - 1))
    damaged = data.draw(
        st.sampled_from([block.search[:at] + block.search[at + 1 :], block.search[:at] + "q" + block.search[at:]])
    )
    assume(damaged.strip())
    try:
        new = apply_edits(text, [EditBlock(damaged, block.replace)])
    except EditsFailed:
        return
    assert new in allowed(text, EditBlock(damaged, block.replace))


@given(texts, st.lists(st.builds(EditBlock, lines, lines), max_size=4))
def test_no_text_and_no_edits_break_the_editor(text: str, blocks: list[EditBlock]) -> None:
    wanted = [block for block in blocks if block.search.strip()]
    try:
        apply_edits(text, wanted)
    except EditsFailed as failed:
        assert failure_report("a.txt", text, failed.failures, failed.good)
        assert len(failed.failures) + len(failed.good) == len(dict.fromkeys(wanted))
