"""GitHub's REST interface, for what git cannot do: make a repository, look whose it is, make its Pages site."""

import queue
import re
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Literal, TypeVar

import github
from github import Auth, Github, GithubException
from github.Consts import API_VERSION_2022_11_28
from pydantic import BaseModel, ConfigDict, ValidationError

from slipway_common.threads import in_thread
from slipway_deployer.errors import (
    BusyError,
    ConflictError,
    ForgeError,
    InvalidError,
    NameTakenError,
    NotThereError,
    PermissionDeniedError,
    TokenError,
    UnreachableError,
)
from slipway_deployer.rate import RateBudget

BuildType = Literal["legacy", "workflow"]
_T = TypeVar("_T")
_MIN_HOLD_S, _MAX_HOLD_S = 60.0, 900.0
_INSTALLATION = "ghs_"
_LEGACY_SOURCE = {"branch": "main", "path": "/"}


class _Answer(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class RepositoryInfo(_Answer):
    """Part of GitHub's "full repository"."""

    description: str | None = None
    has_pages: bool = False
    archived: bool = False


class PagesInfo(_Answer):
    """Part of GitHub's "Page"."""

    html_url: str | None = None
    status: str | None = None
    build_type: BuildType | None = None


class _Build(_Answer):
    class Error(_Answer):
        message: str | None = None

    status: str = ""
    error: Error = Error()


class _User(_Answer):
    login: str


class GitHub:
    """The calls that the deployer makes as one owner. Every one raises ForgeError; none is repeated here.

    PyGithub is not thread-safe, so every call in hand has an object of its own, taken from the idle ones. Its sleeps
    and retries are off, because waiting is the stage's business.
    """

    def __init__(self, api_url: str, token: str, owner: str, *, budget: RateBudget, timeout_s: int) -> None:
        self._api_url = api_url.rstrip("/")
        self._auth = Auth.Token(token)
        self._owner = owner
        self._budget = budget
        self._timeout_s = timeout_s
        self._idle: queue.SimpleQueue[Github] = queue.SimpleQueue()
        self._owner_is_user: bool | None = None
        self._holds = 0

    async def check_token(self) -> None:
        """One call, free of charge, that fails while the token is not valid or GitHub does not answer."""
        await self._json("GET", "/rate_limit")

    async def check_owner(self) -> None:
        """Learn once whether the owner is the token's user; anything else is taken for an organisation."""
        if self._owner_is_user is None:
            try:
                self._owner_is_user = (await self._call(_login)).casefold() == self._owner.casefold()
            except PermissionDeniedError:
                if not self._auth.token.startswith(_INSTALLATION):
                    raise
                self._owner_is_user = False  # an installation of an app is no user and may not ask who it is

    async def create_repository(self, name: str, description: str, homepage: str) -> None:
        """Make a public, empty repository. Raises NameTakenError where the owner has one of this name."""

        def create(client: Github) -> None:
            self._budget.take()
            account = client.get_user() if self._owner_is_user else client.get_organization(self._owner)
            account.create_repo(
                name, description=description, homepage=homepage, has_wiki=False, has_projects=False, auto_init=False
            )

        await self.check_owner()
        try:
            await self._call(create)
        except NotThereError as error:
            # so GitHub answers to members without the right, and to everybody where there is no such organisation
            raise PermissionDeniedError(f"no repository can be created for {self._owner!r}: {error}") from None

    async def repository(self, name: str) -> RepositoryInfo | None:
        """None where there is no such repository."""
        try:
            return RepositoryInfo.model_validate(await self._json("GET", f"/repos/{self._owner}/{name}"))
        except NotThereError:
            return None

    async def create_pages(self, name: str, build_type: BuildType) -> None:
        """Make the Pages site of `main` and `/`, or of the repository's workflow. It being there is no error.

        Raises NotThereError while GitHub does not see the branch yet.
        """
        body: dict[str, object] = {"build_type": build_type}
        if build_type == "legacy":
            body["source"] = _LEGACY_SOURCE
        try:
            await self._json("POST", f"/repos/{self._owner}/{name}/pages", body)
        except ConflictError:
            return
        except InvalidError as error:
            raise NotThereError(str(error)) from None

    async def switch_pages(self, name: str, build_type: BuildType) -> None:
        """Change who builds the site."""
        body: dict[str, object] = {"build_type": build_type}
        if build_type == "legacy":
            body["source"] = _LEGACY_SOURCE
        await self._json("PUT", f"/repos/{self._owner}/{name}/pages", body)

    async def pages(self, name: str) -> PagesInfo | None:
        """The site's settings and state; None where there is no site."""
        try:
            return PagesInfo.model_validate(await self._json("GET", f"/repos/{self._owner}/{name}/pages"))
        except NotThereError:
            return None

    async def build_error(self, name: str) -> str | None:
        """Why the latest build failed; None where it did not."""
        try:
            build = _Build.model_validate(await self._json("GET", f"/repos/{self._owner}/{name}/pages/builds/latest"))
        except NotThereError:
            return None
        return (build.error.message or "Pages told no reason") if build.status == "errored" else None

    async def request_build(self, name: str) -> None:
        """Ask for a build of what the branch holds."""
        await self._json("POST", f"/repos/{self._owner}/{name}/pages/builds")

    async def _json(self, verb: str, path: str, body: Mapping[str, object] | None = None) -> Any:
        def send(client: Github) -> Any:
            if verb != "GET":
                self._budget.take()
            return client.requester.requestJsonAndCheck(verb, path, input=dict(body) if body else None)[1]

        return await self._call(send)

    async def _call(self, call: Callable[[Github], _T]) -> _T:
        self._budget.check()
        return await in_thread(lambda: self._translated(call))

    def _translated(self, call: Callable[[Github], _T]) -> _T:
        client = self._client()
        try:
            result = call(client)
        except GithubException as error:
            raise self._error_of(error) from None
        except (OSError, AssertionError, ValidationError) as error:
            # the HTTP library's errors are OSErrors; PyGithub asserts on answers it cannot read
            raise UnreachableError(f"GitHub gave no usable answer ({type(error).__name__})") from None
        finally:
            self._idle.put(client)
        self._holds = 0
        return result

    def _client(self) -> Github:
        with suppress(queue.Empty):
            return self._idle.get_nowait()
        return Github(
            auth=self._auth,
            base_url=self._api_url,
            timeout=self._timeout_s,
            user_agent="slipway-deployer",
            retry=None,
            seconds_between_requests=0,
            seconds_between_writes=0,
            lazy=True,
            api_version=API_VERSION_2022_11_28,
        )

    def _error_of(self, error: GithubException) -> ForgeError:
        status, headers = error.status, error.headers or {}
        told = f"GitHub answers {status}: {_message_of(error)}"
        if status == 429 or (status == 403 and _is_rate_limit(headers, _message_of(error))):
            after = self._hold(headers)
            return BusyError(told, after)
        match status:
            case 401:
                return TokenError(told)
            case 403:
                return PermissionDeniedError(told)
            case 404:
                return NotThereError(told)
            case 409:
                return ConflictError(told)
            case 422 if re.search(r"already exists", _message_of(error)):
                return NameTakenError(told)
        return UnreachableError(told) if status >= 500 or status < 400 else InvalidError(told)

    def _hold(self, headers: Mapping[str, Any]) -> float:
        """Seconds to wait: Retry-After, else the reset time, else a minute, doubled each time in a row."""
        if str(headers.get("retry-after", "")).isdigit():
            after = float(headers["retry-after"])
        elif headers.get("x-ratelimit-remaining") == "0" and str(headers.get("x-ratelimit-reset", "")).isdigit():
            after = max(float(headers["x-ratelimit-reset"]) - time.time(), 1.0)
        else:
            after = min(_MIN_HOLD_S * 2**self._holds, _MAX_HOLD_S)
            self._holds += 1
        self._budget.hold(after)
        return after


def _login(client: Github) -> str:
    return _User.model_validate(client.requester.requestJsonAndCheck("GET", "/user")[1]).login


def _is_rate_limit(headers: Mapping[str, Any], message: str) -> bool:
    """403 means either; the documentation tells them apart by these headers and words."""
    return (
        "retry-after" in headers
        or headers.get("x-ratelimit-remaining") == "0"
        or re.search(r"rate limit|abuse", message, re.IGNORECASE) is not None
    )


def _message_of(error: github.GithubException) -> str:
    """GitHub's own words, with those of its `errors`, in one line."""
    data = error.data if isinstance(error.data, dict) else {}
    parts = [str(data.get("message") or "no reason given")]
    for item in data.get("errors") or []:
        parts.append(str(item.get("message") or item.get("code")) if isinstance(item, dict) else str(item))
    return re.sub(r"\s+", " ", "; ".join(parts))[:300]
