"""The projection: a fold of the history that bears disorder, duplicates and missing beginnings."""

import random
import uuid
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import reduce
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway_common.events import (
    AnyEvent,
    Budget,
    CheckResult,
    Deployed,
    EditReport,
    File,
    Generated,
    Job,
    Notified,
    Progress,
    ReadEvent,
    Received,
    Report,
    Request,
    Screenshot,
)
from slipway_intake.history_entry import Entry, Position
from slipway_intake.job_view import full_job, marks
from slipway_intake.projection import Projection, ProjectionLostError
from slipway_intake.record import DeadLetter, JobRecord, record_of
from slipway_intake.status import BudgetView

START = datetime(2026, 1, 1, tzinfo=UTC)
JOB = Job(
    id="00000000-0000-5000-8000-000000000001",
    email="student@example.com",
    task="t",
    round=1,
    nonce="n",
    evaluation_url="http://127.0.0.1/notify",
    accepted_at=START,
    due_at=START + timedelta(seconds=600),
)
Told = tuple[ReadEvent, DeadLetter | None]


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def told(data: AnyEvent, dead: DeadLetter | None = None) -> Told:
    return ReadEvent(id=str(uuid.uuid4()), traceparent="", data=data), dead


def job(number: int = 1, replay: int = 0) -> Job:
    return JOB.model_copy(update={"id": f"00000000-0000-5000-8000-{number:012}", "replay": replay})


def received(seconds: float = 0, *, of: Job = JOB, hand_backs: int = 0) -> Received:
    return Received(job=of, at=at(seconds), hand_backs=hand_backs, brief="Sum the sales.")


def generated(seconds: float = 10, *, of: Job = JOB, hand_backs: int = 0, report: Report | None = None) -> Generated:
    return Generated(
        job=of, at=at(seconds), hand_backs=hand_backs, base_commit=None, files=(File.of("index.html", b"x"),),
        request=Request(brief="Sum the sales."), report=report or Report(),
    )  # fmt: skip


def deployed(seconds: float = 20, *, of: Job = JOB, live: bool = True) -> Deployed:
    return Deployed(
        job=of, at=at(seconds), repo_url="http://x/r", commit_sha="c" * 40, pages_url="http://x/p/", live=live,
        not_live="" if live else "404 for 120 s",
    )  # fmt: skip


def notified(seconds: float = 30, *, of: Job = JOB) -> Notified:
    return Notified(
        job=of, at=at(seconds), repo_url="http://x/r", commit_sha="c" * 40, pages_url="http://x/p/", live=True,
        status=200, tries=2,
    )  # fmt: skip


def progress(service: str, state: str, seconds: float, *, of: Job = JOB, hand_backs: int = 0) -> Progress:
    return Progress.model_validate(
        {"job": of, "at": at(seconds), "hand_backs": hand_backs, "service": service, "state": state, "message": "why",
         "error": "Retry" if state in ("retrying", "dead") else ""}
    )  # fmt: skip


def dead(queue: str, seconds: float) -> DeadLetter:
    return DeadLetter(queue, at(seconds), "Reject", "it cannot be")


def fold(history: Iterable[Told]) -> JobRecord:
    return reduce(JobRecord.merge, (record_of(event, death) for event, death in history))


def test_an_ordinary_life_ends_notified() -> None:
    record = fold(
        told(data)
        for data in (
            received(), progress("generator", "generating", 1), generated(), progress("deployer", "deploying", 11),
            deployed(), progress("notifier", "notifying", 21), notified(),
        )
    )  # fmt: skip
    assert record.state == "notified"
    assert [*record.times.known()] == ["received", "generating", "generated", "deploying", "deployed", "notified"]


@pytest.mark.parametrize(
    ("history", "state"),
    [
        ([told(received())], "received"),
        ([told(progress("generator", "generating", 1))], "generating"),
        ([told(progress("generator", "waiting", 2)), told(progress("generator", "generating", 1))], "waiting"),
        ([told(progress("generator", "waiting", 2)), told(progress("generator", "generating", 3))], "generating"),
        ([told(generated()), told(progress("generator", "generating", 12))], "generated"),
        ([told(deployed()), told(progress("notifier", "notifying", 21))], "deployed"),
        ([told(deployed()), told(progress("notifier", "retrying", 21))], "retrying"),
        ([told(progress("notifier", "dead", 22)), told(deployed())], "dead"),
        ([told(received(), dead("task.received", 5)), told(progress("generator", "generating", 1))], "dead"),
        ([told(received(), dead("task.received", 5)), told(progress("generator", "generating", 9))], "generating"),
        ([told(generated(), dead("task.generated", 15)), told(generated())], "dead"),
        ([told(progress("slipway", "dropped", 50)), told(progress("deployer", "dead", 15))], "dropped"),
        ([told(notified(), dead("task.notified", 60))], "notified"),
        ([told(notified()), told(progress("notifier", "retrying", 40))], "notified"),
    ],
)
def test_the_furthest_state_wins_whatever_came_last(history: list[Told], state: str) -> None:
    assert fold(history).state == state
    assert fold(reversed(history)).state == state


