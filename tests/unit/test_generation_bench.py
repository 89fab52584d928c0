"""What the bench measures of revisions is what is promised of them."""

from slipway_bench.generation import LARGEST_RATIO, LEAST_UNTOUCHED, LONG_PAGE_LINES, measure


def test_every_revision_of_the_examples_is_a_small_edit_and_edits_of_long_pages_are_short() -> None:
    found = measure()
    assert found.good
    assert len(found.revisions) == 8
    assert all(not row.rewrite and row.untouched >= LEAST_UNTOUCHED for row in found.revisions)
    assert len(found.replies) >= 5
    assert all(row.lines >= LONG_PAGE_LINES and row.ratio <= LARGEST_RATIO for row in found.replies)
