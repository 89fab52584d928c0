"""What a page under inspection gets when it asks for something: the app's files, a CDN's mirror, or nothing."""

import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import unquote, urlsplit

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Route

from slipway_generator.mirror import Mirror

_ANY_ORIGIN = {"access-control-allow-origin": "*"}
_TYPES = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".json": "application/json",
    ".md": "text/markdown",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
    ".wasm": "application/wasm",
    ".woff2": "font/woff2",
    ".csv": "text/csv",
}
# Without these a page looks different and does the same.
_DECORATION = frozenset({"image", "font", "media", "ping", "manifest", "texttrack", "cspviolationreport", "other"})
_FONT_HOSTS = frozenset({"fonts.googleapis.com", "fonts.gstatic.com", "use.typekit.net", "fonts.bunny.net"})


@dataclass(frozen=True)
class Fetched:
    """What a public host answered."""

    status: int
    content_type: str
    body: bytes


class PublicWeb(Protocol):
    """Fetches from public hosts only."""

    async def get(self, url: str) -> Fetched | None:
        """The answer, or None when there is none to be had (private address, time, size, no network)."""


@dataclass
class Traffic:
    """What an app asked for and did not get.

    `missing`: its own files that do not exist (path, status). `withheld`: addresses outside that nothing here
    answers; `decisive` are those that the page's behaviour may hang on. `departures`: where the page itself
    tried to go. `inexact`: CDN files of another version.
    """

    missing: dict[str, str] = field(default_factory=dict)
    withheld: dict[str, str] = field(default_factory=dict)
    decisive: dict[str, str] = field(default_factory=dict)
    departures: dict[str, str] = field(default_factory=dict)
    inexact: set[str] = field(default_factory=set)


class Network:
    """The whole world of one app, served at `https://<owner>.github.io/<repo>/`."""

    def __init__(
        self, files: Mapping[str, bytes], owner: str, repo: str, mirror: Mirror, web: PublicWeb | None
    ) -> None:
        self._files = files
        self._host = f"{owner.lower()}.github.io"
        self._prefix = f"/{repo}/"
        self._mirror = mirror
        self._web = web
        self.traffic = Traffic()
        self.url = f"https://{self._host}{self._prefix}"

    async def answer(self, route: Route) -> None:
        """Answer one request. A page that is gone meanwhile is no error."""
        try:
            await self._answer(route)
        except PlaywrightError:
            return

    async def _answer(self, route: Route) -> None:
        url = route.request.url
        parts = urlsplit(url)
        if parts.scheme == "https" and parts.hostname == self._host:
            await self._answer_app(route, unquote(parts.path))
            return
        mirrored = self._mirror.find(url)
        if mirrored is not None:
            if not mirrored.exact:
                self.traffic.inexact.add(url)
            await route.fulfill(
                body=mirrored.path.read_bytes(), content_type=_type_of(mirrored.path.name), headers=_ANY_ORIGIN
            )
            return
        fetched = await self._web.get(url) if self._web is not None and route.request.method == "GET" else None
        if fetched is not None:
            await route.fulfill(
                status=fetched.status, body=fetched.body, content_type=fetched.content_type, headers=_ANY_ORIGIN
            )
            return
        if route.request.is_navigation_request() and route.request.frame.parent_frame is None:
            self.traffic.departures.setdefault(url, "document")
            await route.abort("aborted")  # the page stays as it is
            return
        kind = route.request.resource_type
        self.traffic.withheld[url] = kind
        if kind not in _DECORATION and parts.hostname not in _FONT_HOSTS:
            self.traffic.decisive[url] = kind
        await route.abort("internetdisconnected")

    async def _answer_app(self, route: Route, path: str) -> None:
        found = self._find(path)
        if found is not None:
            name, data = found
            await route.fulfill(body=data, content_type=_type_of(name), headers=_ANY_ORIGIN)
            return
        if path != "/favicon.ico":
            self.traffic.missing.setdefault(path.removeprefix(self._prefix), route.request.resource_type)
        await route.fulfill(
            status=404, body=self._files.get("404.html", b"404: there is no such file"), content_type="text/html"
        )

    def _find(self, path: str) -> tuple[str, bytes] | None:
        """As GitHub Pages serves it: a folder is its index.html, a page may be asked for without `.html`."""
        if path == self._prefix.rstrip("/"):
            path = self._prefix
        if not path.startswith(self._prefix):
            return None
        name = path.removeprefix(self._prefix)
        for candidate in (name, f"{name}index.html", f"{name}/index.html", f"{name}.html"):
            if candidate in self._files:
                return candidate, self._files[candidate]
        return None


def _type_of(name: str) -> str:
    suffix = "." + name.rpartition(".")[2].lower()
    kind = _TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    textual = kind.startswith("text/") or kind in {"application/json", "image/svg+xml"}
    return f"{kind}; charset=utf-8" if textual else kind
