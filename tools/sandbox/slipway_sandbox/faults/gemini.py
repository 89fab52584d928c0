"""Faults of Gemini, as https://ai.google.dev/gemini-api/docs/troubleshooting and users' reports describe them.

Unless its docstring says otherwise a fault strikes calls that ask for a reply, not those that list models.
"""

import asyncio

from aiohttp import web

from slipway_sandbox import gemini_shapes as shapes
from slipway_sandbox.faults.board import Call, NoOptions, Options, request_fault
from slipway_sandbox.gemini import OUTPUT_LIMIT, generates, streams
from slipway_sandbox.records import Dropped

_RPC = "type.googleapis.com/google.rpc."
_QUOTA_METRIC = "generativelanguage.googleapis.com/generate_content_free_tier_requests"


class Quota(Options):
    """`retry_s` = the wait that the answer asks for (RetryInfo)."""

    retry_s: float | None = 1.0


class Finish(Options):
    """The finish reason of a candidate without content."""

    reason: shapes.FinishReason | None = "OTHER"


class Blocked(Options):
    """promptFeedback.blockReason."""

    reason: str = "PROHIBITED_CONTENT"


class Limit(Options):
    """How many tokens there is room for, thoughts included."""

    tokens: int = 400


class Cut(Options):
    """`clean`: the answer ends early as if it were whole; otherwise the connection breaks."""

    clean: bool = False


class Slow(Options):
    """`seconds` until the answer is whole; `drip`: its bytes come all along instead of at the end."""

    seconds: float = 5.0
    drip: bool = False


class Text(Options):
    """What the model says instead of its script."""

    text: str


class Status(Options):
    """An error with any status, name and message."""

    status: int = 500
    name: str = "INTERNAL"
    message: str = "An internal error has occurred."


def _asked_model(call: Call) -> str:
    return call.request.match_info.get("model", "")


def _say(call: Call, answer: shapes.Answer) -> web.Response:
    return shapes.render(answer, stream=streams(call.request))


def _ended(call: Call, reason: shapes.FinishReason | None) -> web.Response:
    return _say(call, shapes.Answer(model=_asked_model(call), finish_reason=reason, prompt_tokens=9))


def _exhausted(period: str, value: int, retry_s: float | None) -> web.Response:
    quota = f"GenerateRequestsPer{period}PerProjectPerModel-FreeTier"
    violation = {"quotaMetric": _QUOTA_METRIC, "quotaId": quota, "quotaValue": str(value)}
    details: shapes.Details = [
        {"@type": _RPC + "Help", "links": [{"url": "https://ai.google.dev/gemini-api/docs/rate-limits"}]},
        {"@type": _RPC + "QuotaFailure", "violations": [violation]},
    ]
    if retry_s is not None:
        details.append({"@type": _RPC + "RetryInfo", "retryDelay": f"{retry_s:g}s"})
    message = f"You exceeded your current quota. * Quota exceeded for metric: {_QUOTA_METRIC}, limit: {value}"
    return shapes.error(429, "RESOURCE_EXHAUSTED", message, details)


@request_fault("rate_limit", "gemini", options=Quota, when=generates)
async def rate_limit(call: Call, options: Quota) -> web.StreamResponse:
    """The quota of the minute is spent."""
    return _exhausted("Minute", 10, options.retry_s)


@request_fault("daily_quota", "gemini", options=Quota, when=generates)
async def daily_quota(call: Call, options: Quota) -> web.StreamResponse:
    """The quota of the day is spent."""
    return _exhausted("Day", 250, options.retry_s)


@request_fault("unavailable", "gemini", options=NoOptions, when=generates)
async def unavailable(call: Call, options: NoOptions) -> web.StreamResponse:
    message = "The model is overloaded. Please try again later."
    return shapes.error(503, "UNAVAILABLE", message)


@request_fault("status", "gemini", options=Status)
async def status(call: Call, options: Status) -> web.StreamResponse:
    """Any error, on every route."""
    return shapes.error(options.status, options.name, options.message)


@request_fault("bad_key", "gemini", options=NoOptions)
async def bad_key(call: Call, options: NoOptions) -> web.StreamResponse:
    """The key is refused, on every route."""
    return shapes.bad_key()


