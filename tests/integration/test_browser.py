"""What the inspector finds out about an app, with a real Chromium."""

import base64
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from small_apps import CHROMIUM, NEVER, QUICK, TITLE_IS_T, app

from slipway_common.events import Check, JsCheck
from slipway_generator.browser import NO_BROWSER, Inspector
from slipway_generator.browser.evidence import Evidence

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(CHROMIUM is None, reason=NO_BROWSER),
]
HARMLESS: tuple[Check, ...] = (TITLE_IS_T,)
LIBRARY = "https://cdn.jsdelivr.net/npm/thing@{}/thing.js"
OF_2_1_0 = LIBRARY.format("2.1.0")
WRONG_HASH = 'integrity="sha384-oqVuAfXRKap7fdgcCY5uykM6+R9GqQ8K/uxy9rx7HNQlGYl1kPzQho1wx4JwY8wC" crossorigin'


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def inspector(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Inspector]:
    packages: Path = tmp_path_factory.mktemp("packages")
    (packages / "thing" / "2.1.0").mkdir(parents=True)
    (packages / "thing" / "2.1.0" / "thing.js").write_text("window.thing = 2;")
    async with Inspector(CHROMIUM, packages, limits=QUICK) as it:
        yield it


async def _inspect(inspector: Inspector, files: dict[str, bytes], *checks: Check) -> Evidence:
    return await inspector.inspect(files, "Some-One", "a-repo", [(1, check) for check in checks or HARMLESS])


def _outcomes(evidence: Evidence) -> list[str]:
    return [check.outcome for check in evidence.checks]


def _errors(evidence: Evidence) -> list[str]:
    return [finding.message for finding in evidence.findings if finding.severity == "error"]


async def test_a_good_page_has_true_checks_a_title_pictures_and_no_findings(inspector: Inspector) -> None:
    evidence = await _inspect(inspector, app(), TITLE_IS_T, "js: document.querySelector('#x').textContent === 'hi'")
    assert evidence.available
    assert (_outcomes(evidence), evidence.findings, evidence.title) == (["true", "true"], (), "T")
    assert [picture.width for picture in evidence.screenshots] == [1280, 390]
    for picture in evidence.screenshots:
        data = base64.b64decode(picture.webp)
        assert (data[:4], data[8:12], len(data) <= 60 * 1024) == (b"RIFF", b"WEBP", True)


async def test_the_app_stands_at_its_pages_address_in_a_secure_context(inspector: Inspector) -> None:
    files = app() | {"data/a b.json": b'{"n": 3}', "about.html": b"about", "sub/index.html": b"sub"}
    evidence = await _inspect(
        inspector,
        files,
        JsCheck(js="location.href === 'https://some-one.github.io/a-repo/' && isSecureContext"),
        JsCheck(js="(await (await fetch('data/a%20b.json?x=1')).json()).n === 3"),
        JsCheck(js="(await fetch('data/a b.json')).headers.get('content-type').startsWith('application/json')"),
        JsCheck(js="(await (await fetch('about')).text()) === 'about'"),
        JsCheck(js="(await (await fetch('sub/')).text()) === 'sub'"),
    )
    assert _outcomes(evidence) == ["true"] * 5, evidence.checks
    assert evidence.findings == ()


async def test_each_form_of_check_is_evaluated(inspector: Inspector) -> None:
    late = app("setTimeout(() => { window.late = 1; }, 300);")
    checks: dict[str, str] = {
        "document.title === 'T';": "true",
        "() => document.title === 'T'": "true",
        "(() => {\n  const t = document.title;\n  return t === 'T';\n})()": "true",
        "const t = document.title; t === 'T'": "true",
        "const t = document.title; return t === 'T'": "true",
        "new Promise((done) => setTimeout(() => done(document.title === 'T'), 1000))": "true",
        "await Promise.resolve(document.title) === 'T'": "true",
        "window.late === 1": "true",
        "document.title === 'U'": "false",
        "Number.NaN": "false",
        "''": "false",
        "null": "false",
        "const t = 0; t": "false",
        "document.querySelector('#nope').textContent": "false",
        "Promise.reject(new Error('told'))": "false",
        "new Promise(() => {})": "false",
    }
    evidence = await _inspect(inspector, late, *(JsCheck(js=source) for source in checks))
    assert dict(zip(checks, _outcomes(evidence), strict=True)) == checks
    details = {check.check: check.detail for check in evidence.checks}
    assert "Cannot read properties of null" in details["document.querySelector('#nope').textContent"]
    assert details["Promise.reject(new Error('told'))"] == "Error: told"
    assert details["Number.NaN"] == "NaN"


