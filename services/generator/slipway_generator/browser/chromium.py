"""One warm Chromium: found, launched with nothing to reach, restarted when it died or is worn."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import structlog
from playwright.async_api import Browser, Playwright, async_playwright
from playwright.async_api import Error as PlaywrightError

log = structlog.get_logger()
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
# Routing alone lets WebRTC, and a proxy alone what goes to loopback, get out: nothing does past all of these.
_DEAD_PROXY = "http://127.0.0.1:9"
_START_S = 20.0
_GRACE_S = 5.0
_ARGUMENTS = (
    "--disable-gpu",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--mute-audio",
    "--js-flags=--max-old-space-size=512",
)


def find_chromium(configured: str | None) -> Path | None:
    """CHROMIUM_PATH when it is set (and then nothing else), otherwise the first of NAMES on the PATH."""
    if configured:
        found = shutil.which(configured)
        return Path(found) if found else None
    return next((Path(found) for name in NAMES if (found := shutil.which(name))), None)


class Chromium:
    """A browser that is started when it is first asked for."""

    def __init__(self, path: Path, *, uses: int) -> None:
        self._path = path
        self._uses = uses
        self._used = 0
        self._users = 0
        self._sandboxed = os.geteuid() != 0
        self._lock = asyncio.Lock()
        self._playwright: Playwright | None = None
        self._browser: Browser | None = None

    @asynccontextmanager
    async def use(self) -> AsyncIterator[Browser]:
        """The warm browser; a new one when it does not answer, or is worn and nobody else uses it.

        Raises playwright's Error when Chromium cannot be started.
        """
        async with self._lock:
            worn = self._used >= self._uses and not self._users
            if self._browser is None or worn or not await _answers(self._browser):
                await _to_its_end(self._restart())
            browser = self._browser
            assert browser is not None  # noqa: S101 - _restart set it or raised
            self._used += 1
            self._users += 1
        try:
            yield browser
        finally:
            self._users -= 1

    async def close(self) -> None:
        """End the browser and its driver."""
        async with self._lock:
            await _to_its_end(self._quit())

    async def _restart(self) -> None:
        await self._quit()
        try:
            self._playwright = await async_playwright().start()
        except Exception as error:  # noqa: BLE001 (a driver that does not start raises no type of its own)
            raise PlaywrightError(f"the driver does not start: {error}") from None
        try:
            self._browser = await self._launch(self._playwright)
        except PlaywrightError:
            if not self._sandboxed:
                raise
            self._sandboxed = False
            self._browser = await self._launch(self._playwright)
            log.info("chromium runs without its own sandbox", reason="it needs user namespaces, refused here")
        self._used = 0

    async def _launch(self, playwright: Playwright) -> Browser:
        return await playwright.chromium.launch(
            executable_path=os.fspath(self._path),
            args=list(_ARGUMENTS),
            chromium_sandbox=self._sandboxed,
            proxy={"server": _DEAD_PROXY, "bypass": "<-loopback>"},
            timeout=_START_S * 1000,
        )

    async def _quit(self) -> None:
        """End both, whatever state they are in: a driver that is told to stop kills its browser."""
        browser, self._browser = self._browser, None
        playwright, self._playwright = self._playwright, None
        with suppress(Exception):
            async with asyncio.timeout(_GRACE_S):
                if browser is not None:
                    await browser.close()
        with suppress(Exception):
            async with asyncio.timeout(_GRACE_S):
                if playwright is not None:
                    await playwright.stop()


async def _to_its_end(work: Coroutine[None, None, None]) -> None:
    """Await `work` even when cancelled meanwhile: a driver that is half started would be left behind."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise


async def _answers(browser: Browser) -> bool:
    """Whether the browser is alive; `is_connected` is still true when only the driver died."""
    try:
        async with asyncio.timeout(_GRACE_S):
            session = await browser.new_browser_cdp_session()
            await session.send("Browser.getVersion")
            await session.detach()
    except (TimeoutError, PlaywrightError):
        return False
    return True
