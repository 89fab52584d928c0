"""The inspector: proves an app in a real browser before it ships."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import structlog
from playwright.async_api import Error as PlaywrightError

from slipway_common.events import Check, CheckOutcome, CheckResult
from slipway_generator.browser.chromium import Chromium
from slipway_generator.browser.evaluation import Limits
from slipway_generator.browser.evidence import Evidence, Observed, findings_of, settle
from slipway_generator.browser.mirror import Mirror
from slipway_generator.browser.network import Network
from slipway_generator.browser.page import PageVisit
from slipway_generator.browser.public_web import PublicWeb
from slipway_generator.checks import NotRun, OnFiles, OnPage, Plan, Shown, plan, text_of

log = structlog.get_logger()
NO_BROWSER = "no Chromium found: install chromium-headless-shell or set CHROMIUM_PATH"
_ATTEMPTS = 2


@dataclass(frozen=True)
class _Visit:
    """What was seen, or why nothing was."""

    seen: Observed | None
    reason: str = ""
    notes: tuple[str, ...] = ()


class Inspector:
    """Inspects apps in one warm Chromium, started at the first inspection and restarted when it dies.

    `chromium_path` None: there is no browser, and what needs one is not run. `cdn_dir`: packages that stand in for
    CDNs. `web`: how public hosts are asked (None: not at all). `parallel`: apps at a time, the rest waits.
    """

    def __init__(
        self,
        chromium_path: Path | None,
        cdn_dir: Path | None = None,
        *,
        web: PublicWeb | None = None,
        limits: Limits | None = None,
        uses: int = 200,
        parallel: int = 2,
    ) -> None:
        self._chromium = Chromium(chromium_path, uses=uses) if chromium_path is not None else None
        self._mirror = Mirror(cdn_dir)
        self._web = web
        self._limits = limits or Limits()
        self._slots = asyncio.Semaphore(parallel)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End the browser. Inspections that still run fail."""
        if self._chromium is not None:
            await self._chromium.close()

    async def inspect(
        self, files: Mapping[str, bytes], owner: str, repo: str, checks: Sequence[tuple[int, Check]]
    ) -> Evidence:
        """What the app of `files` does at https://<owner>.github.io/<repo>/, and the outcome of each (round, check).

        Never raises for what the app does; a browser that dies twice makes the evidence unavailable.
        """
        plans = [await asyncio.to_thread(plan, check, self._limits.check) for _, check in checks]
        on_page = {key: it for key, it in enumerate(plans) if isinstance(it, OnPage | Shown)}
        visit = await self._visit(lambda: Network(files, owner, repo, self._mirror, self._web), on_page)
        results = []
        for key, ((round_, check), it) in enumerate(zip(checks, plans, strict=True)):
            outcome, detail = _decide(it, files, visit, key)
            for_person = isinstance(it, NotRun) and it.for_person
            results.append(
                CheckResult(round=round_, check=text_of(check), outcome=outcome, detail=detail, for_person=for_person)
            )
        seen = visit.seen
        if seen is None:
            return Evidence(available=False, reason=visit.reason, checks=tuple(results), notes=visit.notes)
        withheld = list(seen.traffic.withheld)
        return Evidence(
            available=True,
            title=seen.title or "",
            checks=tuple(results),
            findings=findings_of(seen),
            screenshots=tuple(seen.screenshots),
            notes=visit.notes + (("not loaded here: " + ", ".join(withheld[:5]),) if withheld else ()),
        )

    async def _visit(self, network: Callable[[], Network], checks: Mapping[int, OnPage | Shown]) -> _Visit:
        """Look at the app. A browser that dies under the inspection costs one retry."""
        if self._chromium is None:
            return _Visit(None, NO_BROWSER)
        async with self._slots:
            return await self._try(self._chromium, network, checks)

    async def _try(
        self, chromium: Chromium, network: Callable[[], Network], checks: Mapping[int, OnPage | Shown]
    ) -> _Visit:
        notes: list[str] = []
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                async with chromium.use() as browser:
                    visit = PageVisit(browser, network(), self._limits)
                    await visit.look(checks)
                    if browser.is_connected() and (attempt == _ATTEMPTS or not visit.crashed):
                        return _Visit(visit.seen, notes=tuple(notes))
                notes.append("the page's process ended" if visit.crashed else "Chromium ended during the inspection")
            except PlaywrightError as error:
                notes.append(f"Chromium failed: {error.message.partition(chr(10))[0][:200]}")
            log.warning("browser failed", attempt=attempt, reason=notes[-1])
        return _Visit(None, notes[-1], tuple(notes))


def _decide(it: Plan, files: Mapping[str, bytes], visit: _Visit, key: int) -> tuple[CheckOutcome, str]:
    if isinstance(it, NotRun):
        return "not_run", it.reason
    if isinstance(it, OnFiles):
        holds, detail = it.decide(files)
        return ("true" if holds else "false"), detail
    if visit.seen is None:
        return "not_run", visit.reason
    holds, detail = visit.seen.outcomes.get(key, (False, visit.seen.stopped or "the time for this app was over"))
    return settle(holds, detail, visit.seen.traffic)
