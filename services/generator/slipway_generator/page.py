"""Looks at one app in a fresh browser context: loads it, runs the checks, listens, takes the pictures."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from playwright.async_api import Browser, BrowserContext, CDPSession, Dialog, Page
from playwright.async_api import Error as PlaywrightError

from slipway_generator import screenshots
from slipway_generator.checks import OnPage, Shown
from slipway_generator.evaluation import Evaluator, Limits, PageHangsError, describe_exception
from slipway_generator.evidence import Complaint, Observed
from slipway_generator.network import Network

_MAX_COMPLAINTS = 50
_MAX_NAVIGATIONS = 20
_MAX_RELOADS = 2
_STATE = """
({ title: document.title, blank: !document.body || (document.body.innerText.trim() === "" &&
   !document.body.querySelector("img, svg, canvas, video, iframe, input, button, object, embed")) })
"""


class PageVisit:
    """One app in one context. `seen` grows while it goes on, so that what was seen before a time limit is kept."""

    def __init__(self, browser: Browser, network: Network, limits: Limits) -> None:
        self._browser = browser
        self._network = network
        self._limits = limits
        self._navigations = 0
        self.seen = Observed(network.url, network.traffic)

    async def look(self, checks: Mapping[int, OnPage | Shown]) -> None:
        """Fill in `seen`. Raises PlaywrightError when the browser dies; never lasts longer than `limits.app`."""
        context = await self._browser.new_context(
            viewport={"width": screenshots.DESKTOP.width, "height": screenshots.DESKTOP.height},
            accept_downloads=False,
            service_workers="block",
        )
        try:
            async with asyncio.timeout(self._limits.app):
                await self._look(context, checks)
        except TimeoutError:
            self.seen.stopped = f"the page was stopped: it was not done after {self._limits.app:g} s"
        finally:
            await self._leave(context)

    async def _leave(self, context: BrowserContext) -> None:
        try:
            async with asyncio.timeout(self._limits.silence):
                await context.close()
        except (TimeoutError, PlaywrightError):
            if self._browser.is_connected():
                await self._browser.close()

    async def _look(self, context: BrowserContext, checks: Mapping[int, OnPage | Shown]) -> None:
        await context.route("**/*", self._network.answer)
        on_page = {key: check for key, check in checks.items() if isinstance(check, OnPage)}
        page, session = await self._open(context, self._network.url, listen=True)
        left = await self._run(session, on_page)
        if self.seen.stopped == "":
            await self._portray(session)
        for _ in range(_MAX_RELOADS):
            if not left:
                break
            # Something hung: the page is made anew, and from here on each check stands alone.
            await page.close()
            page, session = await self._open(context, self._network.url)
            for key, check in list(left.items()):
                del left[key]
                if await self._run(session, {key: check}):
                    self.seen.outcomes[key] = (False, "the page does not answer any more once this check runs")
                    break
        for key in left:
            self.seen.outcomes[key] = (False, "the page hangs")
        for key, check in checks.items():
            if isinstance(check, Shown):
                page, session = await self._open(context, f"{self._network.url}?{check.parameter}={check.value}")
                await self._run(session, {key: check})
                await page.close()

    async def _open(self, context: BrowserContext, url: str, *, listen: bool = False) -> tuple[Page, CDPSession]:
        page = await context.new_page()
        session = await context.new_cdp_session(page)
        page.on("dialog", self._dismiss)
        page.on("popup", _close)
        if listen:
            page.on("framenavigated", lambda frame: self._count(frame.parent_frame is None))
            session.on("Runtime.exceptionThrown", self._on_exception)
            session.on("Runtime.consoleAPICalled", self._on_console)
            session.on("Log.entryAdded", self._on_log)
            await asyncio.gather(session.send("Runtime.enable"), session.send("Log.enable"))
        with suppress(PlaywrightError):  # too slow, or went elsewhere at once: what is there is looked at anyway
            await page.goto(url, wait_until="load", timeout=self._limits.load * 1000)
        return page, session

    async def _run(self, session: CDPSession, checks: Mapping[int, OnPage | Shown]) -> dict[int, OnPage | Shown]:
        """Evaluate `checks`; those that a hanging page left undecided are given back."""
        try:
            await Evaluator(session, self._limits).run(checks, self.seen.outcomes)
        except PageHangsError:
            self.seen.stopped = "the page stopped answering: a script in it runs without end"
        return {key: check for key, check in checks.items() if key not in self.seen.outcomes}

    async def _portray(self, session: CDPSession) -> None:
        state = (await session.send("Runtime.evaluate", {"expression": _STATE, "returnByValue": True}))["result"]
        self.seen.title = state["value"]["title"]
        self.seen.blank = state["value"]["blank"]
        for view in (screenshots.DESKTOP, screenshots.PHONE):
            picture = await screenshots.take(session, view)
            if picture is not None:
                self.seen.screenshots.append(picture)

    async def _dismiss(self, dialog: Dialog) -> None:
        if len(self.seen.dialogs) < _MAX_COMPLAINTS:
            self.seen.dialogs.append(f"{dialog.type}: {dialog.message[:100]}")
        with suppress(PlaywrightError):
            await dialog.dismiss()

    def _count(self, main: bool) -> None:
        self._navigations += main
        if self._navigations > _MAX_NAVIGATIONS:
            self.seen.stopped = f"the page goes elsewhere without end ({self._navigations} times)"

    def _complain(self, complaint: Complaint) -> None:
        if len(self.seen.complaints) < _MAX_COMPLAINTS:
            self.seen.complaints.append(complaint)

    def _on_exception(self, event: dict[str, Any]) -> None:
        details = event["exceptionDetails"]
        url, line = details.get("url", ""), details["lineNumber"] + 1
        self._complain(Complaint("uncaught error", describe_exception(details), url, line))

    def _on_console(self, event: dict[str, Any]) -> None:
        if event["type"] not in {"error", "assert"}:
            return
        text = " ".join(str(part.get("value", part.get("description", ""))) for part in event["args"])
        frames = event.get("stackTrace", {}).get("callFrames", [])
        url, line = (frames[0]["url"], frames[0]["lineNumber"] + 1) if frames else ("", None)
        self._complain(Complaint("console error", text.partition("\n")[0], url, line))

    def _on_log(self, event: dict[str, Any]) -> None:
        entry = event["entry"]
        if entry["level"] == "error":
            kind = "content security policy" if "Content Security Policy" in entry["text"] else "browser error"
            line = entry["lineNumber"] + 1 if "lineNumber" in entry else None
            self._complain(Complaint(kind, entry["text"].partition("\n")[0], entry.get("url", ""), line))


async def _close(page: Page) -> None:
    with suppress(PlaywrightError):
        await page.close()
