"""Each fault of an app is found where it is; sound apps are left in peace.

Credentials are put together when the test runs, so that this file holds none.
"""

import pytest

from slipway_common.events import Finding
from slipway_generator.inspection import inspect_app, strip_integrity, without_integrity
from slipway_generator.inspection.ids import named_ids

README = """# Sales

Sums the sales of a CSV file and shows them by product.

## Setup

Serve the directory: `python -m http.server`.

## Usage

Open index.html.

## How the code works

One script fetches data.csv.

## License

MIT
"""

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<title>Sales</title>
<style>
  body { font-family: system-ui; background: url("bg.svg"); }
  @media (min-width: 40em) { body { margin: 2rem } }
</style>
<script>
  const rows = [...document.querySelectorAll("tr")].map(row => `${row.id}</p>`);
  addEventListener("DOMContentLoaded", async () => {
    const answer = await fetch("data.csv");
    document.getElementById("total").textContent = (await answer.text()).length ?? 0;
  });
</script>
<script src="https://cdn.jsdelivr.net/npm/marked@12.0.2/marked.min.js"></script>
<link rel="stylesheet" href="https://cdn.jsdelivr.net/npm/bootstrap@5.3.3/dist/css/bootstrap.min.css">
<link rel="icon" href="data:image/svg+xml,<svg/>">
</head>
<body>
<p>One
<p>Two<br>
<table><tr id="a"><td>1<td>2</table>
<output id="total">0</output>
<svg viewBox="0 0 1 1"><path d="M0 0"/></svg>
<a href="#total">up</a> <a href="?x=1">again</a> <a href="mailto:a@b.c">mail</a>
<button type="button" onclick="return confirm('Sure?')">Go</button>
</body>
</html>
"""

APP = {"index.html": PAGE, "README.md": README, "data.csv": "a,b\n1,2\n", "bg.svg": "<svg xmlns='x'/>\n"}


def inspect(files: dict[str, str], *checks: str, brief: str = "") -> list[Finding]:
    return inspect_app({path: text.encode() for path, text in files.items()}, checks, brief=brief)


def told(findings: list[Finding]) -> list[tuple[str, int | None, str]]:
    return [(found.file, found.line, found.severity) for found in findings]


def changed(old: str, new: str) -> dict[str, str]:
    assert PAGE.count(old) == 1
    return {**APP, "index.html": PAGE.replace(old, new)}


def line_of(text: str) -> int:
    return PAGE[: PAGE.index(text)].count("\n") + 1


def test_a_sound_app_has_no_findings() -> None:
    assert inspect(APP, "document.querySelector('#total').textContent > 0") == []


@pytest.mark.parametrize(
    ("old", "new", "at", "says"),
    [
        ("<!DOCTYPE html>\n", "", None, "DOCTYPE"),
        ("</body>\n</html>\n", "", "<button", "</html>"),
        ("</script>\n<script src", "\n<script src", "<script src", "SyntaxError"),
        ("</style>\n", "", "<style>", "ends inside a <style>"),
        ("<output id", "<!-- <output id", "<output id", "ends inside a comment"),
        ("<output id", "<div><output id", "<output id", "<div> is not closed"),
        ("<output id", "</section><output id", "<output id", "</section> closes nothing"),
        ('onclick="return', 'onclick="retrun', "<button", "onclick of <button>: SyntaxError"),
        ("?? 0;", "?? ;", "getElementById", "SyntaxError"),
        ("await fetch", "fetch await", "await fetch", "SyntaxError"),
        ("</p>`);\n", "</p>);\n", "</script>\n<script src", "SyntaxError"),
        ("margin: 2rem } }", "margin: 2rem }", "@media", "{ is not closed"),
        ("system-ui;", "system-ui; } ", "background", "} closes no style rule"),
        ('fetch("data.csv")', 'fetch("sales.csv?v=1")', "await fetch", "no file 'sales.csv'"),
        ('fetch("data.csv")', 'fetch("/data.csv")', "await fetch", "begins with a slash"),
        ('url("bg.svg")', "url(../bg.svg)", "background", "leads out of the app"),
        ('url("bg.svg")', "url(img/bg.png)", "background", "no file 'img/bg.png'"),
        ("<output id", '<img src="logo.png" alt=""><output id', "<output id", "no file 'logo.png'"),
        ("<output id", '<img srcset="data.csv 1x, big.png 2x" alt=""><output id', "<output id", "no file 'big.png'"),
        ("?x=1", "about.html#x", "<a href", "no file 'about.html'"),
        ("marked@12.0.2", "marked", "marked@", "names no version"),
        ("marked@12.0.2", "marked@latest", "marked@", "names no version"),
        ("cdn.jsdelivr.net/npm/marked@12.0.2", "marked.example.org", "marked@", "not one of the hosts"),
        ("cdn.jsdelivr.net/npm/marked@12.0.2", "cdn.polyfill.io/v3", "marked@", "served malware"),
        ("https://cdn.jsdelivr.net/npm/marked", "http://cdn.jsdelivr.net/npm/marked", "marked@", "without https"),
        ("<output id", '<img src="https://via.placeholder.com/9" alt=""><output id', "<output id", "shut down"),
        ("<output id", "<!-- ... rest of the page ... --><output id", "<output id", "stands where content belongs"),
        ("<p>One", "<p>[Your name]", "<p>One", "meant to be filled in"),
        ("<p>One", "<p>YOUR_API_KEY", "<p>One", "meant to be filled in"),
        ("<p>One", "<p>Lorem ipsum dolor", "<p>One", "dummy text"),
        ("  const rows", "  // TODO: sort\n  const rows", "const rows", "still to be done"),
        ("<p>One", "<p>" + "AKIA" + "ABCDEFGH12345678", "<p>One", "AWS access key"),
        ("<p>One", "<p>" + "gh" + "p_" + "a1" * 18, "<p>One", "GitHub token"),
        ("<p>One", "<p>" + "AI" + "za" + "b" * 35, "<p>One", "Google API key"),
        ("<p>One", "<p>https://me:" + "pass@host.example/", "<p>One", "password in an address"),
    ],
)
def test_a_fault_in_the_page_is_found_on_its_line(old: str, new: str, at: str | None, says: str) -> None:
    found = inspect(changed(old, new))
    hits = [item for item in found if says in item.message]
    assert hits, [item.message for item in found]
    if at:
        assert hits[0].line == line_of(at)
    assert all(item.fix and item.source == "static" for item in found)


@pytest.mark.parametrize(
    ("path", "text", "line", "says"),
    [
        ("rates.json", '{\n"a": 1,\n}\n', 3, "not JSON"),
        ("rates.json", "", 1, "not JSON"),
        ("bg.svg", "<svg>\n<g>\n</svg>\n", 3, "not well-formed XML"),
        ("bg.svg", '<!DOCTYPE svg [<!ENTITY a "b">]>\n<svg/>', None, "entity declarations"),
        ("data.csv", "a,b\n1,2\n3,4,5\n", 3, "the row has 3 fields"),
        ("data.csv", 'a,b\n1,"2\n', 2, "not CSV"),
        (".github/workflows/x.yml", "on: push\njobs:\n\t- a\n", 3, "not YAML"),
        ("app.js", "let a = 1;\nlet a = 2;\n", 2, "already been declared"),
        ("app.mjs", "import a from './index.html';\nwith (a) {}\n", 2, "with statement"),
        ("style.css", "a { color: red;\n\nb {}\n", 1, "{ is not closed"),
        ("style.css", "a {}\n/* open\nb {}\n", 2, "comment is not closed"),
        ("app.js", "import('./missing.js');\n", 1, "no file 'missing.js'"),
        ("app.js", "import x from 'https://esm.sh/x';\n", 1, "names no version"),
        ("style.css", "@import url('https://fonts.example.org/a.css');\n", 1, "not one of the hosts"),
    ],
)
def test_a_fault_in_another_file_is_found_on_its_line(path: str, text: str, line: int | None, says: str) -> None:
    found = inspect({**APP, path: text})
    assert told(found) == [(path, line, "error")]
    assert says in found[0].message


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("data.csv", 'a;b\n1,5;2\n"x\ny";3\n'),
        ("app.js", "export const a = await import('./app.js');\nimport { b } from './app.js';\n"),
        ("app.js", "'use strict';\n// <!-- no comment\nclass A { static #x = 1n; get y() { return A.#x } }\n"),
        ("feed.xml", '<?xml version="1.0"?>\n<a><b/></a>\n'),
        (".github/workflows/x.yml", "on: push\njobs:\n  a: {runs-on: x}\n---\nb: [1, 2]\n"),
        ("style.css", 'a::after { content: "}"; background: url(data:image/png;base64,{) }\n/* { */\n'),
        ("notes.md", "```js\n// ...\n```\nand so on ...\n"),
        ("app.js", "const made = document.createElement('p'); made.id = 'late'; fetch(`x/${made.id}.json`);\n"),
        ("app.js", "fetch('https://api.example.org/v1'); element.open('GET', url);\n"),
        ("app.js", "#!/usr/bin/env node\nconst steps = [addRow, insert, your]; steps[add - 1](insert_id);\n"),
    ],
)
def test_sound_files_of_every_kind_are_left_in_peace(path: str, text: str) -> None:
    assert inspect({**APP, path: text}) == []


def test_data_scripts_are_json_and_templates_are_anything() -> None:
    head = '<script type="importmap">{"imports": {"a": "https://esm.sh/a@1.2.3"}}</script>'
    templates = '<script type="text/template"><p>{{ x</script><script type="text/babel">let a = <b/>;</script>'
    assert inspect(changed("</head>", head + templates + "</head>")) == []
    broken = inspect(changed("</head>", '<script type="application/json">{a: 1}</script></head>'))
    assert ["not JSON" in found.message for found in broken] == [True]


def test_a_file_that_a_workflow_makes_may_be_missing() -> None:
    files = changed('fetch("data.csv")', 'fetch("result.json")')
    assert inspect(files)
    workflow = "on: push\njobs:\n  a:\n    steps:\n      - run: python make.py > result.json\n"
    assert inspect({**files, ".github/workflows/run.yml": workflow}) == []


def test_hosts_and_dummy_text_that_the_brief_names_are_wanted() -> None:
    files = changed("cdn.jsdelivr.net/npm/marked@12.0.2", "widgets.example.org")
    files["index.html"] = files["index.html"].replace("<p>One", "<p>Lorem ipsum")
    assert inspect(files, brief="Load https://widgets.example.org/marked.min.js and show Lorem ipsum") == []


def test_given_files_are_referred_to_but_not_inspected() -> None:
    files = {path: text.encode() for path, text in {**APP, "data.csv": "a,b\n1\n"}.items()}
    assert inspect_app(files, (), given={"data.csv"}) == []
    assert [found.file for found in inspect_app(files, ())] == ["data.csv"]


@pytest.mark.parametrize("section", ["Setup", "Usage", "How the code works", "License"])
def test_a_missing_readme_section_is_named(section: str) -> None:
    found = inspect({**APP, "README.md": README.replace(f"## {section}\n", "")})
    assert [item.file for item in found] == ["README.md"]


def test_a_readme_may_name_its_sections_in_its_own_words() -> None:
    readme = (
        "Sales\n=====\n\n## \U0001f4c4 Overview\nx\n## 1. Installation & Set-up\nx\n## How to use it\nx\n"
        "## Code Explanation\nx\n### Licence\nMIT\n"
    )
    assert inspect({**APP, "README.md": readme}) == []


def test_headings_inside_code_do_not_count() -> None:
    found = inspect({**APP, "README.md": README.replace("## Usage\n", "```\n## Usage\n```\n")})
    assert [item.message for item in found] == ["there is no section on usage."]


def test_missing_files_are_told() -> None:
    assert {found.file for found in inspect({})} == {"index.html", "README.md"}


def test_a_file_that_is_no_text_is_told() -> None:
    files = {path: text.encode() for path, text in APP.items()} | {"style.css": b"a { content: '\xff' }"}
    assert [found.message for found in inspect_app(files, ())] == ["the file is not UTF-8 text."]


@pytest.mark.parametrize(
    ("check", "ids"),
    [
        ("document.getElementById('a-b').x", ["a-b"]),
        ('!!document.querySelector("#a > .c #b")', ["a", "b"]),
        ("document.querySelectorAll(`#a tr`).length", ["a"]),
        ("""document.querySelector("a[href='#top']")""", []),
        ("""document.querySelector("[id='late']")""", ["late"]),
        ("document.querySelector(`#row-${n}`)", []),
        ("document.title === '#a'", []),
        ("the page shows #a", []),
    ],
)
def test_the_ids_that_a_check_names_are_read(check: str, ids: list[str]) -> None:
    assert list(named_ids([check])) == ids


def test_an_id_that_a_check_names_must_be_in_markup_or_script() -> None:
    check = "document.querySelector('#grand-total')"
    (found,) = inspect(APP, check)
    assert "grand-total" in found.message
    assert inspect(changed("const rows", 'const id = "grand-total", rows'), check) == []
    assert inspect(changed("const rows", "document.body.innerHTML += `<p id=grand-total>`; const rows"), check) == []
    looked_up = changed("const rows", 'const found = document.getElementById("grand-total"), rows')
    assert ["grand-total" in item.message for item in inspect(looked_up, check)] == [True]


def test_integrity_is_taken_out_and_nothing_else() -> None:
    page = PAGE.replace('marked.min.js"></script>', "marked.min.js\"\n  integrity='sha384-x' crossorigin></script>")
    page = page.replace("const rows", 'const text = `<script integrity="x">`, rows')
    stripped = strip_integrity(page)
    assert stripped == page.replace("\n  integrity='sha384-x'", "")
    files, found = without_integrity({"index.html": page.encode(), "a.css": b"/* integrity */"})
    assert files == {"index.html": stripped.encode(), "a.css": b"/* integrity */"}
    assert told(found) == [("index.html", line_of("marked@") + 1, "warning")]


def test_findings_never_repeat_a_credential() -> None:
    token = "gh" + "p_" + "a1" * 18
    assert token not in str(inspect(changed("<p>One", f"<p>{token}")))
