"""Listens to a page: uncaught errors, console errors, policy violations, dialogs, navigations without end."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from playwright.async_api import CDPSession, Dialog, Frame, Page
from playwright.async_api import Error as PlaywrightError

from slipway_generator.browser.evaluation import describe_exception
from slipway_generator.browser.evidence import Complaint, Observed

_MAX_COMPLAINTS = 30
_MAX_NAVIGATIONS = 20
_MAX_DIALOGS = 50
_SHOWN_LENGTH = 300


class Listener:
    """Writes what a page complains of into `seen`; `gives_up` is set when there is no use in watching on."""

    def __init__(self, seen: Observed) -> None:
        self._seen = seen
        self._navigations = 0
        self.gives_up = asyncio.Event()
        self.crashed = False

    async def attend(self, page: Page, session: CDPSession) -> None:
        """Follow everything that the page says from now on."""
        page.on("framenavigated", self._on_navigated)
        session.on("Runtime.exceptionThrown", self._on_exception)
        session.on("Runtime.consoleAPICalled", self._on_console)
        session.on("Log.entryAdded", self._on_log)
        await asyncio.gather(session.send("Runtime.enable"), session.send("Log.enable"))

    async def on_dialog(self, dialog: Dialog) -> None:
        """Dismiss it: a dialog stops the page until someone answers."""
        self._seen.dialogs.append(f"{dialog.type}: {dialog.message[:100]}")
        if len(self._seen.dialogs) > _MAX_DIALOGS:
            self._give_up("the page opens dialogs without end")
        with suppress(PlaywrightError):
            await dialog.dismiss()

    def on_crash(self, _page: Page) -> None:
        """Its process ended: nothing more is to be seen of it."""
        self.crashed = True
        self._give_up("the page crashed: it may need too much memory")

    def _give_up(self, reason: str) -> None:
        self._seen.stopped = self._seen.stopped or reason
        self.gives_up.set()

    def _on_navigated(self, frame: Frame) -> None:
        if frame.parent_frame is None:
            self._navigations += 1
            if self._navigations > _MAX_NAVIGATIONS:
                self._give_up(f"the page goes elsewhere or reloads without end ({self._navigations} times)")

    def _complain(self, kind: str, text: str, url: str, line: int | None) -> None:
        if len(self._seen.complaints) < _MAX_COMPLAINTS:
            complaint = Complaint(kind, text.partition("\n")[0][:_SHOWN_LENGTH], url, line)
            if complaint not in self._seen.complaints:
                self._seen.complaints.append(complaint)

    def _on_exception(self, event: Mapping[str, Any]) -> None:
        details = event["exceptionDetails"]
        self._complain("uncaught error", describe_exception(details), details.get("url", ""), details["lineNumber"] + 1)

    def _on_console(self, event: Mapping[str, Any]) -> None:
        if event["type"] not in {"error", "assert"}:
            return
        text = " ".join(str(part.get("value", part.get("description", ""))) for part in event["args"])
        frames = event.get("stackTrace", {}).get("callFrames", [])
        url, line = (frames[0]["url"], frames[0]["lineNumber"] + 1) if frames else ("", None)
        self._complain("console error", text, url, line)

    def _on_log(self, event: Mapping[str, Any]) -> None:
        entry = event["entry"]
        self._note_wrong_version(entry["text"])
        if entry["level"] == "error":
            kind = "content security policy" if "Content Security Policy" in entry["text"] else "browser error"
            self._complain(kind, entry["text"], entry.get("url", ""), entry.get("lineNumber", -1) + 1 or None)

    def _note_wrong_version(self, text: str) -> None:
        """A file of another version than asked for fails its integrity hash: it was as good as not there."""
        if "integrity" in text:
            for url, kind in self._seen.traffic.inexact.items():
                if url in text:
                    self._seen.traffic.decisive[url] = kind
