"""The stage: one commit on `main`, one Pages site, and the wait until the world sees the new bytes.

Requests, when nothing goes wrong: a new project POST repository, GET info/refs, POST git-receive-pack, POST pages;
a revision the two in the middle; an event that comes again one info/refs. Looks at the public page are not GitHub
requests, and one GET user a process tells whether the owner is a user or an organisation. Whatever became of an
earlier attempt, doing it again leads to the same one commit.
"""

from dataclasses import replace
from datetime import UTC, datetime

import structlog

from slipway_common.delivery import came_before
from slipway_common.events import Deployed, Generated, Received
from slipway_common.git_http import GitError
from slipway_common.stage import Reject, Retry
from slipway_deployer.claim import Claim, claim, create_or_claim, settled
from slipway_deployer.commit import UnsafePathError, commit_message
from slipway_deployer.errors import ForgeError, NotThereError, outcome_of
from slipway_deployer.place import Placed, builds_on_ours, find_placed, place
from slipway_deployer.project import Project, project_of
from slipway_deployer.site import SiteDoctor, brings_workflow, wanted_build_type
from slipway_deployer.tools import Tools

log = structlog.get_logger()

SHIPPING_MARGIN_S = 20.0


async def deploy(event: Generated, tools: Tools) -> Deployed | Received:
    """Commit, push, publish. A Received is the job given back because the branch moved since its app was made."""
    found = await tools.pack(
        lambda: tools.scan.run({file.path: file.data for file in event.files}, commit_message(event))
    )
    if found:
        raise Reject("credentials must not be published: " + "; ".join(map(str, found)))
    project = project_of(event.job, tools.settings)
    try:
        placed, fresh = await _place(event, project, tools)
        if isinstance(placed, Received):
            log.info("handed back, the branch moved", hand_backs=placed.hand_backs)
            return placed
        return await _publish(event, project, placed, fresh, tools)
    except (ForgeError, GitError) as error:
        raise outcome_of(error) from None
    except UnsafePathError as error:
        raise Reject(str(error)) from None


async def check_forge(tools: Tools) -> None:
    """The probe while paused: raises while the token is refused."""
    await tools.github.check_token()


async def _place(event: Generated, project: Project, tools: Tools) -> tuple[Placed | Received, bool]:
    """The job's commit on the branch, and whether the repository has no Pages site yet."""
    claimed: Claim | None = None
    if event.base_commit is None:
        if came_before() and (placed := await find_placed(event, project, tools)):
            return placed, False
        claimed = await create_or_claim(project, event, tools)
    elif not builds_on_ours(event):
        claimed = await claim(project, event, tools)
    if brings_workflow(event) and (claimed is None or claimed.has_pages):
        # before the push: what the push starts must find the site switched
        await _switch_to_workflow(project, tools)
    placed_or_back = await place(event, project, claimed, tools)
    return placed_or_back, claimed is not None and not claimed.has_pages


async def _publish(event: Generated, project: Project, placed: Placed, fresh: bool, tools: Tools) -> Deployed:
    build_type = wanted_build_type(event)
    if fresh:
        await settled(lambda: tools.github.create_pages(project.name, build_type))
    if not project.pages_url:
        project = await _ask_pages_url(project, tools)
    doctor = SiteDoctor(tools.github, project, placed.commit, build_type)
    patience = _patience(event, tools.settings.pages_wait_s)
    reason = await tools.site.wait(project.pages_url, placed.expected, patience, doctor.on_miss)
    not_live = f"{reason}; {doctor.finding}" if reason and doctor.finding else reason
    log.info("deployed", commit=placed.commit, live=not not_live, not_live=not_live)
    return Deployed(
        job=event.job,
        at=datetime.now(UTC),
        repo_url=project.repo_url,
        commit_sha=placed.commit,
        pages_url=project.pages_url,
        live=not not_live,
        not_live=not_live,
    )


async def _switch_to_workflow(project: Project, tools: Tools) -> None:
    try:
        await tools.github.switch_pages(project.name, "workflow")
    except NotThereError:
        return  # no site yet: it is made with the right source after the push


async def _ask_pages_url(project: Project, tools: Tools) -> Project:
    site = await tools.github.pages(project.name)
    if site is None or not site.html_url:
        raise Retry(f"{project.repo_url}: GitHub does not tell the address of its Pages site")
    return replace(project, pages_url=site.html_url.rstrip("/") + "/")


def _patience(event: Generated, longest_s: float) -> float:
    """How long to wait for the page: the stage's own budget, less where the job is due before; late jobs get it all."""
    left = (event.job.due_at - datetime.now(UTC)).total_seconds() - SHIPPING_MARGIN_S
    return longest_s if left <= 0 else min(longest_s, max(left, SHIPPING_MARGIN_S))
