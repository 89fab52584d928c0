"""The public side of Pages: serves the published files of a site as github.io does."""

import hashlib
import mimetypes

from aiohttp import web

from slipway_sandbox.repositories import Repository
from slipway_sandbox.world import World

_TYPES = mimetypes.MimeTypes()  # Python's own table: that of the machine would differ from one to the next
_OURS = {
    ".js": "application/javascript",
    ".mjs": "application/javascript",
    ".json": "application/json",
    ".md": "text/markdown",
    ".csv": "text/csv",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
    ".yml": "text/yaml",
    ".yaml": "text/yaml",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".webmanifest": "application/manifest+json",
    ".wasm": "application/wasm",
}
_TEXT = ("application/javascript", "application/json", "application/manifest+json", "application/xml")
_NOT_FOUND = b"<!DOCTYPE html>\n<html><head><title>Site not found</title></head><body><h1>404</h1></body></html>\n"


def content_type(path: str) -> str:
    """The Content-Type that Pages sends for a path; text is always UTF-8, what is unknown is octet-stream."""
    suffix = "." + path.rsplit("/", 1)[-1].rpartition(".")[2].lower()
    kind = _OURS.get(suffix) or _TYPES.guess_type("x" + suffix)[0] or "application/octet-stream"
    return f"{kind}; charset=utf-8" if kind.startswith("text/") or kind in _TEXT else kind


class Pages:
    """`/pages/<owner>/<repository>/<path>`; queries are ignored."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/pages/{owner}/{name}", self.to_folder),
            web.get("/pages/{owner}/{name}/{path:.*}", self.serve),
        ]

    async def to_folder(self, request: web.Request) -> web.Response:
        return web.Response(status=301, headers={"Location": request.path + "/"})

    async def serve(self, request: web.Request) -> web.Response:
        repository = self._world.repositories.find(request.match_info["owner"], request.match_info["name"])
        path = request.match_info["path"]
        if repository is None or self._world.sites.published(repository) is None:
            return _answer(request, _NOT_FOUND, "404.html", 404)
        for candidate in _candidates(path):
            content = await self._world.sites.file(repository, candidate)
            if content is not None:
                return _answer(request, content, candidate, 200)
        if path and not path.endswith("/") and await self._has(repository, f"{path}/index.html"):
            return web.Response(status=301, headers={"Location": request.path + "/"})
        own = await self._world.sites.file(repository, "404.html")
        return _answer(request, own or _NOT_FOUND, "404.html", 404)

    async def _has(self, repository: Repository, path: str) -> bool:
        return await self._world.sites.file(repository, path) is not None


def _candidates(path: str) -> tuple[str, ...]:
    if not path or path.endswith("/"):
        return (f"{path}index.html",)
    return path, f"{path}.html"


def _answer(request: web.Request, content: bytes, path: str, status: int) -> web.Response:
    etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers = {
        "Content-Type": content_type(path),
        "ETag": etag,
        "Cache-Control": "max-age=600",
        "Access-Control-Allow-Origin": "*",
    }
    if status == 200 and request.headers.get("If-None-Match") == etag:
        return web.Response(status=304, headers=headers)
    return web.Response(body=content, status=status, headers=headers)
