"""Making the repository, or making sure that the one which is there is ours."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from slipway_common.events import Generated
from slipway_common.naming import is_ours
from slipway_common.stage import Reject, Retry
from slipway_deployer.errors import ConflictError, NameTakenError, NotThereError
from slipway_deployer.project import Project
from slipway_deployer.tools import Tools

SETTLING_PAUSES_S = (0.2, 0.5, 1.0, 2.0, 3.0)
"""A new repository answers 404 or 409 for some seconds."""

T = TypeVar("T")


@dataclass(frozen=True)
class Claim:
    """The repository is ours; `new`: it was made just now."""

    new: bool
    has_pages: bool


async def create_or_claim(project: Project, event: Generated, tools: Tools) -> Claim:
    """Make the repository; where the name is taken, it may be by us: an earlier attempt, an earlier round 1.

    Raises ForgeError, Reject.
    """
    try:
        await tools.github.create_repository(project.name, project.description, project.pages_url)
    except NameTakenError:
        return await claim(project, event, tools)
    return Claim(new=True, has_pages=False)


async def claim(project: Project, event: Generated, tools: Tools) -> Claim:
    """See whether the repository that is there has our mark. Raises ForgeError, Reject, Retry."""
    found = await tools.github.repository(project.name)
    if found is None:
        raise Retry(f"{project.repo_url} is said to exist and is not there")
    if not is_ours(found.description, event.job.email, event.job.task):
        raise Reject(f"{project.repo_url} was not made by Slipway; rename or delete it, then replay the job")
    if found.archived:
        raise Reject(f"{project.repo_url} is archived; unarchive it, then replay the job")
    return Claim(new=False, has_pages=found.has_pages)


async def settled(call: Callable[[], Awaitable[T]]) -> T:
    """Call again while what was only just made is not seen yet. Raises what the last call raises."""
    for pause in SETTLING_PAUSES_S:
        try:
            return await call()
        except (NotThereError, ConflictError):
            await asyncio.sleep(pause)
    return await call()
