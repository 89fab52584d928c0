"""The Pages site of a repository: who builds it, and mending it while its new bytes do not appear."""

import re
from collections.abc import Mapping, Sequence

import structlog

from slipway_common.events import Generated
from slipway_common.git_http import GitError
from slipway_common.repository import read_app
from slipway_deployer.errors import ForgeError
from slipway_deployer.github import BuildType, GitHub
from slipway_deployer.pages import Miss, witnesses
from slipway_deployer.project import Project

log = structlog.get_logger()

FIRST_INSPECTION = 4
INSPECT_EVERY = 4
_WORKFLOW = re.compile(r"\.github/workflows/[^/]+\.ya?ml")


def build_type_of(paths: Sequence[str]) -> BuildType:
    """A repository with a workflow is published by it, every other one from `main` as it stands."""
    return "workflow" if any(_WORKFLOW.fullmatch(path) for path in paths) else "legacy"


def wanted_build_type(event: Generated) -> BuildType:
    return build_type_of([file.path for file in event.files] + [file.path for file in event.kept])


def brings_workflow(event: Generated) -> bool:
    """Whether a workflow is among the new or changed files, so that an existing site may have to be switched."""
    return build_type_of([file.path for file in event.files]) == "workflow"


class SiteDoctor:
    """Looks for the reason when the page does not show what was pushed, and mends what can be mended, each once.

    It is called after every look in vain (pages.OnMiss). Nothing is asked of GitHub before the page has had time.
    """

    def __init__(self, github: GitHub, project: Project, commit: str, build_type: BuildType) -> None:
        self.finding = ""
        self._github = github
        self._project = project
        self._commit = commit
        self._build_type = build_type
        self._made = False
        self._switched = False
        self._rebuilt = False

    async def on_miss(self, miss: Miss) -> Mapping[str, bytes] | None:
        try:
            if miss.site_missing and not self._made:
                # ours may have been killed between the push and this
                self._made = True
                await self._github.create_pages(self._project.name, self._build_type)
            elif miss.tries >= FIRST_INSPECTION and (miss.tries - FIRST_INSPECTION) % INSPECT_EVERY == 0:
                await self._inspect()
                return await self._overtaken_by()
        except (ForgeError, GitError) as error:
            self.finding = str(error)
            log.warning("the site cannot be inspected", reason=str(error))
        return None

    async def _inspect(self) -> None:
        name = self._project.name
        site = await self._github.pages(name)
        if site is None:
            await self._github.create_pages(name, self._build_type)
        elif site.build_type not in (None, self._build_type) and not self._switched:
            self._switched = True
            await self._github.switch_pages(name, self._build_type)
            if self._build_type == "legacy":
                await self._github.request_build(name)
        elif site.status == "errored":
            self.finding = f"the Pages build failed: {await self._github.build_error(name)}"
            log.warning("pages build failed", reason=self.finding)
            if not self._rebuilt:
                self._rebuilt = True
                await self._github.request_build(name)
        else:
            self.finding = f"the Pages site is {site.status}" if site.status not in (None, "built") else ""

    async def _overtaken_by(self) -> Mapping[str, bytes] | None:
        """What to look for instead, when a later commit is on the branch: the page shows that one."""
        project = self._project
        app = await read_app(project.git_url, project.owner, project.name)
        if app is None or app.commit == self._commit:
            return None
        return witnesses({path: file.data for path, file in app.files.items()})
