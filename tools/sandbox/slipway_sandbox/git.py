"""Git over smart HTTP: `git http-backend` as a CGI program on the bare repositories."""

import re
import time

from aiohttp import web
from multidict import CIMultiDict

from slipway_sandbox.access import Caller, caller_of
from slipway_sandbox.objects import git_environment, run
from slipway_sandbox.repositories import Repository
from slipway_sandbox.world import World

_SERVICES = ("git-upload-pack", "git-receive-pack")
_NOT_CACHED = {"Cache-Control": "no-cache, max-age=0, must-revalidate"}


class Git:
    """`/git/<owner>/<repository>[.git]/...`: anyone reads public repositories, the token's owner pushes."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[web.RouteDef]:
        base = "/git/{owner}/{name}"
        return [
            web.get(base + "/info/refs", self.advertise),
            web.post(base + "/{service:git-upload-pack|git-receive-pack}", self.exchange),
            web.get(base, self.front),
            web.route("*", "/git/{tail:.*}", self.missing),
        ]

    async def advertise(self, request: web.Request) -> web.Response:
        service = request.query.get("service", "")
        if service not in _SERVICES:
            return web.Response(status=403, text="Please upgrade your git client. Dumb HTTP is not served.\n")
        return await self._serve(request, service, "info/refs")

    async def exchange(self, request: web.Request) -> web.Response:
        service = request.match_info["service"]
        return await self._serve(request, service, service)

    async def front(self, request: web.Request) -> web.Response:
        """What a browser sees under the repository's address."""
        repository = self._world.repositories.find(request.match_info["owner"], request.match_info["name"])
        if repository is None or repository.private:
            return web.Response(status=404, text="Not Found\n")
        return web.Response(text=f"{repository.full_name}\n{repository.description or ''}\ngit clone {request.url}\n")

    async def missing(self, request: web.Request) -> web.Response:
        return web.Response(status=404, text="Not Found\n")

    async def _serve(self, request: web.Request, service: str, tail: str) -> web.Response:
        caller = caller_of(request, self._world)
        repository = self._world.repositories.find(request.match_info["owner"], request.match_info["name"])
        refusal = _refusal(caller, repository, service)
        if refusal is not None or repository is None:
            return refusal or web.Response(status=404)
        answer = await self._backend(request, repository, tail, caller)
        if tail == "git-receive-pack":
            await self._received(repository)
        return answer

    async def _received(self, repository: Repository) -> None:
        """After a push: note its time, and build the Pages site when its branch moved."""
        repository.pushed_at = time.time()
        await self._world.sites.pushed(repository)
        await self._world.repositories.save(repository)

    async def _backend(self, request: web.Request, repository: Repository, tail: str, caller: Caller) -> web.Response:
        bare = self._world.repositories.bare(repository)
        body = await request.read()
        environment = git_environment() | {
            "GIT_PROJECT_ROOT": str(bare.parent),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": f"/{bare.name}/{tail}",
            "REQUEST_METHOD": request.method,
            "QUERY_STRING": request.query_string,
            "CONTENT_TYPE": request.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": request.headers.get("Content-Encoding", ""),
            "REMOTE_ADDR": "127.0.0.1",
        }
        protocol = request.headers.get("Git-Protocol", "")
        if re.fullmatch(r"version=\d", protocol):
            environment["GIT_PROTOCOL"] = protocol
        if caller.login is not None:
            environment["REMOTE_USER"] = caller.login
        _, output, errors = await run(["git", "http-backend"], environment, body)
        head, separator, content = output.partition(b"\r\n\r\n")
        if not separator:
            return web.Response(status=500, text=f"git http-backend: {errors.decode('utf-8', 'replace')}\n")
        status = 200
        headers: CIMultiDict[str] = CIMultiDict()
        for line in head.decode("latin-1").split("\r\n"):
            key, _, value = line.partition(": ")
            if key.lower() == "status":
                status = int(value.split()[0])
            else:
                headers.add(key, value)
        return web.Response(body=content, status=status, headers=headers)


def _refusal(caller: Caller, repository: Repository | None, service: str) -> web.Response | None:
    """What github.com answers to a caller who may not; a missing repository looks like a private one to anybody."""
    if caller.bad:
        return _ask_for_login("Invalid username or token.")
    if repository is None or (repository.private and caller.login is None):
        if caller.login is None:
            return _ask_for_login("Repository not found.")
        return web.Response(status=404, text="Repository not found.\n", headers=_NOT_CACHED)
    if service == "git-receive-pack" and caller.login is None:
        return _ask_for_login("No anonymous write access.")
    if service == "git-receive-pack" and repository.archived:
        return web.Response(status=403, text="This repository was archived so it is read-only.\n")
    return None


def _ask_for_login(reason: str) -> web.Response:
    return web.Response(status=401, text=reason + "\n", headers={"WWW-Authenticate": 'Basic realm="GitHub"'})
