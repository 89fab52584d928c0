"""Evaluates checks on a page: each again and again until it is true or its time is over, all at the same time."""

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from playwright.async_api import CDPSession
from playwright.async_api import Error as PlaywrightError

from slipway_generator.checks import OnPage, Shown

_MAX_DETAIL = 300
_FIRST_PAUSE = 0.02
_LONGEST_PAUSE = 0.5
_BEAT = 0.25
_REST_BEATS = 5
_MAX_DEPARTURES = 3
_ELSEWHERE = "the page went elsewhere during the check"

# The value is judged and shown inside the page, so that nothing large travels.
_JUDGE = """
(async () => {
  let value = await (%s);
  if (typeof value === "function") value = await value();
  let shown;
  try { shown = typeof value === "object" ? JSON.stringify(value) : String(value); } catch { shown = String(value); }
  return { holds: Boolean(value), shown: String(shown).slice(0, 300) };
})()
"""
# A page whose loading was broken off is complete without a load event: hence the second look.
_LOADED = """
new Promise((resolve) => {
  const look = () => document.readyState === "complete" && resolve(true);
  look();
  addEventListener("load", resolve);
  setInterval(look, 50);
})
"""
_SEEN = """
((value) => {
  const attributes = ["src", "href", "value", "alt", "title", "data"];
  const elements = [...document.querySelectorAll("body, body *")];
  return elements[0].innerText.includes(value) || elements.some((element) =>
    attributes.some((name) => String(element[name] ?? "").includes(value)));
})(%s)
"""


class PageHangsError(Exception):
    """The page does not answer: something in it runs without end."""


@dataclass(frozen=True)
class Limits:
    """Seconds: for an app, for loading it, for a check that names no time and one that does, for one evaluation
    that never yields, for a page to give a sign of life, for the pictures."""

    app: float = 45.0
    load: float = 10.0
    check: float = 5.0
    longest_check: float = 30.0
    evaluation: float = 1.0
    silence: float = 3.0
    pictures: float = 6.0


def expression_for(check: OnPage | Shown) -> str:
    """What is evaluated: a promise of `{holds, shown}`, or the script itself (its last value counts)."""
    if isinstance(check, Shown):
        return _JUDGE % (_SEEN % json.dumps(check.value))
    if check.form == "script":
        return check.source
    if check.form == "body":
        return _JUDGE % ("(async () => {\n" + check.source + "\n})()")
    return _JUDGE % ("\n" + check.source.rstrip("; \t\r\n") + "\n")


