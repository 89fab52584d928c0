"""Which checks can be run, on what, and what prose says about files."""

import pytest

from slipway_common.events import JsCheck
from slipway_generator.checks import NotRun, OnFiles, OnPage, Shown, plan, seconds_for

MIT = """MIT License

Copyright (c) 2026 Someone

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED.
"""
README = """# Thing

## Summary
## Setup
## Usage
## Code explanation
## License
"""
SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><path d="M0 0"/></svg>'
APP = {
    "index.html": b"<!DOCTYPE html>",
    "LICENSE": MIT.encode(),
    "README.md": README.encode(),
    "about.md": b"one two three",
    "story.txt": b"word " * 350,
    "pelican.svg": SVG.encode(),
    "broken.svg": b"<svg><path></svg>",
    "page.svg": b"<html></html>",
    "restaurant.json": b'{"city": "Oslo", "lat": 59.9, "open": true, "tags": ["fish"]}',
    "cut.json": b'{"a": ',
}


@pytest.mark.parametrize(
    ("check", "form"),
    [
        (JsCheck(js="document.title === `Sales`"), "expression"),
        (JsCheck(js="document.title === 'Sales';"), "expression"),
        (JsCheck(js="!!document.querySelector('#a') // there\n"), "expression"),
        (JsCheck(js="(() => {\n  const rows = [...document.links];\n  return rows.length > 1;\n})()"), "expression"),
        (JsCheck(js="() => document.title === 'x'"), "expression"),
        (JsCheck(js="await fetch('data.csv').then((r) => r.ok)"), "expression"),
        (JsCheck(js="const f = () => { return 1; }; f() === 1"), "script"),
        (JsCheck(js="const a = document.title; return a === 'x'"), "body"),
        (JsCheck(js="1); (2"), None),
        (JsCheck(js="1]; [2"), None),
        (JsCheck(js="document.title ==="), None),
        (JsCheck(js=""), "script"),
        ("js: document.title === 'Sales'", "expression"),
        ("JS:document.title === 'Sales'", "expression"),
        ("document.querySelector('#a').textContent.length > 0", "expression"),
        ("window.total === 12", "expression"),
        ("const a = document.title", None),
        ("The document has a title", None),
        ("window", "expression"),
        ("1 + 1", None),
        ("data-document", None),
    ],
)  # fmt: skip
def test_a_check_is_run_on_the_page_when_it_is_javascript(check: JsCheck | str, form: str | None) -> None:
    planned = plan(check)
    assert (planned.form if isinstance(planned, OnPage) else None) == form


def test_the_prefix_of_a_check_is_not_evaluated() -> None:
    planned = plan("js:  document.title === 'a'")
    assert isinstance(planned, OnPage)
    assert planned.source == "document.title === 'a'"


@pytest.mark.parametrize(
    ("source", "gap"),
    [
        ("document.title === `Sales Summary ${seed}`", "${seed}"),
        ('document.title === "Sales Summary ${seed}"', "${seed}"),
        ("Math.abs(document.title - ${result}) < 0.01", "${result}"),
        ("`${cfg.name}` === document.title", "${cfg.name}"),
        ("(() => { const seed = 1; return document.title === `Sales ${seed}`; })()", None),
        ("[...document.links].every((a) => `${a.href}`.length)", None),
        ("document.body.textContent.includes(`${window.innerWidth}`)", None),
        ("`${document.title}` === 'x'", None),
        ("`${Math.round(2.5)}` === document.title", None),
        ("`a ${[1].map((x) => `${x}`)}` === document.title", None),
        ("document.title === 'costs \\${5}'", None),
    ],
)
def test_a_template_that_was_not_filled_in_is_not_run(source: str, gap: str | None) -> None:
    planned = plan(JsCheck(js=source))
    if gap is None:
        assert isinstance(planned, OnPage), planned
    else:
        assert planned == NotRun(f"unresolved {gap}: the sender's template was not filled in")