def test_a_job_handed_back_begins_again_and_its_second_app_counts() -> None:
    first = [told(received()), told(generated()), told(progress("deployer", "deploying", 11))]
    handed_back = [*first, told(received(12, hand_backs=1))]
    assert fold(handed_back).state == "received"
    again = [*handed_back, told(progress("generator", "generating", 13, hand_backs=1))]
    assert fold(again).state == "generating"
    report = Report(notes=("second",))
    done = [*again, told(generated(14, hand_backs=1, report=report)), told(deployed())]
    record = fold(done)
    assert record.state == "deployed"
    assert record.made and record.made.report.notes == ("second",)


def test_a_replay_begins_again_and_keeps_what_is_published() -> None:
    ended = [told(received()), told(deployed()), told(notified())]
    record = fold([*ended, told(received(100, of=job(replay=1)))])
    assert record.state == "received"
    assert record.times.notified is None
    assert record.published and record.published.pages_url == "http://x/p/"


def test_of_two_apps_of_a_job_that_was_generated_twice_the_first_is_shown() -> None:
    one, other = Report(notes=("first",)), Report(notes=("second",))
    record = fold([told(generated(12, report=other)), told(generated(10, report=one))])
    assert record.made and record.made.report.notes == ("first",)


SECONDS, FEW = st.integers(0, 99), st.integers(0, 2)
EVENTS: list[st.SearchStrategy[AnyEvent]] = [
    st.builds(lambda s, r, h: received(s, of=job(replay=r), hand_backs=h), SECONDS, FEW, FEW),
    st.builds(
        lambda s, r, h, note: generated(s, of=job(replay=r), hand_backs=h, report=Report(notes=(note,))),
        SECONDS, FEW, FEW, st.sampled_from("abc"),
    ),
    st.builds(lambda s, r, live: deployed(s, of=job(replay=r), live=live), SECONDS, FEW, st.booleans()),
    st.builds(lambda s, r: notified(s, of=job(replay=r)), SECONDS, FEW),
    st.builds(
        lambda service, state, s, r, h: progress(service, state, s, of=job(replay=r), hand_backs=h),
        st.sampled_from(["generator", "deployer", "notifier", "slipway"]),
        st.sampled_from(["generating", "deploying", "notifying", "waiting", "retrying", "paused", "dead", "dropped"]),
        SECONDS, FEW, FEW,
    ),
]  # fmt: skip
DEATHS = st.none() | st.builds(
    dead, st.sampled_from(["task.received", "task.generated", "task.deployed", "task.notified"]), SECONDS
)
HISTORIES = st.lists(st.builds(told, st.one_of(EVENTS), DEATHS), min_size=1, max_size=12)


@given(HISTORIES, st.randoms(use_true_random=False))
def test_order_and_duplicates_are_of_no_matter(history: list[Told], chance: random.Random) -> None:
    shuffled = history + chance.choices(history, k=len(history))
    chance.shuffle(shuffled)
    assert fold(shuffled) == fold(history)


@given(HISTORIES, HISTORIES)
def test_a_history_read_in_two_parts_is_the_history(one: list[Told], other: list[Told]) -> None:
    assert fold(one).merge(fold(other)) == fold(one + other)


@given(HISTORIES)
def test_a_record_survives_being_written_down(history: list[Told]) -> None:
    record = fold(history)
    assert JobRecord.model_validate_json(record.model_dump_json(exclude_none=True)) == record


def test_marks_say_what_the_state_does_not() -> None:
    checks = (CheckResult(round=1, check="x", outcome="true"), CheckResult(round=1, check="y", outcome="not_run"))
    edited = Report(checks=checks, edit=EditReport(rewrite=False, untouched=0.98))
    rewritten = Report(edit=EditReport(rewrite=True, untouched=0.1))
    assert marks(fold([told(generated(report=edited)), told(deployed()), told(notified())]), at(9999)) == ["edited"]
    assert marks(fold([told(generated(report=rewritten)), told(deployed(live=False))]), at(0)) == [
        "not live",
        "not checked",
        "rewritten",
    ]
    assert marks(fold([told(received()), told(notified(601))]), at(0)) == ["late"]
    assert marks(fold([told(received())]), at(601)) == ["late"]
    assert marks(fold([told(received()), told(progress("generator", "dead", 5))]), at(601)) == []


def test_the_full_view_counts_checks_and_knows_no_address() -> None:
    outcomes = ("true", "true", "false", "not_run")
    checks = tuple(CheckResult.model_validate({"round": 1, "check": "c", "outcome": outcome}) for outcome in outcomes)
    record = fold([told(received()), told(generated(report=Report(checks=checks))), told(deployed()), told(notified())])
    view = full_job(record, at(0))
    assert view.checks == {"true": 2, "false": 1, "inconclusive": 0, "not_run": 1}
    assert (view.commit_sha, view.notification_status, view.notification_tries) == ("c" * 40, 200, 2)
    assert "student@example.com" not in record.model_dump_json() + view.model_dump_json()


