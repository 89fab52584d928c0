"""The page tokenizer agrees with a full HTML parser on tags and ids, and knows where everything stands."""

import html5lib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway_generator.markup import Markup

PIECES = [
    "<p>",
    "</p>",
    "<div id='a'>",
    '<div ID="b" class="x > y">',
    "</div>",
    "<br/>",
    "<input disabled name=n value=1>",
    "<!-- <p id='no'> -->",
    "<!---->",
    "<script>if (a < b) { '<i id=no>' }</script>",
    "<style>a > b { content: '<p>' }</style>",
    "<textarea><b></textarea>",
    "text & more",
    "a < b",
    "&lt;p id=no&gt;",
    "<span\nid=c\n>",
    "</span>",
    "<SCRIPT TYPE='module'>x</SCRIPT >",
    "<a href='?a=1&amp;b=2'>",
    "</a>",
    "\n",
]


@given(st.lists(st.sampled_from(PIECES), max_size=12))
def test_start_tags_and_ids_are_those_of_a_parser(pieces: list[str]) -> None:
    source = "<!DOCTYPE html><html><body>" + "".join(pieces) + "</body></html>"
    page = Markup(source)
    tree = html5lib.parse(source, treebuilder="etree", namespaceHTMLElements=False)
    assert set(page.ids) == {element.get("id") for element in tree.iter() if element.get("id")}
    for tag in page.tags:
        assert source[tag.start] == "<"
        assert source[tag.end - 1] == ">"
        for attribute in tag.attributes:
            assert source[attribute.start : attribute.end].lower().startswith(attribute.name)
    scripts = [element.text or "" for element in tree.iter("script")]
    assert [script.text for script in page.scripts()] == scripts


def test_attributes_have_their_values_and_places() -> None:
    source = "<p>\n<a href='?a=1&amp;b=2' data-x=\"1 > 0\" hidden>"
    tag = Markup(source).start_tags[1]
    assert (tag.get("href"), tag.get("data-x"), tag.get("hidden"), tag.get("id")) == ("?a=1&b=2", "1 > 0", "", None)
    assert Markup(source).line(tag.attributes[0].start) == 2


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("<p><!-- never ended", "comment"),
        ("<p><script>let a", "<script>"),
        ("<title>x</titl", "<title>"),
        ("<p class='a", "tag <p"),
        ("<style>a {}</style", "<style>"),
    ],
)
def test_a_file_that_ends_inside_of_something_says_so(source: str, what: str) -> None:
    unfinished = Markup(source).unfinished
    assert unfinished is not None
    assert unfinished.what == what
