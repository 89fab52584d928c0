"""The sandbox's GitHub, talked to by PyGithub, git and dulwich: repositories, pushes, every fault."""

import asyncio
import gzip
import os
import time
from pathlib import Path

import github
import httpx
import pytest
from dulwich.client import HttpGitClient
from dulwich.objects import Blob, Commit, Tree
from dulwich.objects import ObjectID as Sha
from dulwich.repo import MemoryRepo
from github_visitor import HTTP, LEGACY, git, hub, new_name, new_repository, pages, public, push, refusal, until

from slipway_sandbox.client import Sandbox
from slipway_sandbox.process import running_sandbox


def test_a_repository_is_made_pushed_to_published_and_cloned(sandbox: Sandbox, tmp_path: Path) -> None:
    repository = new_repository(sandbox)
    assert repository.owner.login == "sandbox"
    assert repository.html_url == f"{sandbox.git_url}/sandbox/{repository.name}"
    page = b"<!DOCTYPE html>\r\n<title>\xc3\xa9</title>"
    data = os.urandom(3_000_000)  # more than git sends in one piece
    files = {"index.html": page, "déjà/a b.bin": data, "empty": b""}
    sha = push(sandbox, repository.name, tmp_path / "made", files)
    site = pages(repository, "POST", body=LEGACY)

    assert site["html_url"] == sandbox.pages_url("sandbox", repository.name)
    shown = public(sandbox, repository, "?bust=1")
    assert (shown.status_code, shown.content) == (200, page)
    assert shown.headers["content-type"] == "text/html; charset=utf-8"
    assert shown.headers["cache-control"] == "max-age=600"
    assert public(sandbox, repository, "d%C3%A9j%C3%A0/a%20b.bin").content == data
    git("clone", "-q", repository.html_url, "cloned", cwd=tmp_path)
    assert git("rev-parse", "HEAD", cwd=tmp_path / "cloned") == sha
    assert (tmp_path / "cloned" / "déjà" / "a b.bin").read_bytes() == data
    assert repository.get_commit("main").sha == sha
    contents = repository.get_contents("déjà/a b.bin")
    assert not isinstance(contents, list)
    assert contents.decoded_content[:1000] == data[:1000]
    listed = repository.get_contents("")
    assert isinstance(listed, list)
    assert [(entry.type, entry.path) for entry in listed] == [
        ("dir", "déjà"), ("file", "empty"), ("file", "index.html"),
    ]  # fmt: skip
    assert listed[0].sha == git("rev-parse", "HEAD:déjà", cwd=tmp_path / "cloned")


def test_dulwich_pushes_from_memory_and_fetches_into_memory(sandbox: Sandbox) -> None:
    name = new_repository(sandbox).name
    blob = Blob.from_string(b"hello" * 100_000)
    tree = Tree()
    tree.add(b"index.html", 0o100644, blob.id)
    commit = Commit()
    commit.tree = tree.id
    commit.author = commit.committer = b"Test <test@example.invalid>"
    commit.author_time = commit.commit_time = 1_700_000_000
    commit.author_timezone = commit.commit_timezone = 0
    commit.message = b"From memory\n"
    source = MemoryRepo()
    source.object_store.add_objects([(blob, None), (tree, None), (commit, None)])
    path = f"/git/sandbox/{name}"

    def update(refs: dict[bytes, Sha]) -> dict[bytes, Sha]:
        return {b"refs/heads/main": commit.id}

    client = HttpGitClient(sandbox.url, username="x-access-token", password="sandbox")
    client.send_pack(path, update, source.object_store.generate_pack_data)  # type: ignore[arg-type]
    assert [r.method for r in sandbox.requests("git")] == ["GET", "POST"]

    target = MemoryRepo()
    fetched = HttpGitClient(sandbox.url).fetch(path, target, depth=1)
    assert fetched.refs[b"HEAD"] == commit.id  # type: ignore[index]
    assert target.object_store[blob.id].as_raw_string() == blob.data


