"""GitHub's REST interface to repositories, commits and contents, as far as Slipway could need it."""

import re
import time

from aiohttp import web

from slipway_sandbox import github_shapes as shapes
from slipway_sandbox.github_api import Body, Front, RefusedError, Route, host_of, name_taken, read
from slipway_sandbox.objects import blob, commit, entries, resolve
from slipway_sandbox.repositories import NameTakenError, canonical
from slipway_sandbox.world import World

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class NewRepository(Body):
    """Body of POST /user/repos and /orgs/{org}/repos."""

    name: str
    description: str | None = None
    homepage: str | None = None
    private: bool = False
    auto_init: bool = False
    license_template: str | None = None
    gitignore_template: str | None = None


class ChangedRepository(Body):
    """Body of PATCH /repos/{owner}/{repo}."""

    name: str | None = None
    description: str | None = None
    homepage: str | None = None
    private: bool | None = None
    archived: bool | None = None
    default_branch: str | None = None


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
    """The routes below /api, but for Pages."""

    def __init__(self, world: World, front: Front) -> None:
        self._world = world
        self._front = front

    def routes(self) -> list[web.RouteDef]:
        repo = "/api/repos/{owner}/{name}"
        table: list[tuple[str, str, Route]] = [
            ("POST", "/api/user/repos", self.create_own),
            ("POST", "/api/orgs/{login}/repos", self.create_for_organization),
            ("GET", repo, self.show),
            ("PATCH", repo, self.change),
            ("DELETE", repo, self.delete),
            ("GET", repo + "/commits/{ref:.+}", self.show_commit),
            ("GET", repo + "/contents/{path:.*}", self.show_contents),
            ("*", "/api/{tail:.*}", self.unknown),
        ]
        return [web.route(method, path, self._front.guarded(handler)) for method, path, handler in table]

    async def unknown(self, request: web.Request) -> web.Response:
        raise RefusedError(404, "Not Found")

    async def create_own(self, request: web.Request) -> web.Response:
        return await self._create(request, self._front.user(request), organization=False)

    async def create_for_organization(self, request: web.Request) -> web.Response:
        self._front.login(request)
        login = request.match_info["login"]
        if login.lower() not in (known.lower() for known in self._world.settings.organizations):
            raise RefusedError(404, "Not Found")
        return await self._create(request, login, organization=True)

    async def _create(self, request: web.Request, owner: str, *, organization: bool) -> web.Response:
        asked = await read(request, NewRepository)
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
        host = host_of(request)
        headers = {"Location": host.repository(made)}
        return web.json_response(shapes.repository(host, made), status=201, headers=headers)

    async def show(self, request: web.Request) -> web.Response:
        return web.json_response(shapes.repository(host_of(request), self._front.repository(request)))

    async def change(self, request: web.Request) -> web.Response:
        repository = self._front.to_write(request)
        asked = await read(request, ChangedRepository)
        _refuse_description(asked.description)
        if asked.name is not None and asked.name.lower() != repository.name.lower():
            raise RefusedError(422, "The sandbox does not rename repositories.")
        for name in asked.model_fields_set - {"name"}:
            setattr(repository, name, getattr(asked, name))
        repository.updated_at = time.time()
        await self._world.repositories.save(repository)
        return web.json_response(shapes.repository(host_of(request), repository))

    async def delete(self, request: web.Request) -> web.Response:
        await self._world.repositories.delete(self._front.to_write(request))
        return web.Response(status=204)

    async def show_commit(self, request: web.Request) -> web.Response:
        repository = self._front.repository(request)
        bare = self._world.repositories.bare(repository)
        ref = request.match_info["ref"]
        sha = await resolve(bare, ref)
        if sha is None:
            if await resolve(bare, f"refs/heads/{repository.default_branch}") is None:
                raise RefusedError(409, "Git Repository is empty.")
            raise RefusedError(422, f"No commit found for SHA: {ref}")
        return web.json_response(shapes.commit(host_of(request), repository, await commit(bare, sha)))

    async def show_contents(self, request: web.Request) -> web.Response:
        repository = self._front.repository(request)
        bare = self._world.repositories.bare(repository)
        ref = request.query.get("ref", repository.default_branch)
        path = request.match_info["path"].strip("/")
        sha = await resolve(bare, ref)
        if sha is None:
            raise RefusedError(404, "This repository is empty." if "ref" not in request.query else "Not Found")
        every = await entries(bare, sha)
        host = host_of(request)
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
