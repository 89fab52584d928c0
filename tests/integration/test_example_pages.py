"""The examples' pages in a real browser: every check holds, and other data give other figures."""

import json
import os
import runpy
import zlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
from played_examples import EXAMPLES, ROUNDS, Promised, play

from slipway_common.events import Check, JsCheck
from slipway_generator.browser import NO_BROWSER, Inspector
from slipway_generator.browser.chromium import find_chromium
from slipway_generator.browser.evidence import Evidence

CHROMIUM = find_chromium(os.environ.get("CHROMIUM_PATH"))
CDN_DIR = Path(os.environ["CDN_DIR"]) if os.environ.get("CDN_DIR") else None

needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason=NO_BROWSER)


def _text(selector: str, text: str) -> JsCheck:
    return _is(f"document.querySelector({json.dumps(selector)}).textContent.trim()", text)


def _is(expression: str, value: object) -> JsCheck:
    return JsCheck(js=f"{expression} === {json.dumps(value)}")


def _promises(promised: Promised) -> list[Check]:
    return [_is("document.title", promised.title), *(_text(where, text) for where, text in promised.shows.items())]


def _choose(selector: str, value: str) -> str:
    """JavaScript for a function's body: picks an option as a reader would; the function is false until it is there."""
    return (
        f"{{ const menu = document.querySelector({json.dumps(selector)});"
        f" if (![...menu.options].some((option) => option.value === {json.dumps(value)})) return false;"
        f" menu.value = {json.dumps(value)}; menu.dispatchEvent(new Event('change', {{ bubbles: true }})); }}"
    )


def _after(choices: list[str], *wanted: JsCheck) -> JsCheck:
    return JsCheck(js=f"(() => {{ {' '.join(choices)} return {' && '.join(check.js for check in wanted)}; }})()")


def _total(value: float) -> JsCheck:
    return JsCheck(js=f"Math.abs(document.querySelector('#total-sales').textContent - {value}) < 0.01")


@pytest.fixture
async def inspector() -> AsyncIterator[Inspector]:
    async with Inspector(CHROMIUM, CDN_DIR) as found:
        yield found


def _untrue(evidence: Evidence) -> list[str]:
    """Checks that were run and are not true. A CDN that is not there makes a check inconclusive, so no failure."""
    assert evidence.available, evidence.reason
    allowed = {"true", "not_run"} if CDN_DIR else {"true", "not_run", "inconclusive"}
    return [f"{it.outcome}: {it.check} ({it.detail})" for it in evidence.checks if it.outcome not in allowed]


async def _holds(inspector: Inspector, app: Mapping[str, bytes], *checks: Check) -> None:
    evidence = await inspector.inspect(app, "someone", "example", [(1, check) for check in checks])
    assert evidence.available, evidence.reason
    assert [(it.outcome, it.check, it.detail) for it in evidence.checks if it.outcome != "true"] == []


@needs_chromium
@pytest.mark.parametrize(("project", "number"), ROUNDS)
async def test_all_checks_so_far_hold_in_a_browser(inspector: Inspector, project: str, number: int) -> None:
    played = play(project, number)
    wanted = [*played.checks, *((number, check) for check in _promises(played.promised))]
    evidence = await inspector.inspect(played.app, "someone", "example", wanted)
    assert _untrue(evidence) == []
    assert [finding.message for finding in evidence.findings if finding.severity == "error"] == []
    executable = [check for _, check in wanted if isinstance(check, JsCheck)]
    assert len([it for it in evidence.checks if it.outcome != "not_run"]) >= len(executable)