class Evaluator:
    """Evaluates on the page of one CDP session."""

    def __init__(self, session: CDPSession, limits: Limits) -> None:
        self._session = session
        self._limits = limits
        self._lost = 0.0

    async def run(self, checks: Mapping[int, OnPage | Shown], outcomes: dict[int, tuple[bool, str]]) -> None:
        """Fill in `outcomes` for `checks`. Raises PageHangsError; what is decided by then is in `outcomes`."""
        watchers = [asyncio.create_task(self._watch(key, check, outcomes)) for key, check in checks.items()]
        heart = asyncio.create_task(self._listen())
        try:
            pending: set[asyncio.Task[None]] = set(watchers)
            while pending:
                done, pending = await asyncio.wait({*pending, heart}, return_when=asyncio.FIRST_COMPLETED)
                pending.discard(heart)
                for task in done:
                    task.result()
        finally:
            for task in (*watchers, heart):
                task.cancel()
            await asyncio.gather(*watchers, heart, return_exceptions=True)

    async def wait_until_loaded(self) -> None:
        """Return once the page is loaded, or as far as it gets. Raises PageHangsError."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._limits.load):
                while True:
                    try:
                        await self._session.send("Runtime.evaluate", {"expression": _LOADED, "awaitPromise": True})
                        return
                    except PlaywrightError as error:
                        if not _is_of_the_page(error):
                            raise
                    await asyncio.sleep(_FIRST_PAUSE)
        await self.wait_for_life(self._limits.silence)

    async def wait_for_life(self, seconds: float) -> None:
        """Return once the page answers. Raises PageHangsError."""
        try:
            async with asyncio.timeout(seconds):
                await self._session.send("Runtime.evaluate", {"expression": "1"})
        except TimeoutError:
            raise PageHangsError from None
        except PlaywrightError as error:
            if not _is_of_the_page(error):
                raise

    async def rest(self) -> None:
        """Leave the page alone for a while and see whether it lives. Raises PageHangsError."""
        for _ in range(_REST_BEATS):
            await asyncio.sleep(_BEAT)
            await self.wait_for_life(self._limits.silence)

    async def _listen(self) -> None:
        """Ask for a sign of life now and then. Raises PageHangsError."""
        while True:
            await asyncio.sleep(_BEAT)
            await self.wait_for_life(self._limits.silence)

    async def _watch(self, key: int, check: OnPage | Shown, outcomes: dict[int, tuple[bool, str]]) -> None:
        loop = asyncio.get_running_loop()
        start = loop.time()
        limit = min(check.seconds, self._limits.longest_check)
        expression = expression_for(check)
        pause = _FIRST_PAUSE
        departures = 0
        detail: str | None = None
        while True:
            left = start + limit + self._lost - loop.time()
            if left <= 0 and detail is not None:
                outcomes[key] = (False, detail)
                return
            try:
                async with asyncio.timeout(max(left, self._limits.evaluation)):
                    holds, detail = await self._evaluate(expression, repl=_is_script(check))
            except TimeoutError:
                await self.wait_for_life(self._limits.silence)  # else it is the page that does not answer
                outcomes[key] = (False, f"it was not settled after {limit:g} s")
                return
            except _EndlessError:
                self._lost += self._limits.evaluation
                outcomes[key] = (False, f"the check runs without end (stopped after {self._limits.evaluation:g} s)")
                return
            departures += detail == _ELSEWHERE
            if holds or departures >= _MAX_DEPARTURES:
                outcomes[key] = (holds, detail)
                return
            await asyncio.sleep(pause)
            pause = min(pause * 1.6, _LONGEST_PAUSE)

    async def _evaluate(self, expression: str, *, repl: bool) -> tuple[bool, str]:
        start = asyncio.get_running_loop().time()
        try:
            answer = await self._session.send(
                "Runtime.evaluate",
                {
                    "expression": expression,
                    "awaitPromise": True,
                    "returnByValue": not repl,
                    "replMode": repl,
                    "userGesture": True,
                    "timeout": self._limits.evaluation * 1000,
                },
            )
        except PlaywrightError as error:
            # What its `timeout` ended is reported as "Internal error", which says nothing by itself.
            if asyncio.get_running_loop().time() - start >= self._limits.evaluation and "rror (Ru" in error.message:
                raise _EndlessError from None
            if _is_of_the_page(error):
                return False, _ELSEWHERE
            raise
        if "exceptionDetails" in answer:
            return False, describe_exception(answer["exceptionDetails"])
        result = answer["result"]
        if repl:
            return _truthy(result), _shown(result)[:_MAX_DETAIL]
        value = result.get("value")
        if not isinstance(value, dict):
            return False, _ELSEWHERE
        return bool(value.get("holds")), str(value.get("shown"))[:_MAX_DETAIL]


class _EndlessError(Exception):
    """The browser stopped an evaluation that ran over its time."""


def _is_of_the_page(error: PlaywrightError) -> bool:
    """Whether the page went elsewhere meanwhile; otherwise its process or the browser is gone."""
    gone = ("Target closed", "Session closed", "crashed")
    return "Protocol error" in error.message and not any(told in error.message for told in gone)


def _is_script(check: OnPage | Shown) -> bool:
    return isinstance(check, OnPage) and check.form == "script"


def _shown(result: Mapping[str, Any]) -> str:
    return str(json.dumps(result["value"]) if "value" in result else result.get("description", result["type"]))


def _truthy(result: Mapping[str, Any]) -> bool:
    if "unserializableValue" in result:
        return result["unserializableValue"] not in {"NaN", "-0", "0n"}
    return bool(result.get("value")) or (result["type"] in {"object", "function", "symbol"} and "objectId" in result)


def describe_exception(details: Mapping[str, Any]) -> str:
    """`exceptionDetails` of the Chrome DevTools Protocol in one line."""
    exception = details.get("exception", {})
    text = exception.get("description") or exception.get("value") or details.get("text", "")
    return str(text).partition("\n")[0][:_MAX_DETAIL]
