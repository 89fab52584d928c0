"""The commit of one job, as git objects in memory: deterministic, and without the bytes of files that stay.

The same event on the same parent is always the same commit: author, committer and dates come from the job.
"""

import re
from dataclasses import dataclass, field

from dulwich.objects import Blob, Commit, ObjectID, ShaFile, Tree

from slipway_common.events import Generated, Job

NO_JEKYLL = ".nojekyll"
_IDENTITY = b"Slipway <noreply@slipway.invalid>"
_TREE_MODE = 0o040000
_EMPTY = b""


class UnsafePathError(ValueError):
    """A file's path cannot be committed; the message names it."""


@dataclass(frozen=True)
class NewCommit:
    """A commit that is not in the repository yet: `objects` is all that a repository lacks which has `parent`."""

    sha: str
    parent: str | None
    objects: tuple[tuple[ShaFile, bytes | None], ...] = field(repr=False)


@dataclass
class _Folder:
    files: dict[bytes, tuple[int, ObjectID]] = field(default_factory=dict)
    folders: dict[bytes, "_Folder"] = field(default_factory=dict)


def build_commit(event: Generated, parent: str | None) -> NewCommit:
    """The commit of the event's files and kept files on top of `parent`. Raises UnsafePathError."""
    root = _Folder()
    objects: list[tuple[ShaFile, bytes | None]] = []
    for kept in event.kept:
        _add(root, kept.path, int(kept.mode, 8), ObjectID(kept.sha.encode()))
    contents = {file.path: (file.data, int(file.mode, 8)) for file in event.files}
    if all(kept.path != NO_JEKYLL for kept in event.kept):
        contents.setdefault(NO_JEKYLL, (_EMPTY, 0o100644))
    for path, (data, mode) in contents.items():
        blob = Blob.from_string(data)
        objects.append((blob, path.encode()))
        _add(root, path, mode, blob.id)
    tree = _write(root, objects)
    commit = Commit()
    commit.tree = tree
    commit.parents = [ObjectID(parent.encode())] if parent else []
    commit.author = commit.committer = _IDENTITY
    commit.author_time = commit.commit_time = int(event.job.accepted_at.timestamp())
    commit.author_timezone = commit.commit_timezone = 0
    commit.encoding = b"UTF-8"
    commit.message = commit_message(event).encode()
    objects.append((commit, None))
    return NewCommit(commit.id.decode(), parent, tuple(objects))


def commit_message(event: Generated) -> str:
    """Subject from the brief's first line, then the trailers by which a job finds its commit."""
    first = next((line for line in event.request.brief.splitlines() if line.strip()), "")
    words = " ".join(re.sub(r"[\x00-\x1f\x7f]", " ", first).split())
    subject = words if len(words) <= 60 else words[:59].rstrip() + "…"
    verb = "Build" if event.job.round == 1 else "Revise"
    trailers = "".join(f"{key}: {value}\n" for key, value in trailers_of(event.job).items())
    return f"{verb} the app: {subject}\n\n{trailers}"


def trailers_of(job: Job) -> dict[str, str]:
    """The trailers of this job's commit."""
    return {"Job": job.id, "Replay": str(job.replay), "Round": str(job.round)}


def _add(root: _Folder, path: str, mode: int, sha: ObjectID) -> None:
    parts = path.split("/")
    unsafe = any(part in ("", ".", "..") or part.lower() == ".git" for part in parts)
    if unsafe or re.search(r"[\x00-\x1f\x7f\\]", path):
        raise UnsafePathError(f"{path!r} cannot be committed: not a plain relative path")
    folder = root
    for part in parts[:-1]:
        folder = folder.folders.setdefault(part.encode(), _Folder())
    folder.files[parts[-1].encode()] = mode, sha


def _write(folder: _Folder, objects: list[tuple[ShaFile, bytes | None]]) -> ObjectID:
    tree = Tree()
    for name, (mode, sha) in folder.files.items():
        if name in folder.folders:
            raise UnsafePathError(f"{name.decode()!r} is both a file and a folder")
        tree.add(name, mode, sha)
    for name, inner in folder.folders.items():
        tree.add(name, _TREE_MODE, _write(inner, objects))
    objects.append((tree, None))
    return tree.id
