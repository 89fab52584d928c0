"""Addresses outside of the app that pages load code, styles and pictures from: known hosts, pinned versions."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from slipway_common.events import Finding
from slipway_generator.inspection.app import App, finding, line_of

_PACKAGE = r"(?:@[^/@]+/)?[^/@]+@v?\d"
HOSTS: dict[str, str] = {
    "cdn.jsdelivr.net": rf"/(?:npm/{_PACKAGE}|gh/[^/@]+/[^/@]+@v?\w)",
    "unpkg.com": rf"/{_PACKAGE}",
    "esm.sh": rf"/{_PACKAGE}",
    "cdn.skypack.dev": rf"/{_PACKAGE}",
    "cdnjs.cloudflare.com": r"/ajax/libs/[^/]+/v?\d",
    "ajax.googleapis.com": r"/ajax/libs/[^/]+/\d",
    "cdn.tailwindcss.com": r"/\d",
    "code.jquery.com": r".*-\d+\.\d+",
    "d3js.org": r".*\.v\d+",
    "cdn.plot.ly": r".*-\d+\.\d+",
    "cdn.datatables.net": r"/(?:[^/]+/)?\d",
    "www.gstatic.com": r".*/\d",
    "fonts.googleapis.com": r"",
    "fonts.gstatic.com": r"",
}
"""The hosts that code and styles may come from, and what an address with a version looks like there."""

_DEAD = {
    "rawgit.com": "it was shut down",
    "cdn.rawgit.com": "it was shut down",
    "raw.githubusercontent.com": "it serves scripts and styles as plain text, which browsers refuse",
    "polyfill.io": "it was taken over and served malware",
    "cdn.polyfill.io": "it was taken over and served malware",
    "netdna.bootstrapcdn.com": "it was shut down",
    "via.placeholder.com": "it was shut down",
    "source.unsplash.com": "it was shut down",
    "placeimg.com": "it was shut down",
    "lorempixel.com": "it was shut down",
    "placekitten.com": "it was shut down",
}
_LATEST = re.compile(r"@(?:latest|next|main|master|canary|beta)\b")
_LOADS = re.compile(
    r"(?:\bfrom\s*|\bimport\s*\(?\s*|@import\s+(?:url\(\s*)?|\bimportScripts\(\s*)[\"'](https?://[^\"'\s]+)[\"']"
)
_IMPORT_MAP_ENTRY = re.compile(r"\"(https?://[^\"\s]+)\"")
_PICTURES = ("img", "video", "audio", "source", "image")
_LINKS = frozenset({"stylesheet", "modulepreload", "preload", "prefetch"})


def inspect(app: App, wanted: str) -> list[Finding]:
    """Addresses that are not pinned, of unknown or dead hosts, or without https. Hosts named in `wanted` are fine."""
    found: list[Finding] = []
    for path, line, url in _loaded(app):
        found += _inspect_address(path, line, url, wanted)
    for path, page in app.pages.items():
        for tag in page.start_tags:
            url = tag.get("src") or "" if tag.name in _PICTURES else ""
            host = urlsplit(url).hostname if url.startswith(("http:", "https:", "//")) else None
            if host in _DEAD:
                message = f"{host} does not serve pictures any more: {_DEAD[host]}."
                found.append(
                    finding(path, page.line(tag.start), message, "Draw it with CSS or inline SVG, or remove it.")
                )
    return found


def _loaded(app: App) -> Iterator[tuple[str, int, str]]:
    for path, page in app.pages.items():
        for tag in page.start_tags:
            url = tag.get("src") if tag.name == "script" else tag.get("href") if tag.name == "link" else None
            if tag.name == "link" and not _LINKS & set((tag.get("rel") or "").lower().split()):
                continue
            if url and url.startswith(("http:", "https:", "//")):
                yield path, page.line(tag.start), url
        for raw in page.raw:
            if raw.tag.name in ("script", "style"):
                pattern = _IMPORT_MAP_ENTRY if raw.tag.get("type") == "importmap" else _LOADS
                yield from (
                    (path, page.line(raw.start + match.start()), match[1]) for match in pattern.finditer(raw.text)
                )
    for path, text in app.ending(".js", ".mjs", ".css").items():
        yield from ((path, line_of(text, match.start()), match[1]) for match in _LOADS.finditer(text))


def _inspect_address(path: str, line: int, url: str, wanted: str) -> list[Finding]:
    parts = urlsplit(f"https:{url}" if url.startswith("//") else url)
    host = parts.hostname or ""
    better = "Load it from https://cdn.jsdelivr.net/npm/<package>@<exact version>/<file>, or do without."
    if host in _DEAD:
        return [finding(path, line, f"{host} cannot be used: {_DEAD[host]}.", better)]
    if parts.scheme == "http":
        return [finding(path, line, f"{url} is loaded without https; browsers block that.", "Write https.")]
    if re.search(rf"(?<![\w.-]){re.escape(host)}(?![\w-])", wanted):
        return []
    if host not in HOSTS:
        message = f"{host} is not one of the hosts that code and styles may come from."
        return [finding(path, line, message, better)]
    pinned = re.match(HOSTS[host], parts.path) and not _LATEST.search(parts.path)
    # jsDelivr joins several packages in one address; each needs its version.
    if pinned and parts.path.startswith("/combine/"):
        pinned = all(re.match(_PACKAGE, item.removeprefix("npm/")) for item in parts.path[9:].split(","))
    if not pinned:
        return [finding(path, line, f"{url} names no version, so it can change any day.", "Name the exact version.")]
    return []
