"""The proof in a real browser: an app is served from memory, watched, and asked whether its checks hold."""

from slipway_generator.browser.evidence import Evidence
from slipway_generator.browser.inspector import NO_BROWSER, Inspector

__all__ = ["NO_BROWSER", "Evidence", "Inspector"]
