"""The sandbox answers the real clients as the real services do: google-genai, PyGithub, git, dulwich."""

import subprocess
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path

import github
import httpx
import pytest
from github.Repository import Repository
from google import genai
from google.genai import types

from slipway_sandbox.client import Sandbox

_names = count(1)
FLASH = "gemini-2.5-flash"


def gemini(sandbox: Sandbox, key: str = "sandbox", version: str | None = None) -> genai.Client:
    options = types.HttpOptions(base_url=sandbox.gemini_url, api_version=version, timeout=3000)
    return genai.Client(api_key=key, http_options=options)


def hub(sandbox: Sandbox, token: str = "sandbox") -> github.Github:
    return github.Github(
        base_url=sandbox.api_url, auth=github.Auth.Token(token), retry=None, seconds_between_writes=0, timeout=3
    )


def new_repository(sandbox: Sandbox, description: str = "made by a test") -> Repository:
    return hub(sandbox).get_user().create_repo(f"repo-{next(_names)}", description=description)


def git(*arguments: str, cwd: Path) -> str:
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.invalid", "-c", "init.defaultBranch=main"]
    done = subprocess.run(["git", *identity, *arguments], cwd=cwd, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def push(sandbox: Sandbox, name: str, folder: Path, files: dict[str, bytes]) -> str:
    """Commit the files on top of what is in the repository and push with the token; the new commit's sha."""
    if not folder.exists():
        folder.mkdir()
        git("init", "-q", cwd=folder)
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    git("add", "-A", cwd=folder)
    git("commit", "-q", "-m", "A change", cwd=folder)
    header = "http.extraHeader=Authorization: Bearer sandbox"
    git("-c", header, "push", "-q", f"{sandbox.git_url}/sandbox/{name}", "main", cwd=folder)
    return git("rev-parse", "HEAD", cwd=folder)


def enable_pages(repository: Repository, **body: object) -> dict[str, object]:
    body = body or {"source": {"branch": "main", "path": "/"}}
    site: dict[str, object] = repository.requester.requestJsonAndCheck("POST", f"{repository.url}/pages", input=body)[1]
    return site


def until(check: Callable[[], bool], seconds: float = 3) -> None:
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.02)


@pytest.mark.parametrize("version", [None, "v1beta"])
def test_gemini_plays_the_scripted_reply_of_a_brief(sandbox: Sandbox, version: str | None) -> None:
    sandbox.script("count the swans", ["first {{serial}}", "second {{serial}}"])
    config = types.GenerateContentConfig(system_instruction="You write pages.")
    client = gemini(sandbox, version=version)
    chat = client.chats.create(model=FLASH, config=config)
    one = chat.send_message("# Brief\nPlease count\nthe swans.")
    two = chat.send_message("That was wrong, again.")

    assert one.text is not None
    assert one.text.startswith("first ")
    assert two.text is not None
    assert two.text.startswith("second ")
    assert one.text.split()[1] != two.text.split()[1]
    assert one.candidates is not None
    assert one.candidates[0].finish_reason == types.FinishReason.STOP
    assert one.usage_metadata is not None
    assert one.usage_metadata.thoughts_token_count == 300
    assert one.model_version == FLASH
    assert [(reply.script, reply.turn) for reply in sandbox.replies()] == [("added-1", 1), ("added-1", 2)]
    assert sandbox.prompts()[0].text == "You write pages.\n# Brief\nPlease count\nthe swans."


def test_gemini_streams_a_reply_in_pieces(sandbox: Sandbox) -> None:
    sandbox.script("a long story", ["swan " * 400])
    client = gemini(sandbox)
    pieces = list(client.models.generate_content_stream(model=FLASH, contents="a long story"))
    assert len(pieces) > 2
    assert "".join(piece.text or "" for piece in pieces) == "swan " * 400


def test_a_repository_is_made_pushed_to_published_and_cloned(sandbox: Sandbox, tmp_path: Path) -> None:
    repository = new_repository(sandbox)
    assert repository.owner.login == "sandbox"
    assert repository.html_url == f"{sandbox.git_url}/sandbox/{repository.name}"
    page, data = b"<!DOCTYPE html>\r\n<title>\xc3\xa9</title>", bytes(range(256)) * 9000
    sha = push(sandbox, repository.name, tmp_path / "made", {"index.html": page, "d\u00e9j\u00e0/a b.bin": data})
    site = enable_pages(repository)

    public = sandbox.pages_url("sandbox", repository.name)
    assert site["html_url"] == public
    shown = httpx.get(public + "?bust=1")
    assert (shown.status_code, shown.content) == (200, page)
    assert shown.headers["content-type"] == "text/html; charset=utf-8"
    assert shown.headers["cache-control"] == "max-age=600"
    assert httpx.get(public + "d\u00e9j\u00e0/a%20b.bin").content == data
    git("clone", "-q", repository.html_url, "cloned", cwd=tmp_path)
    assert git("rev-parse", "HEAD", cwd=tmp_path / "cloned") == sha
    assert (tmp_path / "cloned" / "d\u00e9j\u00e0" / "a b.bin").read_bytes() == data


def test_the_evaluator_records_what_it_was_sent_and_what_it_answered(sandbox: Sandbox) -> None:
    sandbox.fault("evaluator", "status", status=503)
    body = {"task": "t", "round": 1}
    assert [httpx.post(sandbox.notify_url + "/x", json=body).status_code for _ in range(2)] == [503, 200]
    assert [(n.path, n.status, n.body) for n in sandbox.notifications()] == [
        ("/notify/x", 503, body),
        ("/notify/x", 200, body),
    ]