async def test_checks_of_every_round_come_back_in_their_order(inspector: Inspector) -> None:
    checks: list[tuple[int, Check]] = [
        (1, TITLE_IS_T), (1, "about.md exists"), (2, "Looks nice"), (3, JsCheck(js="document.title === `${x}`")),
    ]  # fmt: skip
    evidence = await inspector.inspect(app(), "o", "r", checks)
    assert [(check.round, check.outcome) for check in evidence.checks] == [
        (1, "true"), (1, "false"), (2, "not_run"), (3, "not_run"),
    ]  # fmt: skip
    assert [check.check for check in evidence.checks[:2]] == ['document.title === "T"', "about.md exists"]


async def test_a_check_is_waited_for_as_long_as_it_says(inspector: Inspector) -> None:
    slow = app("setTimeout(() => { window.late = 1; }, 1500);")
    evidence = await _inspect(inspector, slow, "window.late === 1", "window.late === 1 /* within 3 s */")
    assert _outcomes(evidence) == ["false", "true"]


@pytest.mark.parametrize(
    ("files", "message", "line"),
    [
        (app("missing.call();"), "uncaught error: ReferenceError: missing is not defined", 4),
        (app("let a = ;"), "uncaught error: SyntaxError: Unexpected token ';'", 4),
        (app("Promise.reject(new Error('lost'));"), "uncaught error: Error: lost", 4),
        (app("console.error('bad', 3);"), "console error: bad 3", 4),
        (app("fetch('gone.json');"), "gone.json (fetch) answers 404", None),
        (app(body="<img src='images/gone.png'>text"), "images/gone.png (image) answers 404", None),
        (app("alert('hello');"), "the page opens a dialog: alert: hello", None),
        (app(head=""), "the page has no title", None),
        (app(body="<div></div>"), "the page shows nothing", None),
        (app("location.href = 'https://example.com/';"), "the page leaves for https://example.com/", None),
        (app(body=f'<script src="{OF_2_1_0}x"></script>text'), f"{OF_2_1_0}x (script) answers 404", None),
    ],
)  # fmt: skip
async def test_a_fault_is_found(inspector: Inspector, files: dict[str, bytes], message: str, line: int | None) -> None:
    evidence = await _inspect(inspector, files)
    assert [(finding.message, finding.line) for finding in evidence.findings] == [(message, line)]
    assert all((finding.source, finding.severity) == ("browser", "error") for finding in evidence.findings)


async def test_a_policy_violation_is_found(inspector: Inspector) -> None:
    head = "<title>T</title><meta http-equiv='Content-Security-Policy' content=\"img-src 'none'\">"
    evidence = await _inspect(inspector, app(head=head, body="<img src='a.png'>text"))
    assert len(_errors(evidence)) == 1
    assert _errors(evidence)[0].startswith("content security policy: Loading the image")


async def test_a_script_in_a_file_of_its_own_is_named(inspector: Inspector) -> None:
    files = app(body="x<script src='js/main.js?v=1'></script>") | {"js/main.js": b"\n\nnope();"}
    evidence = await _inspect(inspector, files)
    assert [(finding.file, finding.line) for finding in evidence.findings] == [("js/main.js", 3)]


@pytest.mark.parametrize(
    ("files", "stopped"),
    [
        (app("while (true);"), "the page stopped answering"),
        (app("setTimeout(() => { while (true); }, 300);"), "the page stopped answering"),
        (app("while (true) alert('x');"), "the page opens dialogs without end"),
        (app("setInterval(() => alert('x'), 1);"), "the page opens dialogs without end"),
        (app("location.href = '?' + Math.random();"), "the page goes elsewhere or reloads without end"),
        (app("addEventListener('load', () => location.reload());"), "the page goes elsewhere or reloads without end"),
        (app(head="<title>T</title><meta http-equiv='refresh' content='0'>"), "the page goes elsewhere or reloads"),
        (
            app("const a = []; for (;;) a.push(new Array(1e6).fill(a.length));"),
            ("the page crashed", "the page st"),
        ),
    ],
)
async def test_a_page_without_end_costs_at_most_its_limit(
    inspector: Inspector, files: dict[str, bytes], stopped: str | tuple[str, ...]
) -> None:
    start = time.monotonic()
    evidence = await _inspect(inspector, files, TITLE_IS_T, NEVER)
    assert time.monotonic() - start < 2 * QUICK.app + 3, "a crashed page is looked at twice"
    assert evidence.available
    assert _errors(evidence)[0].startswith(stopped)
    assert _outcomes(evidence)[1] == "false"
    assert _outcomes(await _inspect(inspector, app())) == ["true"], "the next app is not troubled"


async def test_thirty_megabytes_of_content_are_borne(inspector: Inspector) -> None:
    script = "addEventListener('DOMContentLoaded', () => { document.body.innerHTML = '<p>' + 'x'.repeat(3e7); });"
    start = time.monotonic()
    evidence = await _inspect(inspector, app(script))
    assert evidence.available
    assert time.monotonic() - start < QUICK.app + 3