def test_the_public_reads_and_only_the_token_writes(sandbox: Sandbox, tmp_path: Path) -> None:
    name = new_repository(sandbox).name
    refs = f"{sandbox.git_url}/sandbox/{name}/info/refs?service="
    missing = f"{sandbox.git_url}/sandbox/no-such/info/refs?service=git-upload-pack"
    assert HTTP.get(refs + "git-upload-pack").status_code == 200
    assert HTTP.get(refs + "git-receive-pack").status_code == 401
    assert HTTP.get(refs + "git-receive-pack", auth=("x", "bad-token")).status_code == 401
    assert HTTP.get(refs + "git-receive-pack", auth=("x", "sandbox")).status_code == 200
    assert HTTP.get(missing).headers["www-authenticate"] == 'Basic realm="GitHub"'
    assert HTTP.get(missing).status_code == 401
    assert HTTP.get(missing, auth=("x", "sandbox")).status_code == 404
    with pytest.raises(RuntimeError, match="could not read Username"):
        push(sandbox, name, tmp_path / "made", {"a": b"1"}, token="bad-token")


def test_a_push_that_is_not_on_top_of_the_branch_is_refused(sandbox: Sandbox, tmp_path: Path) -> None:
    name = new_repository(sandbox).name
    push(sandbox, name, tmp_path / "one", {"a": b"1"})
    with pytest.raises(RuntimeError, match="rejected"):
        push(sandbox, name, tmp_path / "two", {"a": b"2"})


def test_a_compressed_request_is_understood(sandbox: Sandbox, tmp_path: Path) -> None:
    name = new_repository(sandbox).name
    sha = push(sandbox, name, tmp_path / "made", {"a": b"1"})
    wanted = gzip.compress(f"0032want {sha}\n00000009done\n".encode())
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/x-git-upload-pack-request"}
    answer = HTTP.post(f"{sandbox.git_url}/sandbox/{name}/git-upload-pack", content=wanted, headers=headers)
    assert answer.content.startswith(b"0008NAK\nPACK")


def test_a_name_is_taken_once_and_made_canonical(sandbox: Sandbox) -> None:
    name = new_name()
    assert new_repository(sandbox, f"{name} é!").name == f"{name}-"
    error = refusal(lambda: new_repository(sandbox, f"{name.upper()}-"))
    assert error.status == 422
    assert error.data["errors"][0]["message"] == "name already exists on this account"
    assert refusal(lambda: new_repository(sandbox, "x" * 101)).status == 422


def test_a_description_has_its_limits(sandbox: Sandbox) -> None:
    user = hub(sandbox).get_user()
    for bad in ("x" * 351, "tab\there"):
        error = refusal(lambda: user.create_repo(new_name(), description=bad))  # noqa: B023 - called at once
        assert (error.status, error.data["errors"][0]["field"]) == (422, "description")
    repository = user.create_repo(new_name(), description="x" * 350)
    repository.edit(description="changed")
    assert hub(sandbox).get_repo(repository.full_name).description == "changed"


def test_an_organization_owns_repositories_too(sandbox: Sandbox, tmp_path: Path) -> None:
    organization = hub(sandbox).requester
    url = f"{sandbox.api_url}/orgs/sandbox-org/repos"
    made = organization.requestJsonAndCheck("POST", url, input={"name": new_name()})[1]
    assert made["owner"]["type"] == "Organization"
    assert HTTP.get(f"{sandbox.api_url}/repos/{made['full_name']}").json()["organization"]["login"] == "sandbox-org"
    assert refusal(lambda: organization.requestJsonAndCheck("POST", url.replace("sandbox-org", "other"))).status == 404


def test_tokens_are_told_apart(sandbox: Sandbox) -> None:
    assert hub(sandbox).get_user().login == "sandbox"
    assert refusal(lambda: hub(sandbox, "bad-token").get_user().login).status == 401
    assert refusal(lambda: hub(sandbox, "ghs_installation").get_user().create_repo(new_name())).status == 403
    assert HTTP.get(f"{sandbox.api_url}/user").status_code == 401
    core = hub(sandbox).get_rate_limit().resources.core
    assert core.remaining + core.used == core.limit


