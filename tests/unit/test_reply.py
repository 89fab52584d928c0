"""Replies are read strictly: every form that is accepted, every error that is told, nothing in between."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway_generator.reply import (
    ConflictError,
    EditBlock,
    EmptyFileError,
    FileEdits,
    MalformedEditError,
    NoBlockError,
    PathError,
    PlaceholderError,
    Removal,
    ReplyError,
    UnterminatedBlockError,
    WholeFile,
    parse_reply,
)
from slipway_generator.reply.placeholders import elision

PAGE = "<!DOCTYPE html>\n<html>\n<body><p>Hi</p></body>\n</html>\n"
EDIT = "<<<<<<< SEARCH\nold\n=======\nnew\n>>>>>>> REPLACE\n"


def fenced(body: str, info: str = "html", fence: str = "```") -> str:
    return f"{fence}{info}\n{body}{fence}\n"


def whole(text: str) -> list[tuple[str, str]]:
    return [(part.path, part.text) for part in parse_reply(text).parts if isinstance(part, WholeFile)]


@pytest.mark.parametrize(
    "reply",
    [
        fenced("index.html\n" + PAGE),
        fenced("./index.html\n" + PAGE),
        fenced("`index.html`\n" + PAGE),
        fenced("index.html\n\n" + PAGE),
        fenced("<!-- index.html -->\n" + PAGE),
        fenced(PAGE, "html index.html"),
        fenced(PAGE, "html:index.html"),
        fenced(PAGE, "index.html"),
        fenced(PAGE, 'html title="index.html"'),
        fenced(PAGE, "html file=index.html"),
        fenced(PAGE, "html {filename: index.html}"),
        fenced("index.html\n" + PAGE, "html index.html"),
        "**index.html**\n" + fenced(PAGE),
        "### `index.html`\n\n" + fenced(PAGE),
        "1. File: `index.html` (new):\n" + fenced(PAGE),
        fenced("index.html\n" + PAGE, fence="~~~"),
        fenced("index.html\n" + PAGE, fence="`````"),
        "Sure! Here it is.\n\n" + fenced("index.html\n" + PAGE) + "\nHave fun!",
    ],
)
def test_a_file_is_named_inside_its_fence_or_in_the_info_string_or_right_above(reply: str) -> None:
    assert whole(reply) == [("index.html", PAGE)]


@pytest.mark.parametrize(
    "reply",
    [
        fenced("index.html\n" + PAGE).replace("\n", "\r\n"),
        "\ufeff" + fenced("index.html\n" + PAGE),
        fenced("\u200bindex.html\u00a0\n" + PAGE),
        "```markdown\nHere you go\n" + fenced("index.html\n" + PAGE) + "```",
        fenced("index.html\n" + PAGE).replace("<", "&lt;").replace(">", "&gt;"),
        fenced("index.html\n" + PAGE.replace("<", "&lt;").replace(">", "&gt;")) + "Note the <body>.",
        fenced("index.html\n" + PAGE.replace("\n", "\\n") + "\n"),
        fenced("index.html\n" + PAGE).replace("\n", "\\n"),
        '{"files": {"index.html": "' + PAGE.replace("\n", "\\n") + '"}}',
        '```json\n[{"path": "index.html", "content": "' + PAGE.replace("\n", "\\n") + '"}]\n```',
    ],
)
def test_what_transport_did_to_a_reply_is_undone(reply: str) -> None:
    assert whole(reply) == [("index.html", PAGE)]


def test_typographic_quotes_and_joiners_are_content() -> None:
    text = "<p>\u201cHi\u201d \u2013 \U0001f468\u200d\U0001f469\u200d\U0001f467 it\u2019s\u00a0fine</p>\n"
    assert whole(fenced("a.html\n" + text)) == [("a.html", text)]


def test_edits_keep_their_lines_exactly() -> None:
    reply = fenced(
        "index.html\n"
        "<<<<<<< SEARCH\n  a\n\n```\n=======\n>>>>>>> REPLACE\n\n"
        "<<<<<<< SEARCH\nb\n=======\n\tb \n>>>>>>> REPLACE\n"
    )
    assert parse_reply(reply).parts == (FileEdits("index.html", (EditBlock("  a\n\n```", ""), EditBlock("b", "\tb "))),)


def test_edits_of_one_file_in_several_fences_are_joined_and_twins_count_once() -> None:
    other = EDIT.replace("old", "second")
    reply = parse_reply(fenced("a.css\n" + EDIT) + fenced("a.css\n" + other) + fenced("a.css\n" + EDIT))
    assert reply.parts == (FileEdits("a.css", (EditBlock("old", "new"), EditBlock("second", "new"))),)


def test_pairs_of_several_files_may_share_a_fence() -> None:
    reply = parse_reply(fenced("index.html\n" + EDIT + "README.md\n" + EDIT))
    assert [part.path for part in reply.parts] == ["index.html", "README.md"]


def test_a_removal_lists_paths() -> None:
    assert parse_reply(fenced("old.js\n- `b.css`\n", "remove")).parts == (Removal("old.js"), Removal("b.css"))


def test_a_divider_line_in_the_content_is_told_from_the_marker_by_its_length() -> None:
    title = "Title\n=====\n"
    reply = fenced(f"README.md\n<<<<<<< SEARCH\n{title}=======\nNew\n>>>>>>> REPLACE\n", "markdown")
    assert parse_reply(reply).parts == (FileEdits("README.md", (EditBlock("Title\n=====", "New"),)),)


README = (
    "# App\n\n## Setup\n\n```\npython -m http.server\n```\n\n"
    "## Usage\n\n```html\nindex.html?x=1\n```\n\n## License\n\nMIT\n"
)


@pytest.mark.parametrize("after", ["", "Done.\n", fenced("index.html\n" + PAGE), "Run it:\n```bash\nls\n```\n"])
def test_fences_inside_a_readme_belong_to_it(after: str) -> None:
    reply = parse_reply(fenced("README.md\n" + README, "markdown") + after)
    assert reply.parts[0] == WholeFile("README.md", README)
    assert len(reply.parts) == 1 + ("index.html\n<" in after)


def test_a_readme_in_four_backticks_may_hold_any_fence() -> None:
    text = "# App\n```\nnot closed\n## License\n"
    assert whole(fenced("README.md\n" + text, "markdown", "````")) == [("README.md", text)]


def test_a_page_with_fences_in_a_script_is_read_to_its_end() -> None:
    page = "<!DOCTYPE html>\n<html><script>const md = `\n```\ncode\n```\n`;</script>\n</html>\n"
    assert whole(fenced("index.html\n" + page)) == [("index.html", page)]


def test_snippets_and_listings_that_name_no_file_are_chatter() -> None:
    chatter = "Run:\n```bash\npython -m http.server\n```\nLayout:\n```\nindex.html\nREADME.md\n```\n"
    assert whole(chatter + fenced("index.html\n" + PAGE) + chatter) == [("index.html", PAGE)]


def test_a_missing_last_fence_is_mended_only_where_the_file_shows_its_end() -> None:
    reply = parse_reply("```html\nindex.html\n" + PAGE)
    assert whole("```html\nindex.html\n" + PAGE) == [("index.html", PAGE)]
    assert reply.notes == ("index.html: the block's closing fence was missing",)
    with pytest.raises(UnterminatedBlockError):
        parse_reply("```css\na.css\na { color: red; }\n")


REFUSED = [
    (NoBlockError, "I cannot do that."),
    (NoBlockError, "Run:\n```bash\nls\n```\n"),
    (NoBlockError, ""),
    (UnterminatedBlockError, "```html\nindex.html\n<!DOCTYPE html>\n<html>\n<p>cut of"),
    (UnterminatedBlockError, "```css\na.css\na{}\n\n```css\nb.css\nb{}\n```\n"),
    (UnterminatedBlockError, "```html\nindex.html\n" + EDIT),
    (UnterminatedBlockError, "```html\nindex.html\n<<<<<<< SEARCH\nold\n=======\nne"),
    (UnterminatedBlockError, "```markdown\nREADME.md\n# A\n## License\n```\nls\n```\n```\n"),
    (UnterminatedBlockError, "```remove\nold.js\n"),
    (PathError, fenced("../index.html\n" + PAGE)),
    (PathError, fenced("/etc/x.html\n" + PAGE)),
    (PathError, fenced("a\\b.html\n" + PAGE)),
    (PathError, fenced("C:/b.html\n" + PAGE)),
    (PathError, fenced("a//b.html\n" + PAGE)),
    (PathError, fenced(".git/config.txt\nx\n")),
    (PathError, fenced(".slipway/task.json\n{}\n")),
    (PathError, fenced("x" * 250 + ".html\n" + PAGE)),
    (PathError, fenced("../old.js\n", "remove")),
    (PathError, fenced(PAGE)),
    (PathError, fenced(EDIT)),
    (EmptyFileError, fenced("style.css\n", "css")),
    (EmptyFileError, fenced("style.css\n  \n\u200b\n", "css")),
    (PlaceholderError, fenced("index.html\n<p>\n<!-- ... existing code ... -->\n</p>\n")),
    (PlaceholderError, fenced("app.js\nlet a = 1;\n// rest of the code remains unchanged\n", "js")),
    (PlaceholderError, fenced("a.css\n<<<<<<< SEARCH\na\n=======\nb\n/* ... */\n>>>>>>> REPLACE\n", "css")),
    (ConflictError, fenced("index.html\n" + PAGE) + fenced("index.html\n" + PAGE.replace("Hi", "Ho"))),
    (ConflictError, fenced("index.html\n" + PAGE) + fenced("index.html\n" + EDIT)),
    (ConflictError, fenced("index.html\n" + EDIT) + fenced("index.html\n", "remove")),
    (MalformedEditError, fenced("a.css\n" + EDIT.replace("=======\n", ""))),
    (MalformedEditError, fenced("a.css\n" + EDIT.replace(">>>>>>> REPLACE\n", ""))),
    (MalformedEditError, fenced("a.css\n" + EDIT.replace("new\n", "=======\nnew\n"))),
    (MalformedEditError, fenced("a.css\n" + EDIT.replace("new\n", "<<<<<<< SEARCH\nnew\n"))),
    (MalformedEditError, fenced("a.css\n" + EDIT.replace("REPLACE", "UPDATED"))),
    (MalformedEditError, fenced("a.css\n" + EDIT.replace("old\n", ""))),
    (MalformedEditError, fenced("a.css\n" + EDIT.replace("old\n", " \n\n"))),
    (MalformedEditError, fenced("a.css\n" + EDIT + "And then:\n" + EDIT)),
    (MalformedEditError, fenced("a.css\na {}\n" + EDIT)),
    (MalformedEditError, "a.css\n" + EDIT),
    (MalformedEditError, fenced("index.html\n" + PAGE) + "a.css\n" + EDIT),
]


@pytest.mark.parametrize(("error", "reply"), REFUSED)
def test_what_cannot_be_understood_is_refused_by_its_kind(error: type[ReplyError], reply: str) -> None:
    with pytest.raises(ReplyError) as refused:
        parse_reply(reply)
    assert type(refused.value) is error
    assert refused.value.report().startswith("- ")


def test_all_errors_of_a_reply_are_told_at_once() -> None:
    with pytest.raises(ReplyError) as refused:
        parse_reply(fenced("a.css\n", "css") + fenced("../b.css\nb{}\n") + fenced("index.html\n" + PAGE))
    assert [error.line for error in (refused.value, *refused.value.others)] == [1, 4]
    assert refused.value.report().count("\n") == 1


def test_known_files_may_have_names_that_look_like_none() -> None:
    reply = fenced("sales notes.txt\nnew text\n", "text")
    assert parse_reply(reply, known=["sales notes.txt"]).parts == (WholeFile("sales notes.txt", "new text\n"),)
    with pytest.raises(NoBlockError):
        parse_reply(reply)


@pytest.mark.parametrize(
    "line",
    [
        "// ... existing code ...",
        "<!-- ... -->",
        "  /* rest of the styles */ ".replace("styles", "styles unchanged"),
        "{/* ... rest of the component ... */}",
        "# ... (remaining steps)",
        "// Rest of the code remains the same",
        "<!-- Existing content here -->",
        "/* existing styles */",
        "// keep the rest of the code as it is",
        "...",
        "\u2026",
        "<!-- Your code here -->",
        "foo(); // ... unchanged",
    ],
)
def test_elisions_are_seen(line: str) -> None:
    assert elision(line, "index.html")


@pytest.mark.parametrize(
    "line",
    [
        "<p>Loading input.md ...</p>",
        "const all = [...items, ...more];",
        "// load the remaining pages...",
        "// remove the existing rules before adding new ones",
        "/* Original palette */",
        "<!-- rows go here -->",
        "// the same order as in the table above",
        "function f(...args) { // all other arguments are kept",
        'const url = "https://example.com/...";',
        "* { box-sizing: border-box; }",
        "#rest { color: red; }",
        "// previous page",
        "<!-- page body -->",
    ],
)
def test_comments_that_only_sound_alike_are_not_elisions(line: str) -> None:
    assert elision(line, "index.html") is None


@given(
    st.text(alphabet=string.printable + "\u2019\u00e9", max_size=300).filter(lambda text: text.strip()),
    st.sampled_from(["```", "````", "~~~~"]),
)
def test_any_text_comes_back_byte_for_byte_or_is_refused(text: str, fence: str) -> None:
    body = text.replace("\r", "").lstrip("\n \t\x0b\x0c")
    try:
        reply = parse_reply(f"Here:\n\n{fence}text\nnotes.txt\n{body}\n{fence}\nDone.")
    except ReplyError:
        return
    (part,) = reply.parts
    assert isinstance(part, WholeFile)
    assert part.text in (f"{body}\n", body)


@given(st.text(max_size=400))
def test_no_text_whatsoever_breaks_the_reader(text: str) -> None:
    try:
        parse_reply(text)
    except ReplyError as error:
        assert error.report()


@given(
    st.lists(
        st.sampled_from(
            [
                "```",
                "```html",
                "index.html",
                "<p>",
                "</html>",
                "<<<<<<< SEARCH",
                "=======",
                ">>>>>>> REPLACE",
                "README.md",
                "````",
                "text",
                "",
                "## License",
                "remove",
            ]
        ),
        max_size=14,
    )
)
def test_no_order_of_markers_breaks_the_reader_or_loses_an_edit(lines: list[str]) -> None:
    try:
        reply = parse_reply("\n".join(lines))
    except ReplyError as error:
        assert error.report()
        return
    pairs = sum(len(part.blocks) for part in reply.parts if isinstance(part, FileEdits))
    assert pairs or not any(line.startswith("<<<<<<<") for line in lines)
