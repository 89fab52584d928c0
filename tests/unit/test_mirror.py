"""CDN addresses and the packages that stand in for them."""

import json
from pathlib import Path

import pytest

from slipway_generator.browser.mirror import Mirror, Mirrored

JSDELIVR = "https://cdn.jsdelivr.net"
RELEASE = JSDELIVR + "/gh/highlightjs/cdn-release"
UNPKG = "https://unpkg.com"
CDNJS = "https://cdnjs.cloudflare.com/ajax/libs"
CSS = "bootstrap/5.3.8/dist/css/bootstrap.min.css"
IN_DIST = "/dist/css/bootstrap.min.css"
HIGHLIGHT = "@highlightjs/cdn-assets/11.12.0"
FILES = {
    "bootstrap/5.3.8/dist/css/bootstrap.min.css": "",
    "bootstrap/5.3.8/dist/js/only.js": "",
    "bootstrap/5.2.1/dist/css/bootstrap.min.css": "",
    "marked/18.2.1/lib/marked.umd.js": "",
    "marked/18.2.1/package.json": json.dumps({"main": "lib/marked.umd.js"}),
    "@highlightjs/cdn-assets/11.12.0/highlight.min.js": "",
    "@highlightjs/cdn-assets/11.12.0/styles/github.min.css": "",
    "tiny/0.4.2/tiny.js": "",
    "secret.txt": "",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("url", "file", "exact"),
    [
        (JSDELIVR + "/npm/bootstrap@5.3.8" + IN_DIST, CSS, True),
        (JSDELIVR + "/npm/bootstrap@5.3.0" + IN_DIST, CSS, False),
        (JSDELIVR + "/npm/bootstrap@5.2" + IN_DIST, "bootstrap/5.2.1" + IN_DIST, False),
        (JSDELIVR + "/npm/bootstrap@5" + IN_DIST, CSS, False),
        (JSDELIVR + "/npm/bootstrap@^5.1.0/dist/css/bootstrap.min.css?a=b", CSS, False),
        (JSDELIVR + "/npm/bootstrap@5.3.8/dist/js/only.min.js", "bootstrap/5.3.8/dist/js/only.js", True),
        (UNPKG + "/bootstrap" + IN_DIST, CSS, False),
        (JSDELIVR + "/npm/marked", "marked/18.2.1/lib/marked.umd.js", False),
        (UNPKG + "/marked@latest", "marked/18.2.1/lib/marked.umd.js", False),
        (RELEASE + "@11.9.0/build/highlight.min.js", f"{HIGHLIGHT}/highlight.min.js", False),
        (UNPKG + "/@highlightjs/cdn-assets@11.12.0/styles/github.min.css", f"{HIGHLIGHT}/styles/github.min.css", True),
        (CDNJS + "/highlight.js/11.9.0/styles/github.min.css", f"{HIGHLIGHT}/styles/github.min.css", False),
        (CDNJS + "/bootstrap/5.3.8/css/bootstrap.min.css", CSS, True),
        (UNPKG + "/tiny@0.4.0/tiny.js", "tiny/0.4.2/tiny.js", False),
    ],
)  # fmt: skip
def test_an_address_is_answered_by_a_file_of_the_same_major_version(
    folder: Path, url: str, file: str, exact: bool
) -> None:
    assert Mirror(folder).find(url) == Mirrored(folder / file, exact)


@pytest.mark.parametrize(
    "url",
    [
        JSDELIVR + "/npm/bootstrap@5.3.8/dist/css/nothing.css",
        UNPKG + "/bootstrap@5.3.8/dist/js/only.min.js",
    ],
)
def test_a_file_that_this_very_version_does_not_have_is_absent(folder: Path, url: str) -> None:
    assert Mirror(folder).find(url) == Mirrored(None, exact=True)


@pytest.mark.parametrize(
    "url",
    [
        JSDELIVR + "/npm/bootstrap@4.6.2/dist/css/bootstrap.min.css",
        JSDELIVR + "/npm/bootstrap@5.3.0/dist/css/nothing.css",
        JSDELIVR + "/npm/bootstrap@5.3.8/+esm",
        JSDELIVR + "/npm/unknown@1/x.js",
        UNPKG + "/tiny@0.5.0/tiny.js",
        UNPKG + "/..@1/secret.txt",
        JSDELIVR + "/npm/bootstrap@5.3.0/../../../secret.txt",
        UNPKG + "/bootstrap@5.3.0/%2e%2e/%2e%2e/%2e%2e/secret.txt",
        "https://example.com/npm/bootstrap@5.3.8/dist/css/bootstrap.min.css",
        "https://cdn.tailwindcss.com/",
    ],
)
def test_of_anything_else_nothing_is_known(folder: Path, url: str) -> None:
    assert Mirror(folder).find(url) is None


def test_without_packages_nothing_is_known() -> None:
    assert Mirror(None).find(UNPKG + "/bootstrap@5.3.8/dist/css/bootstrap.min.css") is None
