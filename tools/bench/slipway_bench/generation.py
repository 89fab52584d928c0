"""What makes generation surgical and quick: what revisions leave untouched, what edits save, how long code takes."""

import asyncio
from html.parser import HTMLParser
from typing import Annotated

from slipway_bench.big_pages import README, exact_edits, inexact_edits, page_of_bytes, page_of_lines
from slipway_bench.corpus import edit_shares
from slipway_bench.figures import Figures, Told
from slipway_bench.grounds import Grounds
from slipway_bench.played_examples import revisions
from slipway_bench.stopwatch import best_ms
from slipway_generator.assembly import mit_license
from slipway_generator.edits import apply_edits
from slipway_generator.inspection import inspect_app
from slipway_generator.reply import EditBlock

BLOCKS = 20
LINES = 3_000
BYTES = 200 * 1024
CHECKS = ["document.getElementById('out-1').textContent === '1.50'", "document.title.length > 0"]


class GenerationFigures(Figures):
    """Times are the fastest of many runs."""

    untouched: Annotated[dict[str, float], Told("share", "lines that an example's revision keeps in order")]
    rewrites: Annotated[int, Told("files", "that a revision of the examples sent as a whole")]
    reply_share: Annotated[dict[str, float], Told("", "edit reply / whole-page reply, corpus, 400 lines and more")]
    edits_ms: Annotated[float, Told("ms", "20 edit blocks on a page of 3,000 lines")]
    inexact_edits_ms: Annotated[float, Told("ms", "the same, with blanks and indentation miscopied")]
    replace_ms: Annotated[float, Told("ms", "baseline: the same texts counted and replaced by str.replace")]
    edits_ratio: Annotated[float, Told("", "exact edits / baseline")]
    inspection_ms: Annotated[float, Told("ms", "static inspection of an app with a page of 200 KB")]
    html_parser_ms: Annotated[float, Told("ms", "baseline: html.parser reads the same page")]
    inspection_ratio: Annotated[float, Told("", "inspection / baseline")]


async def measure(grounds: Grounds) -> GenerationFigures:
    return await asyncio.to_thread(_measure)


def _measure() -> GenerationFigures:
    played = list(revisions())
    page, blocks = page_of_lines(LINES), exact_edits(BLOCKS)
    edits_ms = best_ms(lambda: apply_edits(page, blocks, "index.html"))
    inexact_ms = best_ms(lambda: apply_edits(page, inexact_edits(BLOCKS), "index.html"))
    replace_ms = best_ms(lambda: _replaced(page, blocks))
    large = page_of_bytes(BYTES)
    app = {"index.html": large.encode(), "README.md": README, "LICENSE": mit_license(2025, "someone")}
    errors = [finding for finding in inspect_app(app, CHECKS) if finding.severity == "error"]
    if errors:
        raise RuntimeError(f"the page of 200 KB should be sound, but: {errors[0]}")
    inspection_ms = best_ms(lambda: inspect_app(app, CHECKS))
    parser_ms = best_ms(lambda: _parsed(large))
    return GenerationFigures(
        untouched={revision.name: revision.edit.untouched for revision in played},
        rewrites=sum(revision.edit.rewrite for revision in played),
        reply_share=dict(edit_shares()),
        edits_ms=edits_ms, inexact_edits_ms=inexact_ms, replace_ms=replace_ms, edits_ratio=edits_ms / replace_ms,
        inspection_ms=inspection_ms, html_parser_ms=parser_ms, inspection_ratio=inspection_ms / parser_ms,
    )  # fmt: skip


def _replaced(page: str, blocks: list[EditBlock]) -> str:
    """What a script without any care would do."""
    for block in blocks:
        if page.count(block.search) == 1:
            page = page.replace(block.search, block.replace)
    return page


def _parsed(page: str) -> None:
    parser = HTMLParser()
    parser.feed(page)
    parser.close()
