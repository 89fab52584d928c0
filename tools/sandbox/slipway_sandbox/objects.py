"""Reads bare repositories with git itself: commits, trees and blobs, never a working copy."""

import asyncio
import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

_PROCESSES = asyncio.Semaphore(16)  # git processes at a time: enough for two cores, bounded for a burst of pushes
_PERSON = re.compile(r"^(?P<name>.*) <(?P<email>[^>]*)> (?P<at>\d+) (?P<sign>[+-])(?P<hours>\d\d)(?P<minutes>\d\d)$")


class GitFailedError(RuntimeError):
    """git ended with a status other than 0; the message has its arguments and what it said."""


@dataclass(frozen=True)
class Entry:
    """One entry of a tree: octal mode, kind (`blob`, `tree`, `commit` for a submodule), sha and size in bytes."""

    mode: str
    kind: str
    sha: str
    size: int


@dataclass(frozen=True)
class Person:
    """Author or committer, with the time in their own zone."""

    name: str
    email: str
    at: datetime


@dataclass(frozen=True)
class Commit:
    """A commit as it stands in the repository."""

    sha: str
    tree: str
    parents: tuple[str, ...]
    author: Person
    committer: Person
    message: str


def git_environment() -> dict[str, str]:
    """What git gets to see: no configuration of the machine, and no refusal of folders owned by another user."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": "/nonexistent",
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": "*",
    }


async def run(arguments: list[str], environment: dict[str, str], body: bytes = b"") -> tuple[int, bytes, bytes]:
    """Run a program to its end with `body` as its input: (exit status, output, errors). Killed when cancelled."""
    async with _PROCESSES:
        process = await asyncio.create_subprocess_exec(
            *arguments,
            env=environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            output, errors = await process.communicate(body)
        finally:
            if process.returncode is None:
                process.kill()
        return process.returncode or 0, output, errors


async def git(bare: Path, *arguments: str) -> bytes:
    """Output of `git <arguments>` in a bare repository; raises GitFailedError."""
    status, output, errors = await run(["git", f"--git-dir={bare}", *arguments], git_environment())
    if status:
        raise GitFailedError(f"git {' '.join(arguments)}: {errors.decode('utf-8', 'replace').strip()}")
    return output


async def resolve(bare: Path, ref: str) -> str | None:
    """The commit that a branch, tag or (short) sha names."""
    if ref.startswith("-"):
        return None
    try:
        return (await git(bare, "rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")).decode().strip()
    except GitFailedError:
        return None


async def head_of(bare: Path, branch: str) -> str | None:
    """The newest commit of a branch; reads the ref's own file when there is one, which costs no process."""

    def loose() -> str | None:
        try:
            return (bare / "refs" / "heads" / branch).read_text("ascii").strip()
        except OSError:
            return None

    return await asyncio.to_thread(loose) or await resolve(bare, f"refs/heads/{branch}")


async def entries(bare: Path, sha: str) -> dict[str, Entry]:
    """Every file and folder of a commit by its path from the root."""
    listed: dict[str, Entry] = {}
    for line in (await git(bare, "ls-tree", "-r", "-t", "-z", "-l", "--full-tree", sha)).split(b"\0"):
        if line:
            fields, _, path = line.partition(b"\t")
            mode, kind, blob, size = fields.decode().split()
            listed[path.decode("utf-8", "surrogateescape")] = Entry(mode, kind, blob, 0 if size == "-" else int(size))
    return listed


async def blob(bare: Path, sha: str) -> bytes:
    """The bytes of a file."""
    return await git(bare, "cat-file", "blob", sha)


def _person(line: str) -> Person:
    match = _PERSON.match(line)
    if match is None:
        return Person(line, "", datetime.fromtimestamp(0, UTC))
    offset = timedelta(hours=int(match["hours"]), minutes=int(match["minutes"]))
    zone = timezone(-offset if match["sign"] == "-" else offset)
    return Person(match["name"], match["email"], datetime.fromtimestamp(int(match["at"]), zone))


async def commit(bare: Path, sha: str) -> Commit:
    """Read one commit; raises GitFailedError when there is none of that sha."""
    head, _, message = (await git(bare, "cat-file", "commit", sha)).decode("utf-8", "replace").partition("\n\n")
    values: dict[str, list[str]] = {}
    for line in head.split("\n"):
        key, _, value = line.partition(" ")
        values.setdefault(key, []).append(value)
    return Commit(
        sha=sha,
        tree=values["tree"][0],
        parents=tuple(values.get("parent", ())),
        author=_person(values["author"][0]),
        committer=_person(values["committer"][0]),
        message=message,
    )
