"""What a change kept and lost is measured, and only what goes beyond an edit is a violation."""

import difflib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway_generator.invariants import LIMITS, Invariants, compare, untouched_share

PAGE = """<!DOCTYPE html>
<html>
<head>
<link rel="stylesheet" href="https://cdn.jsdelivr.net/npm/bootstrap@5.3.2/dist/css/bootstrap.min.css">
<script>document.getElementById("made-later");</script>
<script src="https://cdn.jsdelivr.net/npm/marked@12.0.0/marked.min.js"></script>
</head>
<body>
<h1 id="title">T</h1>
<form id="f">
<input type="text" name="q">
<input type="checkbox" name="all">
<button>Go</button>
</form>
<!-- <p id="commented"></p> -->
</body>
</html>
"""


def test_nothing_is_lost_by_an_insertion() -> None:
    measured = compare(PAGE, PAGE.replace("<h1", "<p>New</p>\n<h1"), "index.html")
    assert measured.untouched == 1.0
    assert measured.violations() == []


@pytest.mark.parametrize(
    ("old", "new", "lost"),
    [
        (' id="title"', "", {"lost_ids": ("title",)}),
        (' id="title"', ' data-made-later=""', {"lost_ids": ("title",)}),
        ('name="q"', 'name="query"', {"lost_names": ("q",)}),
        ("<button>Go</button>\n", "", {"lost_controls": ("button (1 fewer)",)}),
        ('type="checkbox" name', 'type="hidden" name', {"lost_controls": ('input[type="checkbox"] (1 fewer)',)}),
        ("marked@12.0.0/marked.min.js", "other@1/o.js", {"lost_resources": 1}),
        ('<link rel="stylesheet" href="https://cdn.jsdelivr.net/npm/bootstrap', '<a href="x', {"lost_resources": 1}),
    ],
)
def test_what_others_may_rely_on_is_missed(old: str, new: str, lost: dict[str, object]) -> None:
    measured = compare(PAGE, PAGE.replace(old, new), "index.html")
    for name, wanted in lost.items():
        found = getattr(measured, name)
        assert found == wanted or len(found) == wanted
    assert len(measured.violations()) == 1


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("marked@12.0.0", "marked@12.0.2"),
        ('<h1 id="title">T</h1>', ""),
        ("<!--", "<!-- x"),
        (' id="title"', " id='title'"),
    ],
)
def test_a_new_version_or_an_id_that_a_script_makes_is_no_loss(old: str, new: str) -> None:
    page = PAGE.replace('document.getElementById("made-later")', 'heading.id = "title"')
    assert compare(page, page.replace(old, new), "index.html").violations() == []


def test_a_page_that_shrinks_grows_or_changes_too_much_is_told() -> None:
    long = PAGE + "".join(f"<p>{number}</p>\n" for number in range(400))
    shrunk = compare(long, PAGE, "index.html")
    assert "shrank" in " ".join(shrunk.violations())
    grown = compare(PAGE, PAGE + "<p>more</p>\n" * 4000, "index.html")
    assert ["grew" in violation for violation in grown.violations()] == [True]
    turned = compare(long, PAGE + "".join(f"<b>{number}</b>\n" for number in range(400)), "index.html")
    assert turned.untouched == 17 / 417
    assert ["old lines are kept" in violation for violation in turned.violations()] == [True]


def test_the_limits_decide_what_is_a_violation() -> None:
    measured = Invariants("a.css", untouched=LIMITS.min_untouched - 0.01, old_size=10, new_size=10)
    assert measured.violations()
    assert not Invariants("a.css", untouched=LIMITS.min_untouched, old_size=10, new_size=10).violations()


def test_files_that_are_no_pages_have_only_lines_and_size() -> None:
    measured = compare('<p id="x">\n', "<p>\n", "notes.md")
    assert (measured.lost_ids, measured.untouched) == ((), 0.0)


def test_an_empty_file_has_nothing_to_lose() -> None:
    assert untouched_share("", "a\nb\n") == 1.0


@given(st.lists(st.sampled_from("abcd"), max_size=25), st.lists(st.sampled_from("abcde"), max_size=25))
def test_the_share_is_that_of_the_longest_common_subsequence(old: list[str], new: list[str]) -> None:
    longest = [[0] * (len(new) + 1) for _ in range(len(old) + 1)]
    for i, one in enumerate(old):
        for j, other in enumerate(new):
            longest[i + 1][j + 1] = longest[i][j] + 1 if one == other else max(longest[i][j + 1], longest[i + 1][j])
    wanted = longest[-1][-1] / len(old) if old else 1.0
    share = untouched_share("".join(f"{line}\n" for line in old), "".join(f"{line}\n" for line in new))
    assert share == pytest.approx(wanted)
    matched = sum(block.size for block in difflib.SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks())
    assert share >= (matched / len(old) if old else 1.0) - 1e-9
