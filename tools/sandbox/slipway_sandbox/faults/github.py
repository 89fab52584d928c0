"""Faults of GitHub's REST interface and git server, as its documentation and users' reports describe them."""

import time
from typing import Literal

from aiohttp import web
from pydantic import Field

from slipway_sandbox.faults.board import Call, Options, request_fault
from slipway_sandbox.github import NewRepository
from slipway_sandbox.github_api import RefusedError, error, name_taken
from slipway_sandbox.repositories import NameTakenError, canonical

_SECONDARY = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."


class Secondary(Options):
    """`retry_after` in seconds, None = the answer does not say."""

    status: Literal[403, 429] = 403
    retry_after: int | None = 60


class Primary(Options):
    """`reset_s`: seconds until the hour's budget is new."""

    status: Literal[403, 429] = 403
    reset_s: int = 60


class Delayed(Options):
    """`seconds` after its creation during which a repository is not seen; None = until `times` is used up."""

    seconds: float | None = Field(default=None, ge=0)
    status: Literal[404, 409] = 404


class Taken(Options):
    """What the repository that is in the way says of itself."""

    description: str | None = "Somebody's own project"


@request_fault("secondary_rate_limit", "github", options=Secondary)
async def secondary_rate_limit(call: Call, options: Secondary) -> web.StreamResponse:
    answer = error(RefusedError(options.status, _SECONDARY))
    if options.retry_after is not None:
        answer.headers["Retry-After"] = str(options.retry_after)
    return answer


@request_fault("primary_rate_limit", "github", options=Primary)
async def primary_rate_limit(call: Call, options: Primary) -> web.StreamResponse:
    answer = error(RefusedError(options.status, "API rate limit exceeded for user ID 1."))
    limit = call.world.settings.rate_limit
    answer.headers.update(
        {
            "X-RateLimit-Limit": str(limit),
            "X-RateLimit-Used": str(limit),
            "X-RateLimit-Remaining": "0",
            "X-RateLimit-Reset": str(int(time.time()) + options.reset_s),
            "X-RateLimit-Resource": "core",
        }
    )
    return answer


@request_fault("delayed_visibility", "github", "git", options=Delayed)
async def delayed_visibility(call: Call, options: Delayed) -> web.StreamResponse | None:
    """A repository that was just made is not there yet, for REST or for git."""
    parts = call.request.path.removeprefix("/api/repos/").removeprefix("/git/").split("/")
    repository = call.world.repositories.find(parts[0], parts[1]) if len(parts) > 1 else None
    if repository is None:
        return None
    if options.seconds is not None and time.time() - repository.created_at > options.seconds:
        return None
    if call.request.path.startswith("/git/"):
        return web.Response(status=options.status, text="Repository not found.\n")
    return error(RefusedError(options.status, "Not Found" if options.status == 404 else "Git Repository is empty."))


def _creates(request: web.Request) -> bool:
    return request.method == "POST" and request.path.endswith("/repos")


@request_fault("name_taken", "github", options=Taken, when=_creates)
async def name_taken_by_another(call: Call, options: Taken) -> web.StreamResponse | None:
    """A POST of a new repository finds one of that name that Slipway did not make."""
    request = call.request
    asked = NewRepository.model_validate_json(await request.read())
    organization = request.path.startswith("/api/orgs/")
    owner = request.path.split("/")[3] if organization else call.world.settings.owner
    try:
        await call.world.repositories.create(
            owner, canonical(asked.name), organization=organization, description=options.description,
            homepage=None, private=False,
        )  # fmt: skip
    except NameTakenError:
        return None
    return error(name_taken())