def entries(history: Sequence[Told], first_offset: int = 0) -> list[Entry]:
    return [Entry(Position(first_offset + n, f"m{n}"), "", event, death) for n, (event, death) in enumerate(history)]


def test_the_file_keeps_records_and_position_together(tmp_path: Path) -> None:
    history = [told(received(of=job(n))) for n in range(3)] + [told(notified(of=job(1)))]
    projection = Projection(tmp_path / "p.sqlite")
    projection.apply(entries(history[:2]))
    projection.close()
    projection = Projection(tmp_path / "p.sqlite")
    assert projection.position() == Position(1, "m1")
    projection.apply(entries(history))
    assert projection.position() == Position(3, "m3")
    counts = projection.counts()
    assert (counts.total, counts.by_state, counts.unfinished) == (3, {"notified": 1, "received": 2}, 2)
    assert counts.oldest_unfinished == START
    assert projection.unfinished() == 2
    projection.close()


def test_a_broken_file_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "p.sqlite"
    path.write_bytes(b"this is no database" * 1000)
    projection = Projection(path)
    assert projection.position() is None
    projection.close()


def test_a_file_deleted_in_use_is_noticed_and_rebuilt(tmp_path: Path) -> None:
    path = tmp_path / "p.sqlite"
    projection = Projection(path)
    history = entries([told(received())])
    projection.apply(history)
    path.unlink()
    with pytest.raises(ProjectionLostError):
        projection.apply(history)
    projection.rebuild()
    assert projection.position() is None
    projection.apply(history)
    assert projection.get(JOB.id)
    projection.close()


def test_a_job_is_known_before_the_history_brings_it(tmp_path: Path) -> None:
    projection = Projection(tmp_path / "p.sqlite")
    event, _ = told(received())
    projection.expect(record_of(event))
    assert projection.get(JOB.id) == record_of(event)
    projection.apply(entries([(event, None), told(generated())]))
    known = projection.get(JOB.id)
    assert known and known.state == "generated"
    projection.close()


def test_pages_go_from_the_newest_to_the_oldest_without_gaps(tmp_path: Path) -> None:
    projection = Projection(tmp_path / "p.sqlite")
    # seven jobs, of which some were accepted at the very same time
    jobs = [job(n).model_copy(update={"accepted_at": at(n // 3)}) for n in range(7)]
    projection.apply(entries([told(received(of=one)) for one in jobs]))
    seen: list[str] = []
    before = None
    while page := projection.page(state="", before=before, limit=2):
        seen += [record.job for record in page]
        before = (page[-1].identity.accepted_at.timestamp(), page[-1].job)
    assert seen == [one.id for one in reversed(jobs)]
    assert projection.page(state="dead", before=None, limit=2) == []
    projection.close()


def test_the_story_keeps_its_last_200_lines(tmp_path: Path) -> None:
    projection = Projection(tmp_path / "p.sqlite")
    history = [told(progress("generator", "retrying", n)) for n in range(250)]
    for begin in range(0, 250, 50):
        projection.apply(entries(history[begin : begin + 50], begin))
    projection.apply(entries(history[200:], 200))
    story = projection.story()
    assert len(story) == 200
    assert (story[0].timestamp, story[-1].timestamp) == (at(50).isoformat(), at(249).isoformat())
    assert story[-1].model_dump(include={"level", "service", "event", "message"}) == {
        "level": "warning", "service": "generator", "event": "retrying", "message": "why",
    }  # fmt: skip
    projection.close()


def test_pictures_are_not_kept() -> None:
    record = fold([told(generated(report=Report(screenshots=(Screenshot(width=360, webp="AAAA"),))))])
    assert record.made and record.made.report.screenshots == ()


def test_of_each_limit_the_newest_account_is_kept(tmp_path: Path) -> None:
    def account(seconds: float, used: int, name: str = "writes") -> AnyEvent:
        budget = Budget(name=name, window_s=60, used=used, limit=80)
        return received(seconds).model_copy(update={"budgets": (budget,)})

    projection = Projection(tmp_path / "p.sqlite")
    events = [account(2, 5), account(3, 6), account(1, 4), account(2, 9, "others"), received(9)]
    for number, event in enumerate(events, 1):
        projection.apply([Entry(Position(number, "m"), "", told(event)[0], None)])
    assert [(when, budget.name, budget.used) for when, budget in projection.budgets()] == [
        (at(3), "writes", 6), (at(2), "others", 9),
    ]  # fmt: skip
    projection.close()


def test_what_was_used_before_the_window_counts_no_more() -> None:
    budget = Budget(name="writes", window_s=60, used=5, limit=80, held_until=at(30))
    assert [BudgetView.of(budget, at(0), at(seconds)).used for seconds in (0, 59, 60)] == [5, 5, 0]
    assert [BudgetView.of(budget, at(0), at(seconds)).held_until for seconds in (29, 30)] == [at(30), None]
