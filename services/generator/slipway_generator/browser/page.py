"""Looks at one app in a fresh browser context: loads it, runs the checks, listens, takes the pictures."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlencode

from playwright.async_api import Browser, BrowserContext, CDPSession, Page
from playwright.async_api import Error as PlaywrightError

from slipway_generator.browser import screenshots
from slipway_generator.browser.evaluation import Evaluator, Limits, PageHangsError
from slipway_generator.browser.evidence import Observed
from slipway_generator.browser.listening import Listener
from slipway_generator.browser.network import Network
from slipway_generator.checks import OnPage, Shown

# Through selectors: an element named "body" or "title" hides the document's own.
_STATE = """
(() => {
  const body = document.querySelector("body");
  const media = "img, svg, canvas, video, iframe, input, button, object, embed";
  return {
    title: String(document.querySelector("head title")?.textContent ?? document.title),
    blank: !body || (body.innerText.trim() === "" && !body.querySelector(media)),
  };
})()
"""
_HANGS = "the page stopped answering: a script in it runs without end, or it is far too large"


@dataclass(frozen=True)
class _Tab:
    context: BrowserContext
    session: CDPSession
    evaluator: Evaluator


class PageVisit:
    """One app, in contexts of its own. `seen` grows meanwhile, so that what was seen before a time limit is kept."""

    def __init__(self, browser: Browser, network: Network, limits: Limits) -> None:
        self._browser = browser
        self._network = network
        self._limits = limits
        self._contexts: list[BrowserContext] = []
        self.seen = Observed(network.url, network.traffic)
        self._listener = Listener(self.seen)

    @property
    def crashed(self) -> bool:
        """Whether the page's process ended."""
        return self._listener.crashed

    async def look(self, checks: Mapping[int, OnPage | Shown]) -> None:
        """Fill in `seen`, within `limits.app`. Raises PlaywrightError when the browser dies."""
        looking = asyncio.create_task(self._look(checks))
        hopeless = asyncio.create_task(self._listener.gives_up.wait())
        try:
            await asyncio.wait({looking, hopeless}, timeout=self._limits.app, return_when=asyncio.FIRST_COMPLETED)
            if looking.done() and not self._listener.gives_up.is_set():
                looking.result()
            elif not self.seen.stopped:
                self.seen.stopped = f"the page was stopped: it was not done after {self._limits.app:g} s"
        finally:
            looking.cancel()
            hopeless.cancel()
            await asyncio.gather(looking, hopeless, return_exceptions=True)
            for context in self._contexts:
                await self._leave(context)

    async def _look(self, checks: Mapping[int, OnPage | Shown]) -> None:
        tab = await self._open(self._network.url, listen=True)
        on_page = {key: check for key, check in checks.items() if isinstance(check, OnPage)}
        try:
            await tab.evaluator.wait_until_loaded()
        except PageHangsError:
            self.seen.stopped = _HANGS
            return
        try:
            await tab.evaluator.run(on_page, self.seen.outcomes)
        except PageHangsError:
            tab = await self._find_culprit(tab, self._undecided(on_page))
        if not self.seen.stopped:
            await self._portray(tab)
        for key, check in checks.items():
            if isinstance(check, Shown):
                await self._run_shown(key, check)

    def _undecided(self, checks: Mapping[int, OnPage]) -> dict[int, OnPage]:
        return {key: check for key, check in checks.items() if key not in self.seen.outcomes}

    async def _find_culprit(self, tab: _Tab, checks: Mapping[int, OnPage]) -> _Tab:
        """The page hung. Made anew it hangs by itself, or only under one of the checks, which are run one by one."""
        tab = await self._reopen(tab)
        try:
            await tab.evaluator.wait_until_loaded()
            await tab.evaluator.rest()
        except PageHangsError:
            self.seen.stopped = _HANGS
            return tab
        for key, check in checks.items():
            try:
                await tab.evaluator.run({key: check}, self.seen.outcomes)
            except PageHangsError:
                self.seen.outcomes[key] = (False, "the check runs without end")
                tab = await self._reopen(tab)
        return tab

    async def _run_shown(self, key: int, check: Shown) -> None:
        query = urlencode({check.parameter: check.value})
        tab = await self._open(f"{self._network.url}?{query}")
        try:
            await tab.evaluator.wait_until_loaded()
            await tab.evaluator.run({key: check}, self.seen.outcomes)
            holds, _ = self.seen.outcomes[key]
            verb = "shows" if holds else "does not show"
            self.seen.outcomes[key] = (holds, f"opened with ?{query}, the page {verb} it")
        except PageHangsError:
            self.seen.outcomes[key] = (False, f"opened with ?{query}, the page stops answering")

    async def _open(self, url: str, *, listen: bool = False) -> _Tab:
        """The app in a context that shares nothing, nor a process, with any other."""
        context = await self._browser.new_context(
            viewport={"width": screenshots.DESKTOP.width, "height": screenshots.DESKTOP.height},
            accept_downloads=False,
            service_workers="block",
        )
        self._contexts.append(context)
        await context.route("**/*", self._network.answer)
        page = await context.new_page()
        session = await context.new_cdp_session(page)
        page.on("dialog", self._listener.on_dialog)
        page.on("crash", self._listener.on_crash)
        page.on("popup", _close)
        if listen:
            await self._listener.attend(page, session)
        with suppress(PlaywrightError):  # it hangs, or went elsewhere at once: what is there is looked at anyway
            await page.goto(url, wait_until="commit", timeout=self._limits.load * 1000)
        return _Tab(context, session, Evaluator(session, self._limits))

    async def _reopen(self, tab: _Tab) -> _Tab:
        self._contexts.remove(tab.context)
        await self._leave(tab.context)
        return await self._open(self._network.url)

    async def _leave(self, context: BrowserContext) -> None:
        """Close a context, and with it pages that hang; a browser that cannot do that is given up."""
        try:
            async with asyncio.timeout(self._limits.silence):
                await context.close()
        except (TimeoutError, PlaywrightError):
            if self._browser.is_connected():
                with suppress(TimeoutError, PlaywrightError):
                    async with asyncio.timeout(self._limits.silence):
                        await self._browser.close()

    async def _portray(self, tab: _Tab) -> None:
        try:
            await tab.evaluator.wait_for_life(self._limits.silence)
        except PageHangsError:
            self.seen.stopped = _HANGS
            return
        answer = await tab.session.send("Runtime.evaluate", {"expression": _STATE, "returnByValue": True})
        state = answer["result"].get("value")
        if isinstance(state, dict):
            self.seen.title = str(state["title"])
            self.seen.blank = bool(state["blank"])
        with suppress(TimeoutError):  # a page whose loading was broken off is never drawn
            async with asyncio.timeout(self._limits.pictures):
                for view in (screenshots.DESKTOP, screenshots.PHONE):
                    picture = await screenshots.take(tab.session, view)
                    if picture is not None:
                        self.seen.screenshots.append(picture)


async def _close(page: Page) -> None:
    with suppress(PlaywrightError):
        await page.close()
