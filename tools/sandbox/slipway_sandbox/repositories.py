"""The repositories of the imitated GitHub: bare git repositories on disk, each with its record beside its objects."""

import asyncio
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Literal

from pydantic import BaseModel

from slipway_sandbox.objects import git_environment

_RECORD = "sandbox.json"
_CONFIG = {
    "http.receivepack": "true",
    "uploadpack.allowFilter": "true",
    "uploadpack.allowAnySHA1InWant": "true",
    "receive.autogc": "false",  # a collection in the background would outlive the sandbox
    "gc.auto": "0",
}


BuildType = Literal["legacy", "workflow"]
SourcePath = Literal["/", "/docs"]


class BuildRecord(BaseModel):
    """One Pages build, with the settings under which it was queued.

    Times are Unix seconds; `ready_at` None = it never ends.
    """

    id: int
    commit: str
    build_type: BuildType
    path: SourcePath
    queued_at: float
    ready_at: float | None
    error: str | None = None

    def status(self, at: float) -> Literal["building", "built", "errored"]:
        if self.ready_at is None or self.ready_at > at:
            return "building"
        return "built" if self.error is None else "errored"


class PagesSite(BaseModel):
    """The Pages settings of a repository and its builds, oldest first."""

    build_type: BuildType = "legacy"
    branch: str = "main"
    path: SourcePath = "/"
    builds: list[BuildRecord] = []


class Repository(BaseModel):
    """One repository; times are Unix seconds."""

    id: int
    owner: str
    organization: bool
    name: str
    description: str | None = None
    homepage: str | None = None
    private: bool = False
    archived: bool = False
    default_branch: str = "main"
    created_at: float
    updated_at: float
    pushed_at: float
    pages: PagesSite | None = None

    @property
    def full_name(self) -> str:
        return f"{self.owner}/{self.name}"


class NameTakenError(ValueError):
    """The owner has a repository of that name."""


def canonical(name: str) -> str:
    """The name that GitHub gives a repository: everything but letters, digits, `.`, `-`, `_` becomes `-`."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name)


class Repositories:
    """All repositories below one folder; they are found again when the sandbox starts on the same folder."""

    def __init__(self, folder: Path) -> None:
        """Blocking; for the start of the process."""
        self._folder = folder / "repositories"
        self._folder.mkdir(parents=True, exist_ok=True)
        self._template = folder / "template.git"
        if not self._template.exists():
            _make_template(self._template)
        self._known: dict[tuple[str, str], Repository] = {}
        for record in self._folder.glob(f"*/*.git/{_RECORD}"):
            repository = Repository.model_validate_json(record.read_bytes())
            self._known[_key(repository.owner, repository.name)] = repository
        self._ids = count(max((r.id for r in self._known.values()), default=1000) + 1)
        self._build_ids = count(int(time.time()))

    def __iter__(self) -> Iterator[Repository]:
        return iter(list(self._known.values()))

    def find(self, owner: str, name: str) -> Repository | None:
        """Names are compared without case, and `.git` at the end is not part of one, as on GitHub."""
        return self._known.get(_key(owner, name.removesuffix(".git")))

    def bare(self, repository: Repository) -> Path:
        """Its folder on disk."""
        owner, name = _key(repository.owner, repository.name)
        return self._folder / owner / f"{name}.git"

    async def create(
        self, owner: str, name: str, *, organization: bool, description: str | None, homepage: str | None, private: bool
    ) -> Repository:
        """Make an empty repository; raises NameTakenError."""
        key = _key(owner, name)
        if key in self._known:
            raise NameTakenError(name)
        at = time.time()
        repository = Repository(
            id=next(self._ids), owner=owner, organization=organization, name=name, description=description,
            homepage=homepage, private=private, created_at=at, updated_at=at, pushed_at=at,
        )  # fmt: skip
        self._known[key] = repository  # at once, so that two requests at the same time cannot both have the name
        bare = self.bare(repository)

        def write() -> None:
            shutil.rmtree(bare, ignore_errors=True)
            shutil.copytree(self._template, bare)
            (bare / _RECORD).write_text(repository.model_dump_json(), "utf-8")

        try:
            await asyncio.to_thread(write)
        except BaseException:
            del self._known[key]
            raise
        return repository

    async def save(self, repository: Repository) -> None:
        """Write the record of a changed repository."""
        record = self.bare(repository) / _RECORD
        text = repository.model_dump_json()

        def write() -> None:
            part = record.with_suffix(f".{time.monotonic_ns()}.part")
            part.write_text(text, "utf-8")
            part.replace(record)

        await asyncio.to_thread(write)

    async def delete(self, repository: Repository) -> None:
        """Remove it with everything in it."""
        self._known.pop(_key(repository.owner, repository.name), None)
        await asyncio.to_thread(shutil.rmtree, self.bare(repository), ignore_errors=True)

    def next_build_id(self) -> int:
        return next(self._build_ids)


def _key(owner: str, name: str) -> tuple[str, str]:
    return owner.lower(), name.lower()


def _make_template(bare: Path) -> None:
    part = bare.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    environment = git_environment()
    init = ["git", "init", "--quiet", "--bare", "--template=", "--initial-branch=main", str(part)]
    subprocess.run(init, env=environment, check=True, capture_output=True)
    for key, value in _CONFIG.items():
        subprocess.run(
            ["git", f"--git-dir={part}", "config", key, value], env=environment, check=True, capture_output=True
        )
    part.rename(bare)
