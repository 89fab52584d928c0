"""The commit of a job: deterministic, complete, and without bytes that are in the repository already."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Literal

import pytest
from dulwich.objects import Blob, Commit, ObjectID, Tree

from slipway_common.events import File, Generated, Job, KeptFile, Request, job_id
from slipway_deployer.commit import NewCommit, UnsafePathError, build_commit, commit_message

AT = datetime(2026, 3, 1, 12, 30, 15, 999_000, tzinfo=UTC)
PARENT = "1" * 40


def an_event(
    *files: File, kept: tuple[KeptFile, ...] = (), round_: int = 1, brief: str = "Make a page", replay: int = 0
) -> Generated:
    job = Job(
        id=job_id("me@example.org", "t", round_, "n"),
        email="me@example.org",
        task="t",
        round=round_,
        nonce="n",
        evaluation_url="http://x/",
        accepted_at=AT,
        due_at=AT + timedelta(minutes=10),
        replay=replay,
    )
    return Generated(job=job, base_commit=None, files=files, kept=kept, request=Request(brief=brief))


def the_commit(built: NewCommit) -> Commit:
    (found,) = (thing for thing, _ in built.objects if isinstance(thing, Commit))
    return found


def paths(built: NewCommit) -> dict[str, tuple[str, str]]:
    """Every file of the commit's tree: its mode and its blob sha."""
    trees = {thing.id: thing for thing, _ in built.objects if isinstance(thing, Tree)}

    def walk(sha: ObjectID, prefix: str) -> dict[str, tuple[str, str]]:
        found: dict[str, tuple[str, str]] = {}
        for name, mode, inner in trees[sha].iteritems():
            path = prefix + name.decode()
            found |= walk(inner, path + "/") if mode == 0o040000 else {path: (f"{mode:o}", inner.decode())}
        return found

    return walk(the_commit(built).tree, "")


def test_the_same_event_on_the_same_parent_is_the_same_commit() -> None:
    event = an_event(File.of("index.html", b"<p>"), File.of("a/b.js", b"1"))
    assert build_commit(event, PARENT).sha == build_commit(event, PARENT).sha
    assert build_commit(event, PARENT).sha != build_commit(event, None).sha


def test_its_dates_are_when_the_job_was_accepted() -> None:
    commit = the_commit(build_commit(an_event(File.of("index.html", b"")), None))
    assert commit.author_time == commit.commit_time == int(AT.timestamp())
    assert commit.author_timezone == commit.commit_timezone == 0
    elsewhere = AT.astimezone(timezone(timedelta(hours=5)))
    event = an_event(File.of("index.html", b""))
    moved = event.model_copy(update={"job": event.job.model_copy(update={"accepted_at": elsewhere})})
    assert build_commit(moved, None).sha == build_commit(event, None).sha


def test_its_message_ends_with_the_trailers() -> None:
    event = an_event(File.of("index.html", b""), round_=3, replay=2, brief="\n  Make\tit\x07 blue  \nand more")
    assert commit_message(event) == f"Revise the app: Make it blue\n\nJob: {event.job.id}\nReplay: 2\nRound: 3\n"


def test_a_brief_cannot_forge_trailers() -> None:
    forged = "Job: 00000000-0000-0000-0000-000000000000\n\nRound: 9\n"
    assert commit_message(an_event(brief=forged)).count("\n\n") == 1
    assert commit_message(an_event(brief=forged)).splitlines()[-1] == "Round: 1"


def test_kept_files_are_in_the_tree_and_not_among_the_objects() -> None:
    big = Blob.from_string(b"x" * 5000).id.decode()
    kept = (KeptFile(path="data/big.bin", mode="100755", sha=big), KeptFile(path=".nojekyll", mode="100644", sha=big))
    built = build_commit(an_event(File.of("index.html", b"<p>"), kept=kept, round_=2), PARENT)
    assert paths(built)["data/big.bin"] == ("100755", big)
    assert [thing for thing, _ in built.objects if isinstance(thing, Blob)] == [Blob.from_string(b"<p>")]


def test_a_new_file_wins_over_a_kept_one_of_the_same_path() -> None:
    kept = (KeptFile(path="index.html", mode="100644", sha="2" * 40),)
    built = build_commit(an_event(File.of("index.html", b"new"), kept=kept), PARENT)
    assert paths(built)["index.html"] == ("100644", Blob.from_string(b"new").id.decode())


def test_jekyll_is_switched_off_once() -> None:
    empty = Blob.from_string(b"").id.decode()
    assert paths(build_commit(an_event(File.of("index.html", b"")), None))[".nojekyll"] == ("100644", empty)


@pytest.mark.parametrize("mode", ["100644", "100755"])
def test_bytes_and_modes_arrive_as_they_are(mode: Literal["100644", "100755"]) -> None:
    contents = {"ü/日本 語.txt": "grüße\r\n".encode(), "empty": b"", "bin": bytes(range(256)), "a/b/c/d/e.txt": b"\n"}
    files = [File.of(path, data, mode) for path, data in contents.items()]
    found = paths(build_commit(an_event(*files), None))
    assert {path: found[path] for path in contents} == {
        path: (mode, Blob.from_string(data).id.decode()) for path, data in contents.items()
    }


@pytest.mark.parametrize(
    "path",
    ["../x", "a/../b", "/x", "a//b", "a/", "", ".", "./a", ".git/config", "a/.GIT/hooks/x", "a\\b", "a\nb", "a\0b"],
)
def test_a_path_that_is_not_plain_is_refused(path: str) -> None:
    with pytest.raises(UnsafePathError):
        build_commit(an_event(File.of(path, b"")), None)


def test_a_name_cannot_be_a_file_and_a_folder() -> None:
    with pytest.raises(UnsafePathError, match="'a' is both"):
        build_commit(an_event(File.of("a", b""), File.of("a/b", b"")), None)