@request_fault("model_not_found", "gemini", options=NoOptions, when=generates)
async def model_not_found(call: Call, options: NoOptions) -> web.StreamResponse:
    version = call.request.path.split("/")[2]
    return shapes.unknown_model(_asked_model(call), version)


@request_fault("blocked_prompt", "gemini", options=Blocked, when=generates)
async def blocked_prompt(call: Call, options: Blocked) -> web.StreamResponse:
    answer = shapes.Answer(model=_asked_model(call), finish_reason=None, block_reason=options.reason, prompt_tokens=9)
    return _say(call, answer)


@request_fault("finish", "gemini", options=Finish, when=generates)
async def finish(call: Call, options: Finish) -> web.StreamResponse:
    """A candidate without content, with any finish reason."""
    return _ended(call, options.reason)


@request_fault("safety", "gemini", options=NoOptions, when=generates)
async def safety(call: Call, options: NoOptions) -> web.StreamResponse:
    return _ended(call, "SAFETY")


@request_fault("recitation", "gemini", options=NoOptions, when=generates)
async def recitation(call: Call, options: NoOptions) -> web.StreamResponse:
    return _ended(call, "RECITATION")


@request_fault("empty", "gemini", options=NoOptions, when=generates)
async def empty(call: Call, options: NoOptions) -> web.StreamResponse:
    """No candidates at all."""
    return _ended(call, None)


@request_fault("no_parts", "gemini", options=NoOptions, when=generates)
async def no_parts(call: Call, options: NoOptions) -> web.StreamResponse:
    """A candidate that ended well and has nothing in it."""
    return _ended(call, "STOP")


@request_fault("max_tokens", "gemini", options=Limit, when=generates)
async def max_tokens(call: Call, options: Limit) -> web.StreamResponse:
    """The reply is cut where the room ends."""
    call.request[OUTPUT_LIMIT] = options.tokens
    return await call.act()


@request_fault("thinking_only", "gemini", options=Limit, when=generates)
async def thinking_only(call: Call, options: Limit) -> web.StreamResponse:
    """The thoughts took all the room: no text."""
    answer = shapes.Answer(
        model=_asked_model(call), finish_reason="MAX_TOKENS", prompt_tokens=9, thought_tokens=options.tokens
    )
    return _say(call, answer)


@request_fault("says", "gemini", options=Text, when=generates)
async def says(call: Call, options: Text) -> web.StreamResponse:
    """The model answers with this text, whatever it was asked."""
    answer = shapes.Answer(model=_asked_model(call), text=options.text, prompt_tokens=9)
    return _say(call, answer)


async def _write(call: Call, whole: web.Response, pieces: list[bytes], pause_s: float) -> web.StreamResponse:
    response = web.StreamResponse(status=whole.status, headers={"Content-Type": whole.headers["Content-Type"]})
    await response.prepare(call.request)
    for piece in pieces:
        await response.write(piece)
        await asyncio.sleep(pause_s)
    return response


async def _whole(call: Call) -> tuple[web.Response, bytes]:
    answer = await call.act()
    assert isinstance(answer, web.Response)  # noqa: S101 - Gemini's handler returns nothing else
    body = answer.body
    assert isinstance(body, bytes)  # noqa: S101
    return answer, body


@request_fault("cut_stream", "gemini", options=Cut, when=generates)
async def cut_stream(call: Call, options: Cut) -> web.StreamResponse:
    answer, body = await _whole(call)
    half = body[: len(body) // 2]
    if options.clean and streams(call.request):
        half = half[: half.rfind(b"\r\n\r\n") + 4]
    response = await _write(call, answer, [half], 0.05)
    if options.clean:
        await response.write_eof()
        return response
    call.drop()
    return Dropped()


@request_fault("slow", "gemini", options=Slow, when=generates)
async def slow(call: Call, options: Slow) -> web.StreamResponse:
    """Dripping defeats a limit on the silence between two bytes."""
    if not options.drip:
        await asyncio.sleep(options.seconds)
        return await call.act()
    answer, body = await _whole(call)
    steps = max(2, int(options.seconds / 0.1))
    size = len(body) // steps + 1
    pieces = [body[i : i + size] for i in range(0, len(body), size)]
    response = await _write(call, answer, pieces, options.seconds / len(pieces))
    await response.write_eof()
    return response
