"""GitHub's REST interface to accounts: whose a token is, what it sees, which organisations it is a member of."""

from aiohttp import web

from slipway_sandbox import github_shapes as shapes
from slipway_sandbox.github_api import Front, RefusedError, Route, host_of
from slipway_sandbox.world import World


class GitHubAccounts:
    """The routes below /api that are about a token and its owner."""

    def __init__(self, world: World, front: Front) -> None:
        self._world = world
        self._front = front

    def routes(self) -> list[web.RouteDef]:
        table: list[tuple[str, Route]] = [
            ("/api/user", self.user),
            ("/api/user/repos", self.repositories),
            ("/api/user/memberships/orgs/{login}", self.membership),
            ("/api/users/{login}", self.account),
            ("/api/rate_limit", self.rate_limit),
            ("/api/repos/{owner}/{name}/actions/permissions", self.actions_permissions),
        ]
        return [web.get(path, self._front.guarded(handler)) for path, handler in table]

    async def user(self, request: web.Request) -> web.Response:
        login = self._front.user(request)
        return web.json_response(shapes.public_user(host_of(request), login, self._owned(login)))

    async def repositories(self, request: web.Request) -> web.Response:
        """The first page of those that the caller sees, the newest first."""
        self._front.user(request)
        seen = sorted(self._world.repositories, key=lambda repository: -repository.pushed_at)
        host = host_of(request)
        per_page = int(request.query.get("per_page", "30"))
        return web.json_response([shapes.repository(host, repository) for repository in seen[:per_page]])

    async def membership(self, request: web.Request) -> web.Response:
        """The sandbox's user owns its organisations."""
        login, organization = self._front.user(request), request.match_info["login"]
        if organization.lower() not in (known.lower() for known in self._world.settings.organizations):
            raise RefusedError(404, "Not Found")
        return web.json_response(shapes.membership(host_of(request), login, organization))

    async def account(self, request: web.Request) -> web.Response:
        login = request.match_info["login"]
        settings = self._world.settings
        if login.lower() not in (known.lower() for known in (settings.owner, *settings.organizations)):
            raise RefusedError(404, "Not Found")
        organization = login.lower() != settings.owner.lower()
        shown = shapes.public_user(host_of(request), login, self._owned(login), organization=organization)
        return web.json_response(shown)

    async def rate_limit(self, request: web.Request) -> web.Response:
        rate = self._front.rate()
        return web.json_response({"resources": {"core": rate, "search": rate}, "rate": rate})

    async def actions_permissions(self, request: web.Request) -> web.Response:
        """Only who may administer a repository may see it."""
        self._front.to_write(request)
        return web.json_response({"enabled": True, "allowed_actions": "all"})

    def _owned(self, login: str) -> int:
        return sum(repository.owner == login for repository in self._world.repositories)
