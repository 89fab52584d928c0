"""Pages of 400 lines and more that were not written for a test: made by installed software when the test runs."""

import difflib
import importlib
import importlib.metadata
import inspect
import pydoc
import sys
from collections.abc import Callable, Mapping
from functools import cache

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

_LIBRARY = "https://docs.python.org/{}.{}/library/".format(*sys.version_info)


def _documentation(module: str) -> str:
    """The page that `python -m pydoc -w` writes about a module of the standard library."""
    documented = importlib.import_module(module)
    page = pydoc.HTMLDoc().page(module, pydoc.HTMLDoc().docmodule(documented))
    # where this Python lies, and which one it is, is no part of the page
    return page.replace(inspect.getabsfile(documented), f"{module}.py").replace(_LIBRARY, "library/")


def _comparison() -> str:
    """The page that difflib makes of a source file and one with a word changed."""
    old = inspect.getsource(importlib.import_module("configparser")).splitlines()
    new = [line.replace("section", "group") for line in old]
    return difflib.HtmlDiff(wrapcolumn=100).make_file(old, new, "section", "group", context=True, numlines=1)


def _highlighted() -> str:
    """The page that Pygments makes of a source file."""
    formatter = HtmlFormatter(full=True, title="shlex")
    return str(highlight(inspect.getsource(importlib.import_module("shlex")), PythonLexer(), formatter))


def _description() -> str:
    """The README of html5lib 1.1, as its package carries it."""
    text = importlib.metadata.distribution("html5lib").read_text("METADATA") or ""
    return text.partition("\n\n")[2]


PAGES: Mapping[str, tuple[str, Callable[[], str]]] = {
    "pydoc-queue": ("index.html", lambda: _documentation("queue")),
    "pydoc-csv": ("index.html", lambda: _documentation("csv")),
    "pydoc-poplib": ("index.html", lambda: _documentation("poplib")),
    "difflib": ("index.html", _comparison),
    "pygments": ("index.html", _highlighted),
    "html5lib-readme": ("README.md", _description),
}
"""Name of the page, the path that it has in an app, and what makes its text."""


@cache
def _text(name: str) -> str:
    # Made once: difflib numbers its pages.
    return PAGES[name][1]()


def installed_page(name: str) -> dict[str, bytes]:
    """The app that consists of one such page."""
    return {PAGES[name][0]: _text(name).encode()}