def test_an_unfilled_template_in_prose_is_not_run_either() -> None:
    planned = plan("The title is ${seed}")
    assert isinstance(planned, NotRun)
    assert "${seed}" in planned.reason


def test_javascript_that_does_not_parse_says_so() -> None:
    planned = plan(JsCheck(js="document.title =="))
    assert isinstance(planned, NotRun)
    assert planned.reason.startswith("it is not JavaScript")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("document.title === 'x'", 5),
        ("Page displays the solved captcha within 15 s", 15),
        ("it is shown within 15 seconds", 15),
        ("is there in under 500 ms", 0.5),
        ("within 2 minutes", 120),
        ("the total appears after 3 s", 8),
        ("new Promise((r) => setTimeout(() => r(document.title), 3000))", 8),
        ("uses 3 seconds as a unit", 5),
    ],
)
def test_the_time_that_a_check_names_is_its_time(text: str, seconds: float) -> None:
    assert seconds_for(text, 5) == seconds


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("Repo has MIT license", True),
        ("The LICENSE file is MIT", True),
        ("LICENSE file exists", True),
        ("about.md exists", True),
        ("The repo contains about.md", True),
        ("`data.csv` is present", False),
        ("about.md contains exactly three words", True),
        ("about.md has exactly 3 words", True),
        ("about.md has exactly 4 words", False),
        ("gone.md has exactly 4 words", False),
        ("story.txt is a story of 300-400 words", True),
        ("story.txt has between 400 and 500 words", False),
        ("story.txt has at least 100 words", True),
        ("story.txt has at most 100 words", False),
        ("pelican.svg is a valid SVG", True),
        ("broken.svg is a valid SVG", False),
        ("page.svg is a valid SVG", False),
        ("restaurant.json is valid JSON", True),
        ("cut.json is valid JSON", False),
        ('restaurant.json has the shape {"city": "City", "lat": 0.0, "open": true}', True),
        ("restaurant.json is {city: string, lat: number, tags: [string]}", True),
        ("restaurant.json is {city: number, ...}", False),
        ('restaurant.json is {"city": string, "open": number}', False),
        ('restaurant.json is {"city": string, "name": string}', False),
        ("restaurant.json has the keys `city` and `lat`", True),
        ("restaurant.json has the keys `city` and `name`", False),
        ("README.md has sections on summary, setup, usage, code explanation and license", True),
        ("README.md contains a Usage section", True),
    ],
)
def test_prose_about_files_is_decided_on_the_files(text: str, holds: bool) -> None:
    planned = plan(text)
    assert isinstance(planned, OnFiles), planned
    decided, found = planned.decide(APP)
    assert decided is holds, found
    assert found


def test_a_licence_that_only_says_mit_is_not_the_licence() -> None:
    planned = plan("Repo has MIT license")
    assert isinstance(planned, OnFiles)
    assert planned.decide({"LICENSE": b"MIT License. Do what you like."})[0] is False
    assert planned.decide({})[0] is False


def test_a_section_that_is_missing_is_named() -> None:
    planned = plan("README.md has sections on setup and usage")
    assert isinstance(planned, OnFiles)
    assert planned.decide({"README.md": b"# A\n\n## Setup\n"}) == (False, "README.md has no section on usage")


@pytest.mark.parametrize(
    "text",
    [
        "README.md is professional",
        "README.md is not empty",
        "The page looks good on phones",
        "Code quality is high",
        "about.md and story.txt exist",
        "story.txt has a few words",
        "Page displays solved captcha text within 15 seconds",
        "README.md mentions the MIT license",
        "The page does not show the value of ?debug=1",
        "The page shows results for ?q=fish",
    ],
)
def test_what_takes_a_person_is_left_to_one(text: str) -> None:
    assert plan(text) == NotRun("for a person to judge", for_person=True)


def test_a_parameter_that_the_page_has_to_show() -> None:
    planned = plan("Page displays captcha URL passed at ?url=https://.../image.png within 15 s")
    assert isinstance(planned, Shown)
    assert (planned.parameter, planned.seconds) == ("url", 15)
    assert planned.value.startswith("https://")
