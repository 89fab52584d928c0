"""Whether the new bytes answer at the public URL: the only proof that a page is live."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote

import httpx

PAUSES_S = (1.0, 2.0, 4.0, 6.0, 8.0, 5.0)
"""Between looks; the last one repeats."""
_MAX_WITNESSES = 4
_MAX_WITNESS_BYTES = 1_000_000

Sight = Literal["new", "old", "missing", "no answer"]


@dataclass(frozen=True)
class Miss:
    """The new bytes are not there yet: what was seen instead, at the `tries`-th look."""

    tries: int
    sight: Sight
    site_missing: bool


OnMiss = Callable[[Miss], Awaitable[Mapping[str, bytes] | None]]
"""Called after a look in vain; may give other bytes to look for."""


def witnesses(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Files whose bytes tell one version of the site from another, `index.html` first."""
    public = {
        path: data
        for path, data in files.items()
        if not any(part.startswith((".", "_")) for part in path.split("/")) and len(data) <= _MAX_WITNESS_BYTES
    }
    chosen = sorted(public, key=lambda path: (path != "index.html", len(public[path]), path))
    return {path: public[path] for path in chosen[:_MAX_WITNESSES]}


class PublicSite:
    """Looks at Pages sites from outside, as any visitor does."""

    def __init__(self, client: httpx.AsyncClient, pauses_s: Sequence[float] = PAUSES_S) -> None:
        self.client = client
        self._pauses_s = pauses_s
        self._serial = itertools.count(1)

    async def wait(self, url: str, expected: Mapping[str, bytes], budget_s: float, on_miss: OnMiss) -> str:
        """Wait until every file of `expected` answers with its bytes below `url`.

        Returns an empty string, or why the page is not live after `budget_s` seconds.
        """
        deadline = asyncio.get_running_loop().time() + budget_s
        pauses: Iterator[float] = itertools.chain(self._pauses_s, itertools.repeat(self._pauses_s[-1]))
        for tries in itertools.count(1):
            sight = await self._look_at_all(url, expected)
            if sight == "new":
                return ""
            site_missing = sight == "missing" and await self._look(url, "index.html", None) == "missing"
            expected = await on_miss(Miss(tries, sight, site_missing)) or expected
            pause = next(pauses)
            if asyncio.get_running_loop().time() + pause > deadline:
                return _reason(sight, site_missing, budget_s)
            await asyncio.sleep(pause)
        raise AssertionError("unreachable")

    async def _look_at_all(self, url: str, expected: Mapping[str, bytes]) -> Sight:
        if not expected:
            sight = await self._look(url, "index.html", None)
            return "new" if sight == "old" else sight
        for path, data in expected.items():
            sight = await self._look(url, path, data)
            if sight != "new":
                return sight
        return "new"

    async def _look(self, url: str, path: str, data: bytes | None) -> Sight:
        # Pages objects are cached for 600 s; a query that was never asked before passes the caches by
        address = f"{url}{'' if path == 'index.html' else quote(path)}?slipway={next(self._serial)}-{id(self):x}"
        try:
            answer = await self.client.get(address, headers={"Cache-Control": "no-cache"})
        except httpx.HTTPError:
            return "no answer"
        if answer.status_code == 404:
            return "missing"
        if answer.status_code != 200:
            return "no answer"
        return "new" if answer.content == data else "old"


def _reason(sight: Sight, site_missing: bool, budget_s: float) -> str:
    seen = {
        "old": "still served other bytes",
        "missing": "answered 404 for the whole site" if site_missing else "answered 404 for a file of this version",
        "no answer": "gave no usable answer",
        "new": "",
    }[sight]
    return f"after {budget_s:.0f} s the public URL {seen}"
