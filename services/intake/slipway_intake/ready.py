"""`POST /ready`: takes a task request and answers 200 once the broker has confirmed it, never before."""

import asyncio
import hmac
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Literal

import structlog
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from pydantic import BaseModel
from pydantic_core import from_json

from slipway_common.bus import Bus, PublishError
from slipway_common.events import EventTooLargeError, Job, Received, dump_event, job_id, read_event
from slipway_common.problem import problem
from slipway_common.topology import WORK_EXCHANGE
from slipway_intake.metrics import REQUESTS
from slipway_intake.projection import Projection
from slipway_intake.rate import SenderRate
from slipway_intake.record import State, record_of
from slipway_intake.request import InvalidRequestError, TaskRequest, read_request
from slipway_intake.settings import IntakeSettings

log = structlog.get_logger()

_BODY_S = 60.0
_RETRY_AFTER_S = 5
_BOM = b"\xef\xbb\xbf"


class Accepted(BaseModel):
    """The answer to a request that was taken. `repeat`: the job was known already, and nothing was started."""

    status: Literal["accepted", "repeat"]
    repeat: bool
    job: str
    task: str
    round: int
    state: State
    status_url: str


class ReadyEndpoint:
    """The door. What cannot be taken is refused here, so that every event on the bus can be worked on."""

    def __init__(self, settings: IntakeSettings, bus: Bus, projection: Projection) -> None:
        self._settings = settings
        self._bus = bus
        self._projection = projection
        self._rate = SenderRate(settings.max_tasks_per_minute)

    async def __call__(self, http: web.Request) -> web.Response:
        answer = await self._answer(http)
        REQUESTS.labels(str(answer.status)).inc()
        return answer

    async def _answer(self, http: web.Request) -> web.Response:
        body = await self._body(http)
        if isinstance(body, web.Response):
            return body
        try:
            document = from_json(body.removeprefix(_BOM), allow_inf_nan=False)
        except ValueError as error:
            return problem(HTTPStatus.BAD_REQUEST, f"body: not JSON: {error}")
        given = document.get("secret") if isinstance(document, dict) else None
        if isinstance(given, str) and not self._is_secret(given):
            return problem(HTTPStatus.UNAUTHORIZED, "secret: is not the one that this service was given")
        try:
            request = await asyncio.to_thread(read_request, document)
        except InvalidRequestError as error:
            fields = ", ".join(field for field, _ in error.problems)
            return problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"invalid: {fields}", fields=error.problems)
        return await self._take(request, http)

    async def _take(self, request: TaskRequest, http: web.Request) -> web.Response:
        job = job_id(request.email, request.task, request.round, request.nonce)
        known = await asyncio.to_thread(self._projection.get, job)
        if known is not None:
            log.info("repeat of a known job", job=job, state=known.state)
            return _accepted(http, "repeat", job, request, known.state)
        if refusal := await self._full() or self._too_many(request.email):
            return refusal
        event = self._event(job, request)
        try:
            body = await asyncio.to_thread(dump_event, event, source="intake")
        except EventTooLargeError as error:
            return problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"body: {error}")
        if not await self._bus.accepts():
            return _unavailable("the broker does not take messages now; send the request again later")
        try:
            await self._bus.publish(WORK_EXCHANGE, event.type, body, event_type=event.type)
            await self._bus.write_history(body, event_type=event.type)
        except PublishError as error:
            log.warning("request not confirmed by the broker", job=job, reason=str(error))
            return _unavailable("the broker did not confirm the request; send it again later")
        await asyncio.to_thread(lambda: self._projection.expect(record_of(read_event(body))))
        log.info("accepted", job=job, task=request.task, round=request.round, bytes=len(body))
        return _accepted(http, "accepted", job, request, "received")

    def _event(self, job: str, request: TaskRequest) -> Received:
        now = datetime.now(UTC)
        return Received(
            job=Job(
                id=job,
                email=request.email,
                task=request.task,
                round=request.round,
                nonce=request.nonce,
                evaluation_url=request.evaluation_url,
                accepted_at=now,
                due_at=now + timedelta(seconds=self._settings.task_deadline_s),
            ),
            at=now,
            brief=request.brief,
            checks=request.checks,
            attachments=request.event_attachments(),
        )

    def _is_secret(self, given: str) -> bool:
        wanted = self._settings.student_secret.get_secret_value()
        return hmac.compare_digest(given.encode(errors="surrogatepass"), wanted.encode())

    async def _full(self) -> web.Response | None:
        limit = self._settings.max_backlog
        if not limit:
            return None
        unfinished = await asyncio.to_thread(self._projection.unfinished)
        if unfinished < limit:
            return None
        return _unavailable(f"{unfinished} jobs are unfinished, MAX_BACKLOG is {limit}; send the request again later")

    def _too_many(self, sender: str) -> web.Response | None:
        wait_s = self._rate.wait_s(sender)
        if not wait_s:
            return None
        detail = f"more than {self._settings.max_tasks_per_minute} tasks from this sender within a minute"
        return problem(HTTPStatus.TOO_MANY_REQUESTS, detail, headers={"Retry-After": str(wait_s)})

    async def _body(self, http: web.Request) -> bytes | web.Response:
        if http.content_type != "application/json" and not http.content_type.endswith("+json"):
            wanted = {"Accept-Post": "application/json"}
            detail = "Content-Type: must be application/json"
            return problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, detail, headers=wanted)
        limit = self._settings.max_request_bytes
        too_large = f"body: larger than MAX_REQUEST_BYTES ({limit})"
        if http.content_length is not None and http.content_length > limit:
            return problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, too_large)
        body = bytearray()
        try:
            async with asyncio.timeout(_BODY_S):
                async for chunk in http.content.iter_any():
                    body += chunk
                    if len(body) > limit:
                        return problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, too_large)
        except (ConnectionError, web.RequestPayloadError, HttpProcessingError):
            # the sender hung up, or the bytes are not in the encoding that they were said to be in
            return problem(HTTPStatus.BAD_REQUEST, "body: cannot be read to its end; see its length and encoding")
        except TimeoutError:
            return problem(HTTPStatus.REQUEST_TIMEOUT, f"body: not complete after {_BODY_S:g} s")
        return bytes(body)


def _unavailable(detail: str) -> web.Response:
    return problem(HTTPStatus.SERVICE_UNAVAILABLE, detail, headers={"Retry-After": str(_RETRY_AFTER_S)})


def _accepted(
    http: web.Request, status: Literal["accepted", "repeat"], job: str, request: TaskRequest, state: State
) -> web.Response:
    answer = Accepted(
        status=status,
        repeat=status == "repeat",
        job=job,
        task=request.task,
        round=request.round,
        state=state,
        status_url=f"{_scheme(http)}://{http.host}/jobs/{job}",
    )
    return web.json_response(text=answer.model_dump_json())


def _scheme(http: web.Request) -> str:
    """The scheme that the sender used, also where a proxy in front of us ends TLS."""
    forwarded = http.headers.get("X-Forwarded-Proto", "").partition(",")[0].strip().lower()
    return forwarded if forwarded in ("http", "https") else http.scheme
