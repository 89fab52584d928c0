"""GitHub's REST interface to Pages: https://docs.github.com/rest/pages/pages."""

import time

from aiohttp import web

from slipway_sandbox import github_shapes as shapes
from slipway_sandbox.github_api import Body, Front, RefusedError, Route, host_of, read
from slipway_sandbox.objects import resolve
from slipway_sandbox.repositories import BuildType, PagesSite, Repository, SourcePath
from slipway_sandbox.world import World


class Source(Body):
    """Which folder of which branch is published."""

    branch: str
    path: SourcePath = "/"


class PagesSettings(Body):
    """Body of POST and PUT /repos/{owner}/{repo}/pages."""

    build_type: BuildType | None = None
    source: Source | None = None


class GitHubPages:
    """The routes below /api/repos/{owner}/{name}/pages."""

    def __init__(self, world: World, front: Front) -> None:
        self._world = world
        self._front = front

    def routes(self) -> list[web.RouteDef]:
        pages = "/api/repos/{owner}/{name}/pages"
        table: list[tuple[str, str, Route]] = [
            ("GET", pages, self.show_pages),
            ("POST", pages, self.enable_pages),
            ("PUT", pages, self.change_pages),
            ("GET", pages + "/builds", self.list_builds),
            ("POST", pages + "/builds", self.request_build),
            ("GET", pages + "/builds/latest", self.latest_build),
        ]
        return [web.route(method, path, self._front.guarded(handler)) for method, path, handler in table]

    def _site(self, repository: Repository) -> PagesSite:
        if repository.pages is None:
            raise RefusedError(404, "Not Found")
        return repository.pages

    async def show_pages(self, request: web.Request) -> web.Response:
        repository = self._front.repository(request)
        site = self._site(repository)
        return web.json_response(shapes.pages(host_of(request), repository, site, time.time()))

    async def enable_pages(self, request: web.Request) -> web.Response:
        repository = self._front.to_write(request)
        asked = await read(request, PagesSettings)
        if repository.pages is not None:
            raise RefusedError(409, "GitHub Pages is already enabled.")
        build_type = asked.build_type or "legacy"
        source = asked.source or Source(branch=repository.default_branch)
        if build_type == "legacy" and asked.source is None:
            raise RefusedError(422, 'Invalid request.\n\nNo subschema in "anyOf" matched.')
        if await resolve(self._world.repositories.bare(repository), f"refs/heads/{source.branch}") is None:
            raise RefusedError(422, f"The {source.branch} branch must exist before GitHub Pages can be built.")
        await self._world.sites.enable(repository, build_type, source.branch, source.path)
        host = host_of(request)
        shown = shapes.pages(host, repository, self._site(repository), time.time())
        return web.json_response(shown, status=201, headers={"Location": f"{host.repository(repository)}/pages"})

    async def change_pages(self, request: web.Request) -> web.Response:
        repository = self._front.to_write(request)
        asked = await read(request, PagesSettings)
        site = self._site(repository)
        if asked.build_type is not None:
            site.build_type = asked.build_type
        if asked.source is not None:
            site.branch, site.path = asked.source.branch, asked.source.path
        await self._world.repositories.save(repository)
        return web.Response(status=204)

    async def list_builds(self, request: web.Request) -> web.Response:
        repository = self._front.repository(request)
        builds = reversed(self._site(repository).builds)
        host = host_of(request)
        return web.json_response([shapes.page_build(host, repository, build, time.time()) for build in builds])

    async def latest_build(self, request: web.Request) -> web.Response:
        repository = self._front.repository(request)
        site = self._site(repository)
        if not site.builds:
            raise RefusedError(404, "Not Found")
        return web.json_response(shapes.page_build(host_of(request), repository, site.builds[-1], time.time()))

    async def request_build(self, request: web.Request) -> web.Response:
        repository = self._front.to_write(request)
        self._site(repository)
        await self._world.sites.queue(repository)
        url = f"{host_of(request).repository(repository)}/pages/builds/latest"
        return web.json_response({"url": url, "status": "queued"}, status=201)
