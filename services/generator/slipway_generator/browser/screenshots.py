"""Pictures of the page, desktop and phone, each small enough to travel in an event."""

import base64
from dataclasses import dataclass

from playwright.async_api import CDPSession

from slipway_common.events import Screenshot

MAX_BYTES = 60 * 1024


@dataclass(frozen=True)
class View:
    """A window, in CSS pixels."""

    width: int
    height: int
    mobile: bool


DESKTOP = View(1280, 800, mobile=False)
PHONE = View(390, 844, mobile=True)
# (quality of WebP, scale): the first that fits is taken.
_STEPS = ((70, 1.0), (40, 1.0), (15, 1.0), (30, 0.5), (10, 0.25))


async def take(session: CDPSession, view: View) -> Screenshot | None:
    """The top of the page as `view` shows it, as WebP of at most MAX_BYTES; None when no step gets it that small."""
    await session.send(
        "Emulation.setDeviceMetricsOverride",
        {"width": view.width, "height": view.height, "deviceScaleFactor": 1, "mobile": view.mobile},
    )
    for quality, scale in _STEPS:
        clip = {"x": 0, "y": 0, "width": view.width, "height": view.height, "scale": scale}
        options = {"format": "webp", "quality": quality, "optimizeForSpeed": True}
        answer = await session.send("Page.captureScreenshot", options if scale == 1.0 else {**options, "clip": clip})
        if len(base64.b64decode(answer["data"])) <= MAX_BYTES:
            return Screenshot(width=view.width, webp=answer["data"])
    return None
