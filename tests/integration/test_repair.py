"""The loop with the model: a faulty first reply and a good second one, with the real browser and over a socket."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import pytest
import pytest_asyncio
from model_world import a_ledger
from small_apps import CHROMIUM, QUICK

from slipway_common.events import Check, JsCheck
from slipway_common.stage import Reject
from slipway_generator.assembly import mit_license
from slipway_generator.attachments import Material
from slipway_generator.author import Author, Candidate, Commission
from slipway_generator.browser import NO_BROWSER, Inspector
from slipway_generator.model.chain import Chain
from slipway_generator.model.gemini import Gemini
from slipway_generator.model.ledger import Ledger
from slipway_generator.prompt import Assignment, EarlierRound
from slipway_generator.proof import Prover
from slipway_sandbox.client import Sandbox

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(CHROMIUM is None, reason=NO_BROWSER),
]

BRIEF = "Sum the sales of data.csv."
DATA = Material("data.csv", "data.csv", "text/csv", b"region,sales\nnorth,17000.25\nsouth,725.25\n")
TOTAL = JsCheck(js='parseFloat(document.querySelector("#total").textContent) === 17725.5')
INLINE_FIRST = JsCheck(js='document.querySelector("script").src === ""')
CHECKS = (TOTAL, INLINE_FIRST)

SUM = """
document.addEventListener("DOMContentLoaded", async () => {
  const text = await (await fetch("data.csv")).text();
  const sales = text.trim().split("\\n").slice(1).map((line) => Number(line.split(",")[1]));
  const total = sales.reduce((sum, value) => sum + value, 0);
  document.getElementById("total").textContent = total.toFixed(2);
});
"""
README = """# Sales

## Summary

The sum of all sales.

## Setup

None.

## Usage

Open the page.

## Code explanation

The script adds up the second column.

## License

MIT
"""


def page(script: str = SUM, *, head: str = "", body: str = '<p id="total">0.00</p>') -> str:
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Sales</title>
{head}<script>{script}</script>
</head>
<body>
<main>
<h1>Sales</h1>
{body}
</main>
</body>
</html>
"""


def whole(files: dict[str, str]) -> str:
    """A reply of whole files."""
    return "\n\n".join(f"```text\n{path}\n{text}```" for path, text in files.items())


def written(html: str, **others: str) -> str:
    return whole({"index.html": html, "README.md": README, **{name.replace("_", "."): t for name, t in others.items()}})


def edit(*pairs: tuple[str, str]) -> str:
    """A reply of edits of index.html."""
    blocks = "\n".join(f"<<<<<<< SEARCH\n{old}\n=======\n{new}\n>>>>>>> REPLACE" for old, new in pairs)
    return f"```html\nindex.html\n{blocks}\n```"


@dataclass(frozen=True)
class Desk:
    """An author and the sandbox that plays its model."""

    author: Author
    sandbox: Sandbox

    async def write(
        self,
        replies: Sequence[str],
        *,
        checks: Sequence[Check] = CHECKS,
        ledger: Ledger | None = None,
        revised: str = "",
        brief: str = BRIEF,
    ) -> Candidate:
        """What becomes of these replies; `revised`: the page of round 1, which this round changes."""
        self.sandbox.script(brief, list(replies))
        earlier = (EarlierRound(1, BRIEF, CHECKS),) if revised else ()
        base = {"index.html": revised, "README.md": README} if revised else None
        round_ = 2 if revised else 1
        commission = Commission(
            assignment=Assignment(round_, brief, tuple(checks), (DATA,), current=base, earlier=earlier),
            repository="sales",
            license_text=mit_license(2026, "someone"),
            checks=[*((1, check) for check in CHECKS if revised), *((round_, check) for check in checks)],
            base={**{path: text.encode() for path, text in base.items()}, DATA.path: DATA.data} if base else None,
            attached=frozenset({DATA.path}),
        )
        return await self.author.write(commission, ledger or a_ledger())

    def told(self, turn: int) -> str:
        """What the model was told before its reply of that turn (from 1), the first prompt left out."""
        prompt = self.sandbox.prompts()[turn - 1].text
        return prompt.rpartition("Your answer")[2] or prompt

    def asked(self) -> int:
        return len(self.sandbox.prompts())


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def author(sandbox_process: Sandbox) -> AsyncIterator[Author]:
    gemini = Gemini("sandbox", base_url=sandbox_process.gemini_url, api_version=None)
    async with Inspector(CHROMIUM, limits=QUICK) as inspector:
        yield Author(Chain([(gemini, "gemini-3.8-flash")], 20.0), Prover(inspector, "someone"), max_repairs=2)
    await gemini.aclose()


