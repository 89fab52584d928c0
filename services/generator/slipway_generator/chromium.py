"""One warm Chromium: found, launched with nothing to reach, restarted when it died or is worn."""

import os
import shutil
from pathlib import Path

from playwright.async_api import Browser, Playwright, async_playwright

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
# Routing alone lets WebRTC out, and the loopback address past a proxy: nothing gets out of these together.
_DEAD_PROXY = "http://127.0.0.1:9"
_ARGUMENTS = (
    "--disable-gpu",
    "--no-sandbox",
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
        self._playwright: Playwright | None = None
        self._browser: Browser | None = None

    async def get(self, *, busy: bool) -> Browser:
        """The warm browser; a new one when it died, or is worn and nobody else uses it."""
        browser = self._browser
        if browser is not None and (not browser.is_connected() or (self._used >= self._uses and not busy)):
            await self._quit()
            browser = None
        if browser is None:
            if self._playwright is None:
                self._playwright = await async_playwright().start()
            browser = self._browser = await self._playwright.chromium.launch(
                executable_path=os.fspath(self._path),
                args=list(_ARGUMENTS),
                proxy={"server": _DEAD_PROXY, "bypass": "<-loopback>"},
                timeout=20_000,
            )
            self._used = 0
        self._used += 1
        return browser

    async def close(self) -> None:
        """End the browser and its driver."""
        await self._quit()
        if self._playwright is not None:
            await self._playwright.stop()
            self._playwright = None

    async def _quit(self) -> None:
        browser, self._browser = self._browser, None
        if browser is not None:
            await browser.close()
