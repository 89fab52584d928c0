"""The control routes below /_sandbox: what was recorded, faults, scripts, settings."""

from collections.abc import Awaitable, Callable, Iterable

from aiohttp import web
from pydantic import BaseModel, Field, ValidationError

from slipway_sandbox.faults.board import FaultRequest, UnknownFaultError
from slipway_sandbox.records import TARGETS
from slipway_sandbox.settings import Settings
from slipway_sandbox.world import World


class NewScript(BaseModel):
    """Body of POST /_sandbox/scripts."""

    brief: str = Field(min_length=1)
    replies: list[str] = Field(min_length=1)


class Control:
    """Errors are JSON, `{"error": "..."}`, with status 422 for a body that is not right."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._at_start = world.settings.model_copy(deep=True)

    def routes(self) -> list[web.RouteDef]:
        table: list[tuple[str, str, Callable[[web.Request], Awaitable[web.Response]]]] = [
            ("GET", "health", self.health),
            ("GET", "requests", self.requests),
            ("GET", "notifications", self.notifications),
            ("GET", "replies", self.replies),
            ("GET", "prompts", self.prompts),
            ("GET", "faults", self.faults),
            ("POST", "faults", self.add_fault),
            ("DELETE", "faults", self.remove_faults),
            ("DELETE", "faults/{id:[0-9]+}", self.remove_fault),
            ("POST", "scripts", self.add_script),
            ("DELETE", "scripts", self.remove_scripts),
            ("GET", "settings", self.settings),
            ("PATCH", "settings", self.change_settings),
            ("POST", "reset", self.reset),
        ]
        return [web.route(method, f"/_sandbox/{path}", _answering(handler)) for method, path, handler in table]

    async def health(self, request: web.Request) -> web.Response:
        return web.json_response({"status": "ok", "faults": self._world.faults.kinds()})

    async def requests(self, request: web.Request) -> web.Response:
        target = request.query.get("target")
        if target is not None and target not in TARGETS:
            raise UnknownFaultError(f"target is {target!r}; known are {', '.join(TARGETS)}")
        return _shown(r for r in self._world.records.requests if target in (None, r.target))

    async def notifications(self, request: web.Request) -> web.Response:
        return _shown(self._world.records.notifications)

    async def replies(self, request: web.Request) -> web.Response:
        return _shown(self._world.records.replies)

    async def prompts(self, request: web.Request) -> web.Response:
        return _shown(self._world.records.prompts)

    async def faults(self, request: web.Request) -> web.Response:
        return _shown(self._world.faults.left())

    async def add_fault(self, request: web.Request) -> web.Response:
        fault = self._world.faults.add(FaultRequest.model_validate_json(await request.read()))
        return web.json_response(fault.model_dump(mode="json"), status=201)

    async def remove_faults(self, request: web.Request) -> web.Response:
        return web.json_response({"removed": self._world.faults.remove()})

    async def remove_fault(self, request: web.Request) -> web.Response:
        return web.json_response({"removed": self._world.faults.remove(int(request.match_info["id"]))})

    async def add_script(self, request: web.Request) -> web.Response:
        script = NewScript.model_validate_json(await request.read())
        self._world.scripts.add(script.brief, script.replies)
        return web.json_response({"added": 1}, status=201)

    async def remove_scripts(self, request: web.Request) -> web.Response:
        self._world.scripts.forget_added()
        return web.json_response({"status": "ok"})

    async def settings(self, request: web.Request) -> web.Response:
        return web.json_response(self._world.settings.model_dump())

    async def change_settings(self, request: web.Request) -> web.Response:
        """Merge the given fields; the others stay."""
        changes = Settings.model_validate_json(await request.read())
        for name in changes.model_fields_set:
            setattr(self._world.settings, name, getattr(changes, name))
        return await self.settings(request)

    async def reset(self, request: web.Request) -> web.Response:
        """Faults, added scripts, records and settings as at the start; repositories stay."""
        self._world.faults.remove()
        self._world.scripts.forget_added()
        self._world.records.clear()
        for name in Settings.model_fields:
            setattr(self._world.settings, name, getattr(self._at_start, name))
        return web.json_response({"status": "ok"})


def _shown(entries: Iterable[BaseModel]) -> web.Response:
    return web.json_response([entry.model_dump(mode="json") for entry in entries])


def _answering(
    handler: Callable[[web.Request], Awaitable[web.Response]],
) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answering(request: web.Request) -> web.Response:
        try:
            return await handler(request)
        except ValidationError as invalid:
            faults = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'body'}: {e['msg']}" for e in invalid.errors())
            return web.json_response({"error": faults}, status=422)
        except UnknownFaultError as unknown:
            return web.json_response({"error": str(unknown)}, status=422)

    return answering