async def test_a_check_without_end_is_false_and_the_others_are_decided(inspector: Inspector) -> None:
    evidence = await _inspect(
        inspector,
        app(),
        TITLE_IS_T,
        JsCheck(js="(() => { while (true); })()"),
        JsCheck(js="setTimeout(() => { while (true); }, 0), new Promise(() => {})"),
        JsCheck(js="document.querySelector('#x').textContent === 'hi'"),
    )
    assert _outcomes(evidence) == ["true", "false", "false", "true"]
    assert "runs without end" in evidence.checks[1].detail
    assert evidence.findings == (), "it is not the page that hangs"


async def test_popups_downloads_and_prompts_change_nothing(inspector: Inspector) -> None:
    script = """
      window.open("https://example.com/"); window.open("about:blank"); window.print();
      navigator.serviceWorker.register("index.html").catch(() => {});
      navigator.geolocation.getCurrentPosition(() => {}, () => {});
      addEventListener("load", () => {
        const link = Object.assign(document.createElement("a"), { href: "index.html", download: "x" });
        document.body.append(link); link.click();
      });
      window.onbeforeunload = () => "stay";
    """
    evidence = await _inspect(inspector, app(script))
    assert (_outcomes(evidence), _errors(evidence)) == (["true"], [])


async def test_a_page_that_hides_the_documents_own_names_is_borne(inspector: Inspector) -> None:
    body = '<img name="body"><form name="title"></form><form name="querySelectorAll"></form>text'
    evidence = await _inspect(inspector, app(body=body), JsCheck(js="document.body"), JsCheck(js="document.nope()"))
    assert evidence.available
    assert (_outcomes(evidence), evidence.title) == (["true", "false"], "T")


async def test_a_check_that_leaves_the_page_is_false_and_the_others_are_decided(inspector: Inspector) -> None:
    goes = JsCheck(js="new Promise(() => { location.search = '?' + location.search.length; })")
    evidence = await _inspect(inspector, app(), goes, TITLE_IS_T)
    assert _outcomes(evidence) == ["false", "true"], evidence


async def test_apps_share_nothing(inspector: Inspector) -> None:
    await _inspect(inspector, app("localStorage.a = 1; document.cookie = 'b=2; path=/';"))
    fresh = JsCheck(js="localStorage.a === undefined && document.cookie === ''")
    assert _outcomes(await _inspect(inspector, app(), fresh)) == ["true"]


async def test_a_parameter_is_seen_when_the_page_shows_it(inspector: Inspector) -> None:
    prose = "Page displays the value passed at ?name=..."
    shows = "onload = () => document.body.append(new URLSearchParams(location.search).get('name'));"
    evidence = await _inspect(inspector, app(shows), prose)
    assert _outcomes(evidence) == ["true"], evidence.checks
    assert _outcomes(await _inspect(inspector, app(), prose)) == ["false"]


class TestLibraries:
    """Files of content delivery networks, with one package in the mirror: thing 2.1.0."""

    HAS_2 = JsCheck(js="window.thing === 2")

    @staticmethod
    def _page(version: str, attributes: str = "") -> dict[str, bytes]:
        return app(body=f'text<script src="{LIBRARY.format(version)}" {attributes}></script>')

    @pytest.mark.parametrize("version", ["2.1.0", "2.0.3", "2"])
    async def test_the_mirror_stands_in_for_the_same_major_version(self, inspector: Inspector, version: str) -> None:
        evidence = await _inspect(inspector, self._page(version), self.HAS_2)
        assert (_outcomes(evidence), evidence.findings) == (["true"], ())

    async def test_what_only_the_network_has_is_neither_fault_nor_pass(self, inspector: Inspector) -> None:
        files = app(body=f'text<script src="{LIBRARY.format("3")}"></script><script>thing.start();</script>')
        evidence = await _inspect(inspector, files, self.HAS_2, TITLE_IS_T)
        assert _outcomes(evidence) == ["inconclusive", "true"]
        assert LIBRARY.format("3") in evidence.checks[0].detail
        assert _errors(evidence) == []
        assert any(LIBRARY.format("3") in note for note in evidence.notes)

    async def test_a_font_that_is_missing_excuses_nothing(self, inspector: Inspector) -> None:
        link = '<link rel="stylesheet" href="https://fonts.googleapis.com/css2?family=Inter">'
        evidence = await _inspect(inspector, app("oops();", body="text" + link), NEVER)
        assert _outcomes(evidence) == ["false"]
        assert len(_errors(evidence)) == 1

    async def test_a_hash_of_another_version_is_no_fault(self, inspector: Inspector) -> None:
        evidence = await _inspect(inspector, self._page("2.0.3", WRONG_HASH), self.HAS_2)
        assert (_outcomes(evidence), _errors(evidence)) == (["inconclusive"], [])

    async def test_a_wrong_hash_of_this_very_version_is_one(self, inspector: Inspector) -> None:
        evidence = await _inspect(inspector, self._page("2.1.0", WRONG_HASH), self.HAS_2)
        assert _outcomes(evidence) == ["false"]
        assert "integrity" in _errors(evidence)[0]
