"""Faults of the OpenAI-compatible endpoint, as https://platform.openai.com/docs/guides/error-codes lists them."""

from aiohttp import web
from pydantic import Field

from slipway_sandbox import openai
from slipway_sandbox.faults.board import Call, Options, request_fault


class Status(Options):
    """An error with any status, type, code and headers."""

    status: int = 500
    message: str = "The server had an error while processing your request."
    type: str = "server_error"
    code: str | None = None
    headers: dict[str, str] = Field(default_factory=dict)


class Ended(Options):
    """A choice with this text and finish reason, whatever was asked."""

    reason: openai.FinishReason = "stop"
    text: str | None = None


def _completes(request: web.Request) -> bool:
    return request.path.endswith("/chat/completions")


@request_fault("status", "openai", options=Status)
async def status(call: Call, options: Status) -> web.StreamResponse:
    """On every route."""
    return openai.error(options.status, options.message, options.type, options.code, options.headers)


@request_fault("ends", "openai", options=Ended, when=_completes)
async def ends(call: Call, options: Ended) -> web.StreamResponse:
    return openai.completion(openai.MODELS[0], options.text, options.reason, 9)
