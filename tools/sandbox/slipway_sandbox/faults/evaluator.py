"""Faults of the evaluator."""

from typing import Literal

from aiohttp import web

from slipway_sandbox.faults.board import Call, Options, request_fault


class Redirect(Options):
    """Where the answer points to, and with which status."""

    location: str = "/notify/elsewhere"
    status: Literal[301, 302, 303, 307, 308] = 302


@request_fault("redirect", "evaluator", options=Redirect)
async def redirect(call: Call, options: Redirect) -> web.StreamResponse:
    return web.Response(status=options.status, headers={"Location": options.location})
