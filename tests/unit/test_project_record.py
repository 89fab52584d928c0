"""The record of rounds in the repository."""

from datetime import UTC, datetime, timedelta

import pytest

from slipway_common.events import AttachmentRef, Job, JsCheck, Request, job_id
from slipway_common.project import KEPT_JOBS, ProjectRecord

BEGIN = datetime(2026, 3, 1, 12, tzinfo=UTC)


def a_job(round_: int, minute: int = 0, nonce: str = "secret-nonce", replay: int = 0) -> Job:
    at = BEGIN + timedelta(minutes=minute)
    return Job(
        id=job_id("me@example.org", "t", round_, nonce),
        email="me@example.org",
        task="t",
        round=round_,
        nonce=nonce,
        evaluation_url="http://evaluator.example/x",
        accepted_at=at,
        due_at=at + timedelta(minutes=10),
        replay=replay,
    )


def a_request(brief: str) -> Request:
    ref = AttachmentRef(name="a.csv", path="a.csv", media_type="text/csv", size=3)
    return Request(brief=brief, checks=("it is blue", JsCheck(js="1 == 1")), attachments=(ref,))


def test_it_keeps_what_each_round_asked_for_in_order() -> None:
    record = ProjectRecord().with_round(a_job(1), a_request("build")).with_round(a_job(2), a_request("change"))
    read = ProjectRecord.parse(record.dump())
    assert read == record
    assert read is not None
    assert [(item.round, item.brief) for item in read.rounds] == [(1, "build"), (2, "change")]
    assert read.rounds[1].checks == ("it is blue", JsCheck(js="1 == 1"))


def test_it_says_nothing_of_who_asked() -> None:
    text = ProjectRecord().with_round(a_job(1), a_request("build")).dump().decode()
    for private in ("me@example.org", "secret-nonce", "evaluator.example"):
        assert private not in text


def test_a_round_sent_again_replaces_what_it_asked_for_before() -> None:
    record = ProjectRecord()
    for round_, nonce, brief in ((1, "a", "one"), (2, "a", "two"), (2, "b", "two again"), (3, "a", "three")):
        record = record.with_round(a_job(round_, nonce=nonce), a_request(brief))
    assert [item.brief for item in record.rounds] == ["one", "two again", "three"]


def test_round_1_again_forgets_the_rounds_and_not_the_jobs() -> None:
    record = ProjectRecord().with_round(a_job(1), a_request("one")).with_round(a_job(2), a_request("two"))
    again = record.with_round(a_job(1, nonce="other"), a_request("one"))
    assert [item.round for item in again.rounds] == [1]
    assert again.commits_of(a_job(2)) == 1


def test_it_counts_the_commits_of_a_job_and_of_its_replays_apart() -> None:
    record = ProjectRecord().with_round(a_job(1), a_request("one"))
    assert record.commits_of(a_job(1)) == 1
    assert record.commits_of(a_job(1, replay=1)) == 0
    assert record.with_round(a_job(1), a_request("one")).commits_of(a_job(1)) == 2


def test_it_remembers_a_bounded_number_of_jobs() -> None:
    record = ProjectRecord()
    for number in range(KEPT_JOBS + 5):
        record = record.with_round(a_job(2, nonce=str(number)), a_request("two"))
    assert len(record.jobs) == KEPT_JOBS
    assert record.commits_of(a_job(2, nonce=str(KEPT_JOBS + 4))) == 1


@pytest.mark.parametrize(
    ("round_", "minute", "superseded"),
    [(1, 0, True), (1, 9, False), (2, 0, True), (2, 9, False), (3, 0, False), (4, 0, False)],
)
def test_a_lower_round_is_superseded_unless_it_was_accepted_later(round_: int, minute: int, superseded: bool) -> None:
    record = ProjectRecord().with_round(a_job(3, minute=5), a_request("three"))
    assert record.supersedes(a_job(round_, minute=minute)) is superseded


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"rounds": 1}', b"\xff\xfe"])
def test_a_record_that_somebody_broke_is_none(data: bytes) -> None:
    assert ProjectRecord.parse(data) is None
