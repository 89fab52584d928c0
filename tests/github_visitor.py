"""A visitor of the sandbox's GitHub with the real tools: PyGithub for REST, git for commits, httpx for the rest."""

import os
import subprocess
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path

import github
import httpx
import pytest
from github.Repository import Repository

from slipway_sandbox.client import Sandbox

_names = count(1)
HTTP = httpx.Client(timeout=3)  # one for all: each new one reads the machine's certificates
LEGACY = {"source": {"branch": "main", "path": "/"}}


def hub(sandbox: Sandbox, token: str = "sandbox") -> github.Github:
    """PyGithub without its pauses and retries."""
    auth = github.Auth.Token(token)
    return github.Github(
        base_url=sandbox.api_url,
        auth=auth,
        retry=None,
        timeout=3,
        seconds_between_requests=0,
        seconds_between_writes=0,
    )


def new_name() -> str:
    """A name that no other test of this process uses."""
    return f"of-the-sandbox-test-{next(_names)}"


def new_repository(sandbox: Sandbox, name: str | None = None) -> Repository:
    """An empty repository of the token's owner."""
    return hub(sandbox).get_user().create_repo(name or new_name(), description="made by a test")


def git(*arguments: str, cwd: Path) -> str:
    """Output of git, which may not ask for anything; raises RuntimeError with what it said."""
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.invalid", "-c", "init.defaultBranch=main"]
    quiet = os.environ | {"GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": ""}
    command = ["git", *identity, *arguments]
    done = subprocess.run(command, cwd=cwd, env=quiet, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return done.stdout.strip()


def push(
    sandbox: Sandbox,
    name: str,
    folder: Path,
    files: dict[str, bytes],
    *,
    token: str = "sandbox",
    owner: str = "sandbox",
) -> str:
    """Commit the files on top of what the folder has and push; the new commit's sha."""
    if not folder.exists():
        folder.mkdir()
        git("init", "-q", cwd=folder)
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    git("add", "-A", cwd=folder)
    git("commit", "-q", "-m", "A change", cwd=folder)
    header = f"http.extraHeader=Authorization: Bearer {token}"
    git("-c", header, "push", "-q", f"{sandbox.git_url}/{owner}/{name}", "main", cwd=folder)
    return git("rev-parse", "HEAD", cwd=folder)


def pages(repository: Repository, verb: str, path: str = "", body: object = None) -> dict[str, object]:
    """Ask the REST interface below the repository's /pages."""
    url = f"{repository.url}/pages{path}"
    answer: dict[str, object] = repository.requester.requestJsonAndCheck(verb, url, input=body)[1]
    return answer


def public(sandbox: Sandbox, repository: Repository, path: str = "") -> httpx.Response:
    """What the world sees of its site."""
    return HTTP.get(sandbox.pages_url("sandbox", repository.name) + path)


def until(check: Callable[[], bool], seconds: float = 3) -> None:
    """Wait until the check holds."""
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.02)


def refusal(call: Callable[[], object]) -> github.GithubException:
    """The error that the call has to end with."""
    with pytest.raises(github.GithubException) as caught:
        call()
    return caught.value
