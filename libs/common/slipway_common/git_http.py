"""The git protocol over HTTP with deadlines, size limits and typed errors, on top of dulwich.

Every class of error here is a GitError:

    GitError
    ├── GitUnreachableError   no usable answer (connection, timeout, 5xx, broken stream): the outcome is unknown
    ├── GitBusyError          429, or 403 with a time to wait: `retry_after` seconds, where the server told
    ├── GitRefusedError       401, 403, 404: no permission, or no such repository (the two look alike): `status`
    └── GitTooLargeError      more bytes than were allowed
"""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

import urllib3
from dulwich.client import AbstractHttpGitClient, default_urllib3_manager

if TYPE_CHECKING:
    from dulwich.client import HTTPResponse

CONNECT_TIMEOUT_S = 5.0
MAX_ANSWER_BYTES = 128 * 1024 * 1024


class GitError(Exception):
    """A git exchange did not succeed."""


class GitUnreachableError(GitError):
    """No usable answer: what was sent may or may not have had its effect."""


class GitBusyError(GitError):
    """The server asks to wait."""

    def __init__(self, message: str, retry_after: float | None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class GitRefusedError(GitError):
    """No permission, or no such repository; an anonymous reader gets 401 for both."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class GitTooLargeError(GitError):
    """The answer is larger than allowed."""


class GitHttp(AbstractHttpGitClient):
    """A dulwich client for one repository's URL. `requests` counts what was sent. Use it in one thread only.

    `deadline_s` bounds the whole life of the client. `headers` go to the origin of `url` only, not after a redirect.
    """

    def __init__(self, url: str, *, deadline_s: float, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(url, quiet=True)
        self.requests = 0
        self._headers = dict(headers or {})
        self._origin = _origin(url)
        self._deadline = time.monotonic() + deadline_s
        self._pool = default_urllib3_manager(None, base_url=url)
        self._received = 0

    def close(self) -> None:
        self._pool.clear()

    def _http_request(
        self,
        url: str,
        headers: dict[str, str] | None = None,
        data: bytes | Iterator[bytes] | None = None,
        raise_for_status: bool = True,
    ) -> tuple["HTTPResponse", Callable[[int], bytes]]:
        sent = dict(self._pool.headers) | (headers or {}) | {"Pragma": "no-cache"}
        if _origin(url) == self._origin:
            sent |= self._headers
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise GitUnreachableError(f"{self._base_url}: no time left")
        self.requests += 1
        try:
            answer = self._pool.request(
                "GET" if data is None else "POST",
                url,
                headers=sent,
                body=data,
                preload_content=False,
                timeout=urllib3.Timeout(connect=min(CONNECT_TIMEOUT_S, left), read=left),
                # a repository that was renamed answers with a redirect; all other retries are the stage's business
                retries=urllib3.Retry(0, redirect=3, raise_on_redirect=True),
            )
        except urllib3.exceptions.HTTPError as error:
            raise GitUnreachableError(f"{self._base_url}: {_plain(error)}") from None
        if raise_for_status and answer.status != 200:
            raise self._error_of(answer)
        final = answer.geturl() or url
        found: HTTPResponse = answer  # type: ignore[assignment]  # given the two attributes just below
        found.content_type = answer.headers.get("Content-Type")
        found.redirect_location = final if final != url else ""
        return found, self._reader(answer)

    def _reader(self, answer: urllib3.BaseHTTPResponse) -> Callable[[int], bytes]:
        def read(size: int) -> bytes:
            if time.monotonic() > self._deadline:
                raise GitUnreachableError(f"{self._base_url}: the answer took too long")
            try:
                data = answer.read(size)
            except urllib3.exceptions.HTTPError as error:
                raise GitUnreachableError(f"{self._base_url}: {_plain(error)}") from None
            self._received += len(data)
            if self._received > MAX_ANSWER_BYTES:
                raise GitTooLargeError(f"{self._base_url}: over {MAX_ANSWER_BYTES} bytes")
            return data

        return read

    def _error_of(self, answer: urllib3.BaseHTTPResponse) -> GitError:
        status, retry_after = answer.status, _seconds(answer.headers.get("Retry-After"))
        answer.close()
        message = f"{self._base_url}: HTTP {status}"
        if status == 429 or (status == 403 and retry_after is not None):
            return GitBusyError(message, retry_after)
        if status in (401, 403, 404):
            return GitRefusedError(message, status)
        return GitUnreachableError(message)


def repository_url(git_url: str, owner: str, repo: str) -> str:
    """Where the repository is cloned from, and what a browser opens."""
    return f"{git_url.rstrip('/')}/{owner}/{repo}"


def _origin(url: str) -> tuple[str | None, str | None, int | None]:
    parsed = urllib3.util.parse_url(url)
    return parsed.scheme, parsed.host, parsed.port


def _seconds(value: str | None) -> float | None:
    return float(value) if value and value.isdigit() else None


def _plain(error: Exception) -> str:
    """Kind and cause; the full text may quote the URL with all it carries."""
    cause = getattr(error, "reason", None)
    return f"{type(error).__name__}{f' ({type(cause).__name__})' if isinstance(cause, Exception) else ''}"
