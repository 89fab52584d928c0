"""The repository's name and the ownership mark."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway_common.naming import is_ours, repository_description, repository_name

EMAIL = "student@example.org"


def test_a_name_is_readable_and_always_the_same() -> None:
    name = repository_name(EMAIL, "Sum of Sales (v2)")
    assert re.fullmatch(r"sum-of-sales-v2-[0-9a-f]{10}", name)
    assert repository_name(EMAIL, "Sum of Sales (v2)") == name


@pytest.mark.parametrize(
    "other", [("student@example.org", "sum of sales (v2)"), ("Student@example.org", "Sum of Sales (v2)")]
)
def test_projects_that_read_alike_have_different_names(other: tuple[str, str]) -> None:
    assert repository_name(*other) != repository_name(EMAIL, "Sum of Sales (v2)")


def test_where_the_email_ends_and_the_task_begins_makes_a_difference() -> None:
    assert repository_name("a@b.c", "de")[-10:] != repository_name("a@b.cd", "e")[-10:]


@given(st.text(max_size=300), st.text(max_size=2000))
def test_every_name_and_description_is_one_that_github_takes(email: str, task: str) -> None:
    name, description = repository_name(email, task), repository_description(email, task)
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]{0,98}[a-z0-9]", name)
    assert len(description) <= 350
    assert description.isascii()
    assert description.isprintable()
    assert is_ours(description, email, task)


@pytest.mark.parametrize("task", ["report for student@example.org", "STUDENT@EXAMPLE.ORG", "x-student@example.org-y"])
def test_the_email_is_in_neither_even_if_the_task_has_it(task: str) -> None:
    for text in (repository_name(EMAIL, task), repository_description(EMAIL, task)):
        assert "student" not in text
        assert "example" not in text


def test_a_task_without_a_usable_letter_still_has_a_name() -> None:
    assert repository_name(EMAIL, "数独 🎲").startswith("task-")


def test_accents_are_spelled_without_them() -> None:
    assert repository_name(EMAIL, "Wörter zählen").startswith("worter-zahlen-")


@pytest.mark.parametrize("description", [None, "", "my own project", "built by Slipway", "[slipway:]"])
def test_a_repository_without_the_mark_is_not_ours(description: str | None) -> None:
    assert not is_ours(description, EMAIL, "a task")


def test_the_mark_of_another_project_is_not_that_of_this_one() -> None:
    assert not is_ours(repository_description(EMAIL, "one"), EMAIL, "two")
    assert not is_ours(repository_description("other@example.org", "one"), EMAIL, "one")
