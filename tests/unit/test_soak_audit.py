"""The account that a soak gives of a project's commits."""

from slipway_bench.audit import unbalanced

TOLD = {"job-1": "aaa", "job-2": "bbb"}
JOBS = ("job-1", "job-2")


def test_one_commit_for_each_job_with_the_sha_that_was_told_balances() -> None:
    assert unbalanced("task", JOBS, [("bbb", "job-2"), ("aaa", "job-1")], TOLD) == []


def test_a_job_without_a_commit_or_with_two_does_not() -> None:
    assert unbalanced("task", JOBS, [("aaa", "job-1")], TOLD) == ["job job-2 of task has 0 commits"]
    doubled = [("ccc", "job-2"), ("bbb", "job-2"), ("aaa", "job-1")]
    assert unbalanced("task", JOBS, doubled, TOLD) == ["job job-2 of task has 2 commits"]


def test_a_commit_of_nobody_is_named() -> None:
    found = [("ddd", ""), ("bbb", "job-2"), ("aaa", "job-1")]
    assert unbalanced("task", JOBS, found, TOLD) == ["task has a commit of no job of this run: ddd"]


def test_a_sha_that_is_not_the_one_that_was_told_is_named() -> None:
    found = [("eee", "job-2"), ("aaa", "job-1")]
    assert unbalanced("task", JOBS, found, TOLD) == ["job job-2 was notified with bbb, but its commit is eee"]
