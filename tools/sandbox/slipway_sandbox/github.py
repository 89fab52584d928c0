"""GitHub's REST interface, as far as repositories and Pages need it."""

import re
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict, ValidationError

from slipway_sandbox import github_shapes as shapes
from slipway_sandbox.access import Caller, caller_of
from slipway_sandbox.objects import blob, commit, entries, resolve
from slipway_sandbox.repositories import BuildType, NameTakenError, PagesSite, Repository, SourcePath, canonical
from slipway_sandbox.world import World

_DOCS = "https://docs.github.com/rest"
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_HOUR = 3600
_B = TypeVar("_B", bound=BaseModel)


class RefusedError(Exception):
    """An error answer: status, message and GitHub's `errors`."""

    def __init__(self, status: int, message: str, errors: list[dict[str, str]] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = errors


class _Body(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)


class NewRepository(_Body):
    """Body of POST /user/repos and /orgs/{org}/repos."""

    name: str
    description: str | None = None
    homepage: str | None = None
    private: bool = False
    auto_init: bool = False
    license_template: str | None = None
    gitignore_template: str | None = None


class ChangedRepository(_Body):
    """Body of PATCH /repos/{owner}/{repo}."""

    name: str | None = None
    description: str | None = None
    homepage: str | None = None
    private: bool | None = None
    archived: bool | None = None
    default_branch: str | None = None


class Source(_Body):
    """Which folder of which branch is published."""

    branch: str
    path: SourcePath = "/"


class PagesSettings(_Body):
    """Body of POST and PUT /repos/{owner}/{repo}/pages."""

    build_type: BuildType | None = None
    source: Source | None = None


def _refuse_description(description: str | None) -> None:
    """GitHub takes at most 350 characters and no control characters."""
    problem = None
    if description is not None and len(description) > 350:
        problem = "description cannot be more than 350 characters"
    elif description is not None and _CONTROL.search(description):
        problem = "description control characters are not allowed"
    if problem:
        errors = [{"resource": "Repository", "code": "custom", "field": "description", "message": problem}]
        raise RefusedError(422, "Validation Failed", errors)


class GitHub:
    """The routes below /api. Errors are GitHub's: `message`, `documentation_url`, `status` and, for 422, `errors`."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._window_ends = time.time() + _HOUR
        self._used = 0

    def routes(self) -> list[web.RouteDef]:
        repo = "/api/repos/{owner}/{name}"
        table: list[tuple[str, str, Callable[[web.Request], Awaitable[web.Response]]]] = [
            ("GET", "/api/user", self.user),
            ("GET", "/api/users/{login}", self.account),
            ("GET", "/api/rate_limit", self.rate_limit),
            ("POST", "/api/user/repos", self.create_own),
            ("POST", "/api/orgs/{login}/repos", self.create_for_organization),
            ("GET", repo, self.show),
            ("PATCH", repo, self.change),
            ("DELETE", repo, self.delete),
            ("GET", repo + "/pages", self.show_pages),
            ("POST", repo + "/pages", self.enable_pages),
            ("PUT", repo + "/pages", self.change_pages),
            ("GET", repo + "/pages/builds", self.list_builds),
            ("POST", repo + "/pages/builds", self.request_build),
            ("GET", repo + "/pages/builds/latest", self.latest_build),
            ("GET", repo + "/commits/{ref:.+}", self.show_commit),
            ("GET", repo + "/contents/{path:.*}", self.show_contents),
            ("*", "/api/{tail:.*}", self.unknown),
        ]
        return [web.route(method, path, self._guarded(handler)) for method, path, handler in table]

    def _guarded(
        self, handler: Callable[[web.Request], Awaitable[web.Response]]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
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
        now = time.time()
        if now >= self._window_ends:
            self._window_ends, self._used = now + _HOUR, 0
        if self._used >= self._world.settings.rate_limit:
            raise RefusedError(403, "API rate limit exceeded for user ID 1.")
        self._used += 1

    def _rate(self) -> dict[str, int | str]:
        limit = self._world.settings.rate_limit
        return {
            "limit": limit, "used": self._used, "remaining": limit - self._used, "reset": int(self._window_ends),
            "resource": "core",
        }  # fmt: skip

    def _headers(self, caller: Caller) -> dict[str, str]:
        rate = {f"X-RateLimit-{key.capitalize()}": str(value) for key, value in self._rate().items()}
        # Only classic tokens have scopes to tell of.
        scopes = {"X-OAuth-Scopes": "repo, workflow"} if caller.login and caller.kind == "classic" else {}
        return (
            rate
            | scopes
            | {
                "X-GitHub-Media-Type": "github.v3; format=json",
                "X-GitHub-Request-Id": uuid.uuid4().hex[:16].upper(),
            }
        )

    def _caller(self, request: web.Request) -> str:
        login = caller_of(request, self._world).login
        if login is None:
            raise RefusedError(401, "Requires authentication")
        return login

    def _repository(self, request: web.Request) -> Repository:
        found = self._world.repositories.find(request.match_info["owner"], request.match_info["name"])
        if found is None or (found.private and caller_of(request, self._world).login is None):
            raise RefusedError(404, "Not Found")
        return found

    def _to_write(self, request: web.Request) -> Repository:
        if caller_of(request, self._world).login is None:
            # GitHub hides from strangers what they may not do.
            raise RefusedError(404, "Not Found")
        return self._repository(request)

    async def unknown(self, request: web.Request) -> web.Response:
        raise RefusedError(404, "Not Found")

    async def user(self, request: web.Request) -> web.Response:
        login = self._caller(request)
        owned = sum(repository.owner == login for repository in self._world.repositories)
        return web.json_response(shapes.authenticated_user(_host(request), login, owned))

    async def account(self, request: web.Request) -> web.Response:
        login = request.match_info["login"]
        settings = self._world.settings
        if login.lower() not in (known.lower() for known in (settings.owner, *settings.organizations)):
            raise RefusedError(404, "Not Found")
        organization = login.lower() != settings.owner.lower()
        return web.json_response(shapes.account(_host(request), login, organization=organization))

    async def rate_limit(self, request: web.Request) -> web.Response:
        rate = self._rate()
        return web.json_response({"resources": {"core": rate, "search": rate}, "rate": rate})

    async def create_own(self, request: web.Request) -> web.Response:
        login = self._caller(request)
        if caller_of(request, self._world).kind == "installation":
            raise RefusedError(403, "Resource not accessible by integration")
        return await self._create(request, login, organization=False)

    async def create_for_organization(self, request: web.Request) -> web.Response:
        self._caller(request)
        login = request.match_info["login"]
        if login.lower() not in (known.lower() for known in self._world.settings.organizations):
            raise RefusedError(404, "Not Found")
        return await self._create(request, login, organization=True)

    async def _create(self, request: web.Request, owner: str, *, organization: bool) -> web.Response:
        asked = await _read(request, NewRepository)
        _refuse_description(asked.description)
        if not asked.name.strip() or len(canonical(asked.name)) > 100:
            problem = "name is too long (maximum is 100 characters)" if asked.name.strip() else "name can't be blank"
            errors = [{"resource": "Repository", "code": "custom", "field": "name", "message": problem}]
            raise RefusedError(422, "Repository creation failed.", errors)
        if asked.auto_init or asked.license_template or asked.gitignore_template:
            raise RefusedError(422, "The sandbox makes empty repositories only: no auto_init, no templates.")
        try:
            made = await self._world.repositories.create(
                owner, canonical(asked.name), organization=organization, description=asked.description,
                homepage=asked.homepage, private=asked.private,
            )  # fmt: skip
        except NameTakenError:
            raise name_taken() from None
        host = _host(request)
        headers = {"Location": host.repository(made)}
        return web.json_response(shapes.repository(host, made), status=201, headers=headers)

    async def show(self, request: web.Request) -> web.Response:
        return web.json_response(shapes.repository(_host(request), self._repository(request)))

    async def change(self, request: web.Request) -> web.Response:
        repository = self._to_write(request)
        asked = await _read(request, ChangedRepository)
        _refuse_description(asked.description)
        if asked.name is not None and asked.name.lower() != repository.name.lower():
            raise RefusedError(422, "The sandbox does not rename repositories.")
        for name in asked.model_fields_set - {"name"}:
            setattr(repository, name, getattr(asked, name))
        repository.updated_at = time.time()
        await self._world.repositories.save(repository)
        return web.json_response(shapes.repository(_host(request), repository))

    async def delete(self, request: web.Request) -> web.Response:
        await self._world.repositories.delete(self._to_write(request))
        return web.Response(status=204)

    def _site(self, repository: Repository) -> PagesSite:
        if repository.pages is None:
            raise RefusedError(404, "Not Found")
        return repository.pages

    async def show_pages(self, request: web.Request) -> web.Response:
        repository = self._repository(request)
        site = self._site(repository)
        return web.json_response(shapes.pages(_host(request), repository, site, time.time()))

    async def enable_pages(self, request: web.Request) -> web.Response:
        repository = self._to_write(request)
        asked = await _read(request, PagesSettings)
        if repository.pages is not None:
            raise RefusedError(409, "GitHub Pages is already enabled.")
        build_type = asked.build_type or "legacy"
        source = asked.source or Source(branch=repository.default_branch)
        if build_type == "legacy" and asked.source is None:
            raise RefusedError(422, 'Invalid request.\n\nNo subschema in "anyOf" matched.')
        if await resolve(self._world.repositories.bare(repository), f"refs/heads/{source.branch}") is None:
            raise RefusedError(422, f"The {source.branch} branch must exist before GitHub Pages can be built.")
        await self._world.sites.enable(repository, build_type, source.branch, source.path)
        host = _host(request)
        shown = shapes.pages(host, repository, self._site(repository), time.time())
        return web.json_response(shown, status=201, headers={"Location": f"{host.repository(repository)}/pages"})

    async def change_pages(self, request: web.Request) -> web.Response:
        repository = self._to_write(request)
        asked = await _read(request, PagesSettings)
        site = self._site(repository)
        if asked.build_type is not None:
            site.build_type = asked.build_type
        if asked.source is not None:
            site.branch, site.path = asked.source.branch, asked.source.path
        await self._world.repositories.save(repository)
        return web.Response(status=204)

    async def list_builds(self, request: web.Request) -> web.Response:
        repository = self._repository(request)
        builds = reversed(self._site(repository).builds)
        host = _host(request)
        return web.json_response([shapes.page_build(host, repository, build, time.time()) for build in builds])

    async def latest_build(self, request: web.Request) -> web.Response:
        repository = self._repository(request)
        site = self._site(repository)
        if not site.builds:
            raise RefusedError(404, "Not Found")
        return web.json_response(shapes.page_build(_host(request), repository, site.builds[-1], time.time()))

    async def request_build(self, request: web.Request) -> web.Response:
        repository = self._to_write(request)
        self._site(repository)
        await self._world.sites.queue(repository)
        url = f"{_host(request).repository(repository)}/pages/builds/latest"
        return web.json_response({"url": url, "status": "queued"}, status=201)

    async def show_commit(self, request: web.Request) -> web.Response:
        repository = self._repository(request)
        bare = self._world.repositories.bare(repository)
        ref = request.match_info["ref"]
        sha = await resolve(bare, ref)
        if sha is None:
            if await resolve(bare, f"refs/heads/{repository.default_branch}") is None:
                raise RefusedError(409, "Git Repository is empty.")
            raise RefusedError(422, f"No commit found for SHA: {ref}")
        return web.json_response(shapes.commit(_host(request), repository, await commit(bare, sha)))

    async def show_contents(self, request: web.Request) -> web.Response:
        repository = self._repository(request)
        bare = self._world.repositories.bare(repository)
        ref = request.query.get("ref", repository.default_branch)
        path = request.match_info["path"].strip("/")
        sha = await resolve(bare, ref)
        if sha is None:
            raise RefusedError(404, "This repository is empty." if "ref" not in request.query else "Not Found")
        every = await entries(bare, sha)
        host = _host(request)
        entry = every.get(path)
        if entry is not None and entry.kind == "blob":
            shown = shapes.content(host, repository, ref, path, entry=entry, data=await blob(bare, entry.sha))
            return web.json_response(shown)
        prefix = f"{path}/" if path else ""
        names = sorted({p.removeprefix(prefix).split("/", 1)[0] for p in every if p.startswith(prefix)})
        if not names:
            raise RefusedError(404, "Not Found")
        paths = [prefix + name for name in names]
        return web.json_response([shapes.content(host, repository, ref, p, entry=every[p]) for p in paths])


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


def _host(request: web.Request) -> shapes.Host:
    return shapes.Host(f"{request.scheme}://{request.host}")


async def _read(request: web.Request, model: type[_B]) -> _B:
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