@needs_chromium
async def test_the_sales_page_computes_with_other_data(inspector: Inspector) -> None:
    app = {
        **play("sum-of-sales", 4).app,
        "data.csv": b'Region,Sales,Product\r\nNorth,100.5,"Nut, hex"\r\nSouth,200.25,Bolt\r\nNorth,1000,Bolt\r\n',
        "rates.json": b'{"base": "USD", "rates": {"USD": 1, "EUR": 0.5, "CHF": 2}}',
    }
    rows = "[...document.querySelectorAll('#product-sales tbody tr')].map((row) => [row.cells[0], row.cells[2]]"
    table = f"JSON.stringify({rows}.map((cell) => cell.textContent)))"
    await _holds(
        inspector,
        app,
        _text("#total-sales", "1300.75"),
        _text("#total-currency", "USD"),
        _is(table, '[["Bolt","1200.25"],["Nut, hex","100.50"]]'),
    )
    choices = [_choose("#region-filter", "North"), _choose("#currency-picker", "CHF")]
    after = _after(
        choices,
        _text("#total-sales", "2201.00"),
        _text("#total-currency", "CHF"),
        _is("document.querySelector('#total-sales').dataset.region", "North"),
        _is(table, '[["Bolt","2000.00"],["Nut, hex","201.00"]]'),
    )
    await _holds(inspector, app, after)


@needs_chromium
@pytest.mark.parametrize(("currency", "total"), [("EUR", 16307.46), ("JPY", 2649962.25)])
async def test_the_sales_page_converts_by_the_attached_rates(inspector: Inspector, currency: str, total: float) -> None:
    check = _after([_choose("#currency-picker", currency)], _total(total), _text("#total-currency", currency))
    await _holds(inspector, play("sum-of-sales", 4).app, check)


@needs_chromium
@pytest.mark.parametrize(
    ("region", "total"), [("North", 5771.0), ("South", 2936.5), ("East", 4374.43), ("West", 4643.57)]
)
async def test_the_sales_page_filters_by_region(inspector: Inspector, region: str, total: float) -> None:
    check = _after([_choose("#region-filter", region)], _total(total))
    await _holds(inspector, play("sum-of-sales", 4).app, check)


@needs_chromium
async def test_the_markdown_page_shows_and_counts_another_text(inspector: Inspector) -> None:
    app = {**play("markdown-to-html", 4).app, "input.md": b"# Other\n\n" + b"word " * 1500}
    await _holds(
        inspector,
        app,
        _text("#markdown-word-count", "1,502"),
        JsCheck(js="document.querySelector('#markdown-output').textContent.includes('Other')"),
        JsCheck(js="document.querySelector('#markdown-source').textContent.startsWith('# Other')"),
    )


@needs_chromium
async def test_the_summary_page_reads_another_report(inspector: Inspector) -> None:
    report = (
        b"---\ntitle: Ferries\ndate: 2020-01-01\n---\n## A\n\n| Trail | Visitors |\n|---|---|\n| P | 70 |\n| Q | 2 |\n"
    )
    app = {**play("markdown-summary", 2).app, "report.md": report + b"\n## B\n\n- [ ] one\n- [ ] two\n- [ ] three\n"}
    shows = {
        "#report-title": "Ferries", "#report-date": "2020-01-01", "#section-count": "2", "#visitor-total": "72",
        "#busiest-trail": "P", "#open-count": "3",
    }  # fmt: skip
    await _holds(inspector, app, *(_text(selector, text) for selector, text in shows.items()))


@needs_chromium
@pytest.mark.parametrize("text", ["HELP9", "ABCDEFGH", "JKLMNPQR", "STUVWXYZ", "23456789"])
async def test_the_captcha_page_reads_the_pixels(inspector: Inspector, text: str) -> None:
    app = {**play("captcha-solver", 2).app, "sample.png": _draw(text, seed=7)}
    await _holds(inspector, app, _text("#captcha-text", text))


def test_the_attached_captcha_is_what_the_script_draws() -> None:
    played = play("captcha-solver", 1)
    assert _pixels(played.app["sample.png"]) == _pixels(_draw(played.promised.shows["#captcha-text"]))


def _draw(text: str, seed: int = 0) -> bytes:
    drawn: object = runpy.run_path(str(EXAMPLES / "captcha-solver" / "draw.py"))["draw"](text, seed)
    assert isinstance(drawn, bytes)
    return drawn


def _pixels(png: bytes) -> bytes:
    """The scan lines of a PNG whose pixels are one chunk; zlib's versions differ in how they pack them."""
    start = png.index(b"IDAT") + 4
    return png[:33] + zlib.decompress(png[start : png.rindex(b"IEND") - 8])
