"""The evaluator: takes notifications, keeps its own record of them and answers 200."""

import json

from aiohttp import web

from slipway_sandbox.records import Dropped, Handler, Notification, Records, target_of


def _parsed(body: bytes) -> str | None:
    """The fault in a notification's body, or None when it is a JSON object."""
    try:
        value = json.loads(body)
    except ValueError:
        return "the body is not JSON"
    return None if isinstance(value, dict) else "the body is not a JSON object"


class Evaluator:
    """Answers POSTs below /notify. Every one is recorded with the status that was sent, also when a fault sent it."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/notify", self.notify), web.post("/notify/{tail:.*}", self.notify)]

    async def notify(self, request: web.Request) -> web.Response:
        fault = _parsed(await request.read())
        if fault is not None:
            return web.json_response({"error": fault}, status=400)
        return web.json_response({"status": "received"})

    @web.middleware
    async def observe(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if target_of(request.path) != "evaluator" or request.method != "POST":
            return await handler(request)
        body = await request.read()
        note = Notification(path=request.path)
        try:
            note.body = json.loads(body)
        except ValueError:
            note.body = body.decode("utf-8", "replace")
        self._records.notifications.append(note)
        response = await handler(request)
        if not isinstance(response, Dropped):
            note.status = response.status
        return response
