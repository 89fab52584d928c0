"""The sandbox's Pages: what a site shows, when, and what goes wrong with a build."""

import time
from pathlib import Path

from github_visitor import HTTP, LEGACY, new_repository, pages, public, push, refusal, until

from slipway_sandbox.client import Sandbox


def test_pages_need_a_branch_and_are_enabled_once(sandbox: Sandbox, tmp_path: Path) -> None:
    repository = new_repository(sandbox)
    assert refusal(lambda: repository.get_commit("main")).status == 409
    assert refusal(lambda: pages(repository, "POST", body=LEGACY)).status == 422
    push(sandbox, repository.name, tmp_path / "made", {"index.html": b"one", ".nojekyll": b""})
    assert refusal(lambda: pages(repository, "GET")).status == 404
    assert public(sandbox, repository).status_code == 404
    pages(repository, "POST", body=LEGACY)
    assert refusal(lambda: pages(repository, "POST", body=LEGACY)).status == 409
    assert pages(repository, "GET")["source"] == {"branch": "main", "path": "/"}


def test_pages_show_the_newest_push_after_the_build(sandbox: Sandbox, tmp_path: Path) -> None:
    repository = new_repository(sandbox)
    made = tmp_path / "made"
    push(sandbox, repository.name, made, {"index.html": b"one"})
    pages(repository, "POST", body=LEGACY)
    assert public(sandbox, repository).content == b"one"
    sandbox.change_settings(pages_build_s=0.3)
    sha = push(sandbox, repository.name, made, {"index.html": b"two"})
    assert public(sandbox, repository).content == b"one"
    assert pages(repository, "GET", "/builds/latest")["status"] == "building"
    until(lambda: public(sandbox, repository).content == b"two")
    latest = pages(repository, "GET", "/builds/latest")
    assert (latest["status"], latest["commit"]) == ("built", sha)


def test_pages_follow_the_paths_of_a_site(sandbox: Sandbox, tmp_path: Path) -> None:
    repository = new_repository(sandbox)
    files = {
        "index.html": b"home", "about.html": b"about", "sub/index.html": b"sub", "404.html": b"lost", "a.js": b"1",
        "d.csv": b"a,b", "d.json": b"{}", "r.md": b"# r", "i.svg": b"<svg/>", "p.PNG": b"p", "x.unknown": b"x",
        "_hidden/a.txt": b"h", ".slipway/task.json": b"{}",
    }  # fmt: skip
    push(sandbox, repository.name, tmp_path / "made", files)
    pages(repository, "POST", body=LEGACY)

    def answer(path: str) -> tuple[int, bytes]:
        response = public(sandbox, repository, path)
        return response.status_code, response.content

    assert answer("about") == (200, b"about")
    assert public(sandbox, repository, "sub").headers["location"].endswith("/sub/")
    assert answer("sub/") == (200, b"sub")
    assert answer("none") == (404, b"lost")
    assert answer("_hidden/a.txt") == (404, b"lost")
    types = {path: public(sandbox, repository, path).headers["content-type"] for path in files if path[1:2] == "."}
    assert types == {
        "a.js": "application/javascript; charset=utf-8",
        "d.csv": "text/csv; charset=utf-8",
        "d.json": "application/json; charset=utf-8",
        "r.md": "text/markdown; charset=utf-8",
        "i.svg": "image/svg+xml",
        "p.PNG": "image/png",
        "x.unknown": "application/octet-stream",
    }
    etag = public(sandbox, repository).headers["etag"]
    url = sandbox.pages_url("sandbox", repository.name)
    assert HTTP.get(url, headers={"If-None-Match": etag}).status_code == 304
    assert HTTP.head(url).headers["content-length"] == "4"
    push(sandbox, repository.name, tmp_path / "made", {".nojekyll": b""})
    assert answer("_hidden/a.txt") == (200, b"h")
    assert answer(".slipway/task.json") == (200, b"{}")


def test_pages_of_a_workflow_show_the_folder_that_it_uploads(sandbox: Sandbox, tmp_path: Path) -> None:
    repository = new_repository(sandbox)
    steps = b"steps:\n  - uses: actions/upload-pages-artifact@v3\n    with:\n      path: './site'\n  - run: true\n"
    files = {".github/workflows/pages.yml": steps, "index.html": b"root", "site/index.html": b"site"}
    push(sandbox, repository.name, tmp_path / "made", files)
    pages(repository, "POST", body=LEGACY)
    assert public(sandbox, repository).content == b"root"
    pages(repository, "PUT", body={"build_type": "workflow"})
    assert public(sandbox, repository).content == b"root"
    pages(repository, "POST", "/builds")
    assert public(sandbox, repository).content == b"site"


def test_faults_of_pages_builds(sandbox: Sandbox, tmp_path: Path) -> None:
    repository = new_repository(sandbox)
    made = tmp_path / "made"
    push(sandbox, repository.name, made, {"index.html": b"0"})
    pages(repository, "POST", body=LEGACY)

    sandbox.fault("pages", "errored", match=f"/{repository.name}/")
    push(sandbox, repository.name, made, {"index.html": b"1"})
    assert pages(repository, "GET", "/builds/latest")["status"] == "errored"
    assert public(sandbox, repository).content == b"0"
    pages(repository, "POST", "/builds")
    assert pages(repository, "GET", "/builds/latest")["status"] == "built"
    assert public(sandbox, repository).content == b"1"

    sandbox.fault("pages", "stale", seconds=0.3)
    push(sandbox, repository.name, made, {"index.html": b"2"})
    assert public(sandbox, repository).content == b"1"
    until(lambda: public(sandbox, repository).content == b"2")

    sandbox.fault("pages", "not_built")
    push(sandbox, repository.name, made, {"index.html": b"3"})
    time.sleep(0.1)
    assert public(sandbox, repository).content == b"2"
    assert pages(repository, "GET", "/builds/latest")["status"] == "building"