def test_done_but_not_said(sandbox: Sandbox, tmp_path: Path) -> None:
    name = new_name()
    sandbox.fault("github", "done_then_502")
    assert refusal(lambda: new_repository(sandbox, name)).status == 502
    assert hub(sandbox).get_repo(f"sandbox/{name}").description == "made by a test"
    sandbox.fault("git", "done_then_502", match="git-receive-pack", method="POST")
    with pytest.raises(RuntimeError, match="502"):
        push(sandbox, name, tmp_path / "made", {"index.html": b"1"})
    assert hub(sandbox).get_repo(f"sandbox/{name}").get_commit("main").commit.message == "A change"
    sandbox.fault("github", "timeout", method="DELETE")
    with pytest.raises(httpx.ReadTimeout):
        HTTP.delete(f"{sandbox.api_url}/repos/sandbox/{name}", headers={"Authorization": "token x"}, timeout=0.5)
    assert refusal(lambda: hub(sandbox).get_repo(f"sandbox/{name}")).status == 404


def test_rate_limits_say_when_to_come_again(sandbox: Sandbox) -> None:
    url = f"{sandbox.api_url}/user"
    token = {"Authorization": "Bearer sandbox"}
    sandbox.fault("github", "secondary_rate_limit", retry_after=3)
    sandbox.fault("github", "primary_rate_limit", reset_s=90)
    sandbox.fault("github", "status", status=429, headers={"Retry-After": "4"}, message="Too many")
    secondary, primary, other = (HTTP.get(url, headers=token) for _ in range(3))
    assert (secondary.status_code, secondary.headers["retry-after"]) == (403, "3")
    assert "secondary rate limit" in secondary.json()["message"]
    assert (primary.status_code, primary.headers["x-ratelimit-remaining"]) == (403, "0")
    assert 80 <= int(primary.headers["x-ratelimit-reset"]) - time.time() <= 91
    assert (other.status_code, other.headers["retry-after"], other.json()["message"]) == (429, "4", "Too many")


def test_the_hours_budget_can_be_spent(sandbox: Sandbox) -> None:
    used = hub(sandbox).get_rate_limit().resources.core.used
    sandbox.change_settings(rate_limit=used + 1)
    assert hub(sandbox).get_user().login
    with pytest.raises(github.RateLimitExceededException):
        assert hub(sandbox).get_user().login


def test_a_new_repository_is_not_seen_at_once(sandbox: Sandbox) -> None:
    sandbox.fault("github", "delayed_visibility", times=2)
    sandbox.fault("git", "delayed_visibility", times=None, seconds=0.3)
    repository = new_repository(sandbox)
    refs = f"{sandbox.git_url}/sandbox/{repository.name}/info/refs?service=git-upload-pack"
    assert HTTP.get(refs).status_code == 404
    statuses = [HTTP.get(repository.url).status_code for _ in range(3)]
    assert statuses == [404, 404, 200]
    until(lambda: HTTP.get(refs).status_code == 200)


def test_a_name_may_be_somebody_elses(sandbox: Sandbox) -> None:
    sandbox.fault("github", "name_taken", description="not ours")
    name = new_name()
    assert refusal(lambda: new_repository(sandbox, name)).status == 422
    assert hub(sandbox).get_repo(f"sandbox/{name}").description == "not ours"


def test_repositories_and_sites_outlive_the_process(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running_sandbox(data, arguments=("--pages-build", "0", "--owner", "me")) as sandbox:
        repository = new_repository(sandbox)
        assert repository.owner.login == "me"
        push(sandbox, repository.name, tmp_path / "made", {"index.html": b"kept"}, owner="me")
        pages(repository, "POST", body=LEGACY)
    with running_sandbox(data, arguments=("--owner", "me")) as sandbox:
        assert HTTP.get(sandbox.pages_url("me", repository.name)).content == b"kept"
        again = hub(sandbox).get_repo(repository.full_name)
        assert (again.id, again.has_pages) == (repository.id, True)
        assert refusal(lambda: new_repository(sandbox, repository.name)).status == 422


async def test_many_repositories_are_made_at_a_time(sandbox: Sandbox) -> None:
    async with httpx.AsyncClient(headers={"Authorization": "Bearer sandbox"}) as http:
        url = f"{sandbox.api_url}/user/repos"
        names = [new_name() for _ in range(25)]
        answers = await asyncio.gather(*(http.post(url, json={"name": name}) for name in names * 2))
    assert sorted(answer.status_code for answer in answers) == [201] * 25 + [422] * 25
