"""What a page under inspection gets when it asks for something: the app's files, a CDN's mirror, or nothing."""

import mimetypes
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Route

from slipway_generator.browser.mirror import Mirror, Mirrored
from slipway_generator.browser.public_web import PublicWeb

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
_MAX_NOTES = 50
_FONT_HOSTS = frozenset({"fonts.googleapis.com", "fonts.gstatic.com", "use.typekit.net", "fonts.bunny.net"})


@dataclass
class Traffic:
    """What an app asked for and did not get, each address with the kind of resource that it was to be.

    `missing`: files that do not exist, its own by path, a CDN's by address. `withheld`: addresses that nothing here
    answers; `decisive` are those that the page's behaviour may hang on. `departures`: where the page itself
    tried to go. `inexact`: CDN files of another version.
    """

    missing: dict[str, str] = field(default_factory=dict)
    withheld: dict[str, str] = field(default_factory=dict)
    decisive: dict[str, str] = field(default_factory=dict)
    departures: dict[str, str] = field(default_factory=dict)
    inexact: dict[str, str] = field(default_factory=dict)


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
        """Answer one request. A page or frame that is gone meanwhile, or not there yet, is no error."""
        try:
            await self._answer(route)
        except PlaywrightError:
            with suppress(PlaywrightError):
                await route.abort()

    async def _answer(self, route: Route) -> None:
        url = route.request.url
        parts = urlsplit(url)
        if parts.scheme == "https" and parts.hostname == self._host:
            await self._answer_app(route, unquote(parts.path))
            return
        if route.request.is_navigation_request() and route.request.frame.parent_frame is None:
            _note(self.traffic.departures, url, "document")
            await route.abort("aborted")  # the page stays as it is
            return
        mirrored = self._mirror.find(url)
        if mirrored is not None:
            await self._answer_mirrored(route, mirrored)
            return
        fetched = await self._web.get(url) if self._web is not None and route.request.method == "GET" else None
        if fetched is not None:
            await route.fulfill(status=fetched.status, headers=fetched.headers, body=fetched.body)
            return
        kind = route.request.resource_type
        _note(self.traffic.withheld, url, kind)
        if kind not in _DECORATION and parts.hostname not in _FONT_HOSTS:
            _note(self.traffic.decisive, url, kind)
        await route.abort("internetdisconnected")

    async def _answer_mirrored(self, route: Route, mirrored: Mirrored) -> None:
        url = route.request.url
        if mirrored.path is None:
            _note(self.traffic.missing, url, route.request.resource_type)
            await route.fulfill(status=404, body="", headers=_ANY_ORIGIN)
            return
        if not mirrored.exact:
            _note(self.traffic.inexact, url, route.request.resource_type)
        await route.fulfill(
            body=mirrored.path.read_bytes(), content_type=_type_of(mirrored.path.name), headers=_ANY_ORIGIN
        )

    async def _answer_app(self, route: Route, path: str) -> None:
        found = self._find(path)
        if found is not None:
            name, data = found
            await route.fulfill(body=data, content_type=_type_of(name), headers=_ANY_ORIGIN)
            return
        if path != "/favicon.ico":
            _note(self.traffic.missing, path.removeprefix(self._prefix), route.request.resource_type)
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


def _note(notes: dict[str, str], key: str, value: str) -> None:
    if len(notes) < _MAX_NOTES:
        notes.setdefault(key, value)


def _type_of(name: str) -> str:
    suffix = "." + name.rpartition(".")[2].lower()
    kind = _TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    textual = kind.startswith("text/") or kind in {"application/json", "image/svg+xml"}
    return f"{kind}; charset=utf-8" if textual else kind
