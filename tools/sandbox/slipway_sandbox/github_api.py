"""What every REST answer of the imitated GitHub shares: who asks, the hour's budget, headers and errors."""

import time
import uuid
from collections.abc import Awaitable, Callable
from typing import TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict, ValidationError

from slipway_sandbox import github_shapes as shapes
from slipway_sandbox.access import Caller, caller_of
from slipway_sandbox.repositories import Repository
from slipway_sandbox.world import World

_DOCS = "https://docs.github.com/rest"
_HOUR = 3600
Route = Callable[[web.Request], Awaitable[web.Response]]
_B = TypeVar("_B", bound=BaseModel)


class RefusedError(Exception):
    """An error answer: status, message and GitHub's `errors`."""

    def __init__(self, status: int, message: str, errors: list[dict[str, str]] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = errors


class Body(BaseModel):
    """A request's JSON; what the sandbox does not heed is ignored."""

    model_config = ConfigDict(extra="ignore", strict=True)


class Front:
    """Wraps a route: counts the request, refuses bad tokens, writes errors and headers as GitHub does."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._window_ends = time.time() + _HOUR
        self._used = 0

    def guarded(self, handler: Route) -> Route:
        """The route as the outside sees it."""

        async def guarded(request: web.Request) -> web.Response:
            caller = caller_of(request, self._world)
            try:
                if request.path != "/api/rate_limit":
                    self._count()
                if caller.bad:
                    raise RefusedError(401, "Bad credentials")
                response = await handler(request)
            except RefusedError as refused:
                response = error(refused)
            response.headers.update(self._headers(caller))
            return response

        return guarded

    def _count(self) -> None:
        self._begin_hour()
        if self._used >= self._world.settings.rate_limit:
            raise RefusedError(403, "API rate limit exceeded for user ID 1.")
        self._used += 1

    def _begin_hour(self) -> None:
        now = time.time()
        if now >= self._window_ends:
            self._window_ends, self._used = now + _HOUR, 0

    def rate(self) -> dict[str, int | str]:
        """GitHub's `rate-limit`: what is left of the hour's budget; `reset` in Unix seconds."""
        self._begin_hour()
        limit = self._world.settings.rate_limit
        return {
            "limit": limit,
            "used": self._used,
            "remaining": max(0, limit - self._used),
            "reset": int(self._window_ends),
            "resource": "core",
        }

    def _headers(self, caller: Caller) -> dict[str, str]:
        headers = {f"X-RateLimit-{key.capitalize()}": str(value) for key, value in self.rate().items()}
        # Only classic tokens have scopes to tell of.
        if caller.login and caller.kind == "classic":
            headers["X-OAuth-Scopes"] = self._world.settings.scopes
        headers["X-GitHub-Media-Type"] = "github.v3; format=json"
        headers["X-GitHub-Request-Id"] = uuid.uuid4().hex[:16].upper()
        return headers

    def login(self, request: web.Request) -> str:
        """Whose token came with the request; refuses one without."""
        login = caller_of(request, self._world).login
        if login is None:
            raise RefusedError(401, "Requires authentication")
        return login

    def user(self, request: web.Request) -> str:
        """The same for a route that only users may ask: an installation of an app is none."""
        login = self.login(request)
        if caller_of(request, self._world).kind == "installation":
            raise RefusedError(403, "Resource not accessible by integration")
        return login

    def repository(self, request: web.Request) -> Repository:
        """The repository of the route; refuses one that is missing or hidden from the caller."""
        found = self._world.repositories.find(request.match_info["owner"], request.match_info["name"])
        if found is None or (found.private and caller_of(request, self._world).login is None):
            raise RefusedError(404, "Not Found")
        return found

    def to_write(self, request: web.Request) -> Repository:
        """The same for a route that changes something."""
        if caller_of(request, self._world).login is None:
            # GitHub hides from strangers what they may not do.
            raise RefusedError(404, "Not Found")
        return self.repository(request)


def name_taken() -> RefusedError:
    """What a POST of a name that the account already has gets."""
    problem = "name already exists on this account"
    errors = [{"resource": "Repository", "code": "custom", "field": "name", "message": problem}]
    return RefusedError(422, "Repository creation failed.", errors)


def error(refused: RefusedError) -> web.Response:
    """GitHub's error object."""
    body: shapes.Json = {"message": refused.message, "documentation_url": _DOCS, "status": str(refused.status)}
    if refused.errors:
        body["errors"] = refused.errors
    return web.json_response(body, status=refused.status)


def host_of(request: web.Request) -> shapes.Host:
    """The address under which the sandbox was asked."""
    return shapes.Host(f"{request.scheme}://{request.host}")


async def read(request: web.Request, model: type[_B]) -> _B:
    """The request's body; refuses what is not JSON (400) or not of the model's shape (422)."""
    try:
        return model.model_validate_json(await request.read() or b"{}")
    except ValidationError as invalid:
        first = invalid.errors()[0]
        if first["type"] == "json_invalid":
            raise RefusedError(400, "Problems parsing JSON") from None
        field = "/".join(map(str, first["loc"]))
        if first["type"] == "missing":
            raise RefusedError(422, f'Invalid request.\n\n"{field}" wasn\'t supplied.') from None
        raise RefusedError(422, f"Invalid request.\n\nFor '{field}': {first['msg']}.") from None
