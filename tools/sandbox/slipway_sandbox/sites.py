"""Pages sites: when a build starts, when it is done, and which files the site then has."""

import re
import time
from pathlib import Path
from typing import TypeVar

from slipway_sandbox.faults.board import Board, Build
from slipway_sandbox.objects import Entry, blob, entries, head_of
from slipway_sandbox.repositories import BuildRecord, BuildType, PagesSite, Repositories, Repository, SourcePath
from slipway_sandbox.settings import Settings

_WORKFLOW = re.compile(r"\.github/workflows/[^/]+\.ya?ml")
_ARTIFACT = re.compile(r"uses:\s*actions/upload-pages-artifact@.*?(?=\n\s*-\s|\Z)", re.DOTALL)
_ARTIFACT_PATH = re.compile(r"""\bpath:\s*["']?(?P<path>[^"'\s#]+)""")
_V = TypeVar("_V")
_KEPT_FILES = 2_000
_KEPT_FILE_BYTES = 1_000_000


class Sites:
    """Builds sites from commits. A site shows the newest commit whose build is done."""

    def __init__(self, repositories: Repositories, faults: Board, settings: Settings) -> None:
        self._repositories = repositories
        self._faults = faults
        self._settings = settings
        self._trees: dict[tuple[int, str], dict[str, Entry]] = {}
        self._blobs: dict[tuple[int, str], bytes] = {}

    def _bare(self, repository: Repository) -> Path:
        return self._repositories.bare(repository)

    async def enable(
        self,
        repository: Repository,
        build_type: BuildType,
        branch: str,
        path: SourcePath,
    ) -> None:
        """Make the site and build what the branch holds now."""
        repository.pages = PagesSite(build_type=build_type, branch=branch, path=path)
        await self.queue(repository)

    async def pushed(self, repository: Repository) -> None:
        """Build after a push when the site's branch moved."""
        site = repository.pages
        if site is None:
            return
        head = await head_of(self._bare(repository), site.branch)
        if head is not None and (not site.builds or site.builds[-1].commit != head):
            await self.queue(repository)

    async def queue(self, repository: Repository) -> BuildRecord | None:
        """Queue a build of the branch as it is now; None when the branch does not exist."""
        site = repository.pages
        head = await head_of(self._bare(repository), site.branch) if site else None
        if site is None or head is None:
            return None
        build = Build(delay_s=self._settings.pages_build_s)
        self._faults.build(f"/pages/{repository.full_name}/", build)
        at = time.time()
        record = BuildRecord(
            id=self._repositories.next_build_id(),
            commit=head,
            build_type=site.build_type,
            path=site.path,
            queued_at=at,
            ready_at=None if build.delay_s is None else at + build.delay_s,
            error=build.error,
        )
        site.builds.append(record)
        await self._repositories.save(repository)
        return record

    def published(self, repository: Repository) -> BuildRecord | None:
        """The build that the public URL shows now."""
        at = time.time()
        builds = repository.pages.builds if repository.pages else []
        return next((build for build in reversed(builds) if build.status(at) == "built"), None)

    async def file(self, repository: Repository, path: str) -> bytes | None:
        """Bytes of a published file, None when the site does not have it (or nothing is published)."""
        build = self.published(repository)
        if build is None:
            return None
        entry = (await self._tree(repository, build)).get(path)
        if entry is None or entry.kind != "blob":
            return None
        key = repository.id, entry.sha
        content = self._blobs.get(key)
        if content is None:
            content = await blob(self._bare(repository), entry.sha)
            if len(content) <= _KEPT_FILE_BYTES:
                _keep(self._blobs, key, content)
        return content

    async def _tree(self, repository: Repository, build: BuildRecord) -> dict[str, Entry]:
        """The site's files by their public path."""
        key = repository.id, f"{build.build_type} {build.path} {build.commit}"
        tree = self._trees.get(key)
        if tree is None:
            every = await entries(self._bare(repository), build.commit)
            if build.build_type == "workflow":
                tree = await self._artifact(repository, every)
            else:
                tree = _below(every, build.path.strip("/"))
                if ".nojekyll" not in tree:
                    tree = {p: e for p, e in tree.items() if not _left_out_by_jekyll(p)}
            _keep(self._trees, key, tree)
        return tree

    async def _artifact(self, repository: Repository, every: dict[str, Entry]) -> dict[str, Entry]:
        """What a workflow would publish, as far as it can be known without running it.

        That is the committed folder which its `actions/upload-pages-artifact` step names (default `_site`). A folder
        that only the workflow's own steps would make does not exist here, so such a site stays empty.
        """
        for path, entry in sorted(every.items()):
            if _WORKFLOW.fullmatch(path):
                text = (await blob(self._bare(repository), entry.sha)).decode("utf-8", "replace")
                if step := _ARTIFACT.search(text):
                    named = _ARTIFACT_PATH.search(step.group())
                    folder = named["path"] if named else "_site"
                    return _below(every, folder.removeprefix("./").strip("/").removeprefix("."))
        return {}


def _below(every: dict[str, Entry], folder: str) -> dict[str, Entry]:
    if not folder:
        return every
    return {path.removeprefix(folder + "/"): entry for path, entry in every.items() if path.startswith(folder + "/")}


def _left_out_by_jekyll(path: str) -> bool:
    return any(part.startswith(("_", ".")) for part in path.split("/"))


def _keep(kept: dict[tuple[int, str], _V], key: tuple[int, str], value: _V) -> None:
    """Remember a value and forget the oldest ones."""
    kept[key] = value
    while len(kept) > _KEPT_FILES:
        del kept[next(iter(kept))]
