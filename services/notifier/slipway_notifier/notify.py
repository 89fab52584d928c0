"""One POST to the evaluator: exactly seven fields, and only 200 counts."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import httpx
import structlog
from pydantic import BaseModel

from slipway_common.delivery import current_attempt
from slipway_common.events import Deployed, Notified
from slipway_common.stage import Reject, Retry

log = structlog.get_logger()

_MAX_ANSWER_BYTES = 64 * 1024
_ANSWER_S = 2.0
# a proxy named in the environment reaches the world, not this machine
_DIRECT = {"all://127.0.0.1": None, "all://localhost": None}


class Notification(BaseModel):
    """The body that the evaluator gets, in this order and nothing else."""

    email: str
    task: str
    round: int
    nonce: str
    repo_url: str
    commit_sha: str
    pages_url: str

    @classmethod
    def of(cls, event: Deployed) -> "Notification":
        job = event.job
        return cls(
            email=job.email,
            task=job.task,
            round=job.round,
            nonce=job.nonce,
            repo_url=event.repo_url,
            commit_sha=event.commit_sha,
            pages_url=event.pages_url,
        )


@dataclass(frozen=True)
class Tools:
    """What notifying needs: an HTTP client that follows no redirects, and how long one try may take."""

    client: httpx.AsyncClient
    timeout_s: float


@asynccontextmanager
async def open_tools(timeout_s: float, connections: int, version: str) -> AsyncIterator[Tools]:
    """The HTTP client for as long as the service runs."""
    limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
    headers = {"User-Agent": f"slipway-notifier/{version}"}
    async with httpx.AsyncClient(
        timeout=timeout_s, limits=limits, headers=headers, mounts=_DIRECT, follow_redirects=False
    ) as client:
        yield Tools(client, timeout_s)


async def notify(event: Deployed, tools: Tools) -> Notified:
    """Tell the evaluator. Raises Retry for every answer but 200 and for none at all, Reject for an unusable URL.

    Reasons name the status or the kind of failure, never the URL: its query may carry the evaluator's own secrets.
    """
    status = await _post(permitted(event.job.evaluation_url), Notification.of(event), tools)
    if status != httpx.codes.OK:
        raise Retry(f"the evaluator answered {status}; only 200 counts")
    log.info("evaluator told", status=status, live=event.live)
    return Notified(
        job=event.job,
        repo_url=event.repo_url,
        commit_sha=event.commit_sha,
        pages_url=event.pages_url,
        live=event.live,
        status=status,
        tries=current_attempt(),
    )


def permitted(url: str) -> httpx.URL:
    """The place where we may send to; rules about hosts and addresses belong here. Raises Reject."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        raise Reject("evaluation_url: not a URL") from None
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise Reject("evaluation_url: only http:// and https:// with a host can be notified")
    return parsed


async def _post(url: httpx.URL, body: Notification, tools: Tools) -> int:
    headers = {"Content-Type": "application/json"}
    request = tools.client.build_request("POST", url, content=body.model_dump_json(), headers=headers)
    try:
        async with asyncio.timeout(tools.timeout_s):
            answer = await tools.client.send(request, stream=True)
    except TimeoutError:
        raise Retry(f"the evaluator did not answer within {tools.timeout_s:g} s") from None
    except httpx.HTTPError as error:
        raise Retry(f"the evaluator could not be reached: {type(error).__name__}") from None
    await _discard(answer)
    return answer.status_code


async def _discard(answer: httpx.Response) -> None:
    """Read a short answer to its end, so that the connection can serve again; a long or slow one is cut off."""
    seen = 0
    try:
        with suppress(httpx.HTTPError, TimeoutError):
            async with asyncio.timeout(_ANSWER_S):
                async for chunk in answer.aiter_raw():
                    seen += len(chunk)
                    if seen > _MAX_ANSWER_BYTES:
                        break
    finally:
        with suppress(httpx.HTTPError):
            await answer.aclose()
