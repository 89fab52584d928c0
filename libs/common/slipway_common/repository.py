"""The published app as it stands: a shallow read of the branch `main` over git, into memory, without a token.

One read is two requests (`info/refs`, `git-upload-pack`); nothing is written to disk.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO
from typing import Literal

from dulwich.errors import ApplyDeltaError, ChecksumMismatch, GitProtocolError, ObjectFormatException
from dulwich.object_format import SHA1
from dulwich.object_store import MemoryObjectStore, ObjectStoreGraphWalker, iter_tree_contents
from dulwich.objects import Blob, Commit, ObjectID
from dulwich.pack import PackData, PackInflater
from dulwich.refs import Ref

from slipway_common.git_http import GitError, GitHttp, GitRefusedError, GitUnreachableError, repository_url
from slipway_common.project import RECORD_PATH, ProjectRecord
from slipway_common.threads import in_thread

__all__ = ["MAIN", "App", "AppFile", "CommitInfo", "GitError", "ProjectRecord", "read_app"]

MAIN = Ref(b"refs/heads/main")
READ_TIMEOUT_S = 60.0

_TRAILER = re.compile(r"([A-Za-z][A-Za-z-]*): (.*)")


@dataclass(frozen=True)
class AppFile:
    """One committed file; `sha` is its git blob sha."""

    mode: Literal["100644", "100755"]
    data: bytes
    sha: str


@dataclass(frozen=True)
class CommitInfo:
    """One commit: when (the author's date, which is when its job was accepted) and what its message says."""

    sha: str
    at: datetime
    message: str

    @property
    def trailers(self) -> dict[str, str]:
        """The `Key: value` lines of the message's last paragraph."""
        last = self.message.strip().rsplit("\n\n", maxsplit=1)[-1]
        return {m[1]: m[2] for line in last.splitlines() if (m := _TRAILER.fullmatch(line))}


@dataclass(frozen=True)
class App:
    """The head of `main`. `history` has the newest commit first, as many as were asked for.

    Symbolic links, submodules and names that are not UTF-8 are left out: Slipway commits none.
    """

    commit: str
    committed_at: datetime
    files: Mapping[str, AppFile]
    record: ProjectRecord | None
    history: tuple[CommitInfo, ...]
    _objects: MemoryObjectStore = field(repr=False, compare=False)

    def blob(self, sha: str) -> bytes | None:
        """The bytes of a blob of any commit that was read; None when none of them has it."""
        try:
            found = self._objects[ObjectID(sha.encode())]
        except KeyError:
            return None
        return found.data if isinstance(found, Blob) else None


async def read_app(
    git_url: str, owner: str, repo: str, *, history: int = 1, timeout_s: float = READ_TIMEOUT_S
) -> App | None:
    """Read `{git_url}/{owner}/{repo}`; None when there is no such public repository, or no `main` in it yet.

    `history` commits are read with all their files. Raises GitError.
    """
    url = repository_url(git_url, owner, repo)
    return await in_thread(lambda: _read(url, history, timeout_s))


def _read(url: str, history: int, timeout_s: float) -> App | None:
    client = GitHttp(url, deadline_s=timeout_s)
    try:
        return _fetch(client, history)
    except GitRefusedError as error:
        if error.status in (401, 404):
            return None
        raise
    except (GitProtocolError, ChecksumMismatch, ObjectFormatException, ApplyDeltaError, AssertionError) as error:
        # dulwich asserts where the server's answer is cut short
        raise GitUnreachableError(f"{url}: broken answer ({type(error).__name__})") from None
    finally:
        client.close()


def _fetch(client: GitHttp, history: int) -> App | None:
    pack = BytesIO()

    def wants(refs: Mapping[Ref, ObjectID], depth: int | None = None) -> list[ObjectID]:
        return [refs[MAIN]] if MAIN in refs else []

    result = client.fetch_pack(
        b"",
        wants,
        ObjectStoreGraphWalker([], lambda _: []),
        pack.write,
        depth=history,
        # version 2 would ask for the refs in a request of its own
        protocol_version=0,
    )
    head = result.refs.get(MAIN)
    if head is None:
        return None
    return _app(head, _unpack(pack), history)


def _unpack(pack: BytesIO) -> MemoryObjectStore:
    """All objects of a self-contained pack. (The store's own way in spools large packs to disk.)"""
    store = MemoryObjectStore()
    size = pack.tell()
    pack.seek(0)
    data = PackData.from_file(pack, SHA1, size)
    try:
        data.check()
        for found in PackInflater.for_pack_data(data):
            store.add_object(found)
    finally:
        data.close()
    return store


def _app(head: ObjectID, store: MemoryObjectStore, history: int) -> App:
    commits = _commits(head, store, history)
    files = {}
    for entry in iter_tree_contents(store, commits[0].tree):
        blob = store[entry.sha] if entry.mode & 0o170000 == 0o100000 else None
        if isinstance(blob, Blob) and (path := _text(entry.path)) is not None:
            files[path] = AppFile("100755" if entry.mode & 0o100 else "100644", blob.data, entry.sha.decode())
    record = files.get(RECORD_PATH)
    told = tuple(_info(commit) for commit in commits)
    return App(
        commit=head.decode(),
        committed_at=told[0].at,
        files=files,
        record=ProjectRecord.parse(record.data) if record else None,
        history=told,
        _objects=store,
    )


def _commits(head: ObjectID, store: MemoryObjectStore, count: int) -> list[Commit]:
    """The first-parent line from `head`, newest first, as far as it was fetched."""
    found: list[Commit] = []
    following: ObjectID | None = head
    while following is not None and following in store and len(found) < count:
        commit = store[following]
        if not isinstance(commit, Commit):
            break
        found.append(commit)
        following = commit.parents[0] if commit.parents else None
    if not found:
        raise GitProtocolError("the pack lacks the head of the branch")
    return found


def _info(commit: Commit) -> CommitInfo:
    at = datetime.fromtimestamp(commit.author_time, UTC)
    return CommitInfo(commit.id.decode(), at, commit.message.decode("utf-8", "replace"))


def _text(path: bytes | None) -> str | None:
    try:
        return path.decode() if path else None
    except UnicodeDecodeError:
        return None