@pytest.fixture
def desk(author: Author, sandbox: Sandbox) -> Desk:
    return Desk(author, sandbox)


def outcomes(candidate: Candidate) -> list[str]:
    return [check.outcome for check in candidate.verdict.checks]


FAULTS = {
    "runtime error": (page(SUM.replace('"total")', '"totl")')), "TypeError"),
    "wrong id": (page(SUM.replace('"total"', '"sum"'), body='<p id="sum">0.00</p>'), "#total"),
    "wrong number format": (
        page(SUM.replace("total.toFixed(2)", 'total.toLocaleString("en-US")')), "round 1 check 1: parseFloat",
    ),
    "script order": (page(head='<script src="more.js"></script>\n'), "round 1 check 2: document.querySelector"),
    "alert": (page(SUM + 'addEventListener("load", () => alert("Welcome!"));'), "opens a dialog: alert"),
    "infinite loop": (page(SUM + 'addEventListener("load", () => { while (true); });'), "runs without end"),
    "endless redirects": (page(SUM + 'location.href = "?" + Math.random();'), "round 1 check"),
    "a file that is not there": (page(SUM.replace('"data.csv"', '"sales.csv"')), "sales.csv"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_is_told_and_mended(desk: Desk, fault: str) -> None:
    faulty, told = FAULTS[fault]
    candidate = await desk.write([written(faulty, more_js="window.more = 1;\n"), written(page())])
    assert told in desk.told(2)
    assert desk.asked() == 2
    assert outcomes(candidate) == ["true", "true"]
    assert candidate.verdict.clean
    assert candidate.files["index.html"].decode() == page()


async def test_a_fault_is_mended_by_an_edit_as_well(desk: Desk) -> None:
    faulty, _ = FAULTS["wrong id"]
    mend = edit(
        ('<p id="sum">0.00</p>', '<p id="total">0.00</p>'),
        ('  document.getElementById("sum").textContent = total.toFixed(2);',
         '  document.getElementById("total").textContent = total.toFixed(2);'),
    )  # fmt: skip
    candidate = await desk.write([written(faulty), mend])
    assert candidate.files["index.html"].decode() == page()


HEAVY = """
addEventListener("load", () => {
  const line = "x".repeat(1000);
  for (let i = 0; i < 30000; i++) document.querySelector("main").append(Object.assign(document.createElement("p"), {
    textContent: line }));
});
"""


async def test_thirty_megabytes_of_content_do_not_keep_the_good_version_from_being_shipped(desk: Desk) -> None:
    candidate = await desk.write([written(page(SUM + HEAVY)), written(page())])
    assert outcomes(candidate) == ["true", "true"]
    assert desk.asked() <= 2


async def test_a_check_without_end_costs_its_limit_and_the_best_version_is_kept(desk: Desk) -> None:
    endless = JsCheck(js="(() => { while (true); })()")
    candidate = await desk.write([written(page()), written(page(SUM.replace("total", "sum")))], checks=(TOTAL, endless))
    assert outcomes(candidate) == ["true", "false"]
    assert candidate.files["index.html"].decode() == page(), "a worse version took the place of the best one"
    assert candidate.notes == ("shipped with faults that the model did not mend",)
    assert desk.asked() == 3


async def test_a_repair_that_makes_it_worse_is_undone_and_said_to_be(desk: Desk) -> None:
    nearly = page(body='<p id="total">0.00</p><img src="missing.png" alt="">')
    worse = edit(('<p id="total">0.00</p><img src="missing.png" alt="">', '<p id="gone">0.00</p>'))
    good = edit(('<p id="total">0.00</p><img src="missing.png" alt="">', '<p id="total">0.00</p>'))
    candidate = await desk.write([written(nearly), worse, good])
    assert "made the app worse, so it was undone" in "Your answer" + desk.told(3)
    assert candidate.files["index.html"].decode() == page()


async def test_a_reply_that_cannot_be_read_is_told_why(desk: Desk) -> None:
    candidate = await desk.write(["Sorry, here is no file at all.", written(page())])
    assert "the reply has no file block" in desk.sandbox.prompts()[1].text
    assert outcomes(candidate) == ["true", "true"]


async def test_without_any_usable_reply_the_reason_is_readable(desk: Desk) -> None:
    ledger = a_ledger(calls=2)
    with pytest.raises(Reject, match=r"no version of the app could be made: .*MAX_MODEL_CALLS.*no file block"):
        await desk.write(["rubbish"], ledger=ledger)
    assert ledger.used.calls == 2
    assert desk.asked() == 2


async def test_what_the_budget_leaves_is_shipped(desk: Desk) -> None:
    faulty, _ = FAULTS["wrong number format"]
    candidate = await desk.write([written(faulty), written(page())], ledger=a_ledger(calls=1))
    assert candidate.files["index.html"].decode() == faulty
    assert any("MAX_MODEL_CALLS" in note for note in candidate.notes)


class TestRevision:
    """Round 2 changes the page of round 1, whose checks hold."""

    BRIEF = "Show the number of regions in #regions."
    REGIONS = JsCheck(js='document.querySelector("#regions").textContent === "2"')
    ADDED = (
        '  document.getElementById("total").textContent = total.toFixed(2);',
        '  document.getElementById("total").textContent = total.toFixed(2);\n'
        '  document.getElementById("regions").textContent = sales.length;',
    )
    PLACE = ('<p id="total">0.00</p>', '<p id="total">0.00</p>\n<p id="regions">0</p>')

    async def test_it_is_made_by_edits_and_keeps_the_rest(self, desk: Desk) -> None:
        candidate = await desk.write(
            [edit(self.ADDED, self.PLACE)], checks=(self.REGIONS,), revised=page(), brief=self.BRIEF
        )
        assert outcomes(candidate) == ["true", "true", "true"]
        assert candidate.verdict.edit is not None
        assert not candidate.verdict.edit.rewrite
        assert candidate.verdict.edit.untouched > 0.9

    async def test_a_broken_earlier_feature_is_told_and_mended(self, desk: Desk) -> None:
        breaking = edit(self.ADDED, ('<p id="total">0.00</p>', '<p id="sum">0.00</p>\n<p id="regions">0</p>'))
        mend = edit(('<p id="sum">0.00</p>', '<p id="total">0.00</p>'))
        candidate = await desk.write([breaking, mend], checks=(self.REGIONS,), revised=page(), brief=self.BRIEF)
        assert "Those of earlier rounds held before" in desk.told(2)
        assert outcomes(candidate) == ["true", "true", "true"]

    async def test_what_breaks_an_earlier_check_to_the_end_is_not_shipped(self, desk: Desk) -> None:
        breaking = edit(self.ADDED, ('<p id="total">0.00</p>', '<p id="sum">0.00</p>\n<p id="regions">0</p>'))
        with pytest.raises(Reject, match="every version breaks what worked before, the published page stays: round 1"):
            await desk.write([breaking, "I will not."], checks=(self.REGIONS,), revised=page(), brief=self.BRIEF)

    async def test_a_check_that_the_new_brief_rules_out_is_superseded_and_said_to_be(self, desk: Desk) -> None:
        brief = "Show the total with a currency sign."
        dollars = JsCheck(js='document.querySelector("#total").textContent === "$17725.50"')
        reply = "superseded: round 1 check 1: the total now has a currency sign\n\n" + edit(
            (self.ADDED[0], self.ADDED[0].replace("total.toFixed(2)", "`$${total.toFixed(2)}`"))
        )
        candidate = await desk.write([reply], checks=(dollars,), revised=page(), brief=brief)
        assert outcomes(candidate) == ["not_run", "true", "true"]
        assert candidate.verdict.checks[0].detail == "superseded by the new brief"
        assert "round 1 check 1 is superseded by this brief: the total now has a currency sign" in candidate.notes

    async def test_it_is_superseded_without_being_named_only_when_asked_back(self, desk: Desk) -> None:
        """The first reply breaks it in silence; told so, the model says that the brief rules it out."""
        brief = "Show the total with a currency sign."
        dollars = JsCheck(js='document.querySelector("#total").textContent === "$17725.50"')
        change = edit((self.ADDED[0], self.ADDED[0].replace("total.toFixed(2)", "`$${total.toFixed(2)}`")))
        word = "superseded: round 1 check 1: the total now has a currency sign"
        candidate = await desk.write([change, word], checks=(dollars,), revised=page(), brief=brief)
        assert outcomes(candidate) == ["not_run", "true", "true"]
