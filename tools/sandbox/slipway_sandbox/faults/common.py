"""Faults that any part of the world can have: an error status, silence, a cut connection, done but not said."""

from aiohttp import web
from pydantic import Field

from slipway_sandbox.faults.board import Call, NoOptions, Options, request_fault
from slipway_sandbox.records import TARGETS


class Status(Options):
    """`status` and `headers` of the answer; `message` stands in the body as the target writes its errors."""

    status: int = 500
    message: str = "Server Error"
    headers: dict[str, str] = Field(default_factory=dict)


class Seconds(Options):
    """How long it lasts."""

    seconds: float = 3600.0


@request_fault("status", "github", "git", "pages", "evaluator", options=Status)
async def status(call: Call, options: Status) -> web.StreamResponse:
    if call.request.path.startswith("/api/"):
        body = {
            "message": options.message,
            "documentation_url": "https://docs.github.com/rest",
            "status": str(options.status),
        }
        return web.json_response(body, status=options.status, headers=options.headers)
    return web.Response(text=options.message + "\n", status=options.status, headers=options.headers)


@request_fault("hang", *TARGETS, options=Seconds)
async def hang(call: Call, options: Seconds) -> web.StreamResponse:
    return await call.hang(options.seconds)


@request_fault("drop", *TARGETS, options=NoOptions)
async def drop(call: Call, options: NoOptions) -> web.StreamResponse:
    return call.drop()


@request_fault("done_then_502", "github", "git", "evaluator", options=NoOptions)
async def done_then_502(call: Call, options: NoOptions) -> web.StreamResponse:
    """The thing is done, and the answer says that it failed."""
    await call.act()
    return web.Response(text="<html><body><h1>502 Bad Gateway</h1></body></html>", status=502, content_type="text/html")


@request_fault("timeout", "github", "git", "evaluator", options=Seconds)
async def timeout(call: Call, options: Seconds) -> web.StreamResponse:
    """The thing is done, and no answer comes."""
    await call.act()
    return await call.hang(options.seconds)
