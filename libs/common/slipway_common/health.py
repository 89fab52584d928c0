"""The endpoints of every service: `/health/live`, `/health/ready`, `/health`, `/metrics`, `/logs`."""

import hmac
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from slipway_common.logs import LineBuffer
from slipway_common.problem import problem

COOKIE = "slipway_token"
Check = Callable[[], Awaitable[str]]
"""Says what is wrong, or an empty string."""


class Health:
    """What has to hold for the service to be ready: named checks, each an answer to 'what is wrong?'."""

    def __init__(self) -> None:
        self._checks: dict[str, Check] = {}

    def add(self, name: str, check: Check) -> None:
        self._checks[name] = check

    async def failing(self) -> dict[str, str]:
        """The checks that fail, each with its reason."""
        found = {name: await check() for name, check in self._checks.items()}
        return {name: reason for name, reason in found.items() if reason}


def is_admin(request: web.Request, token: str) -> bool:
    """Whether the request carries the admin token, as a bearer token or as the cookie of a signed-in browser.

    Without a configured token nobody is.
    """
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not given:
        given = request.cookies.get(COOKIE, "")
    return bool(token) and hmac.compare_digest(given.strip().encode(), token.encode())


def unauthorized() -> web.Response:
    """The answer to a request without the admin token."""
    return problem(
        HTTPStatus.UNAUTHORIZED,
        "Authorization: send `Authorization: Bearer <ADMIN_TOKEN>`",
        headers={"WWW-Authenticate": "Bearer"},
    )


def health_app(service: str, version: str, health: Health, lines: LineBuffer, admin_token: str) -> web.Application:
    """An aiohttp application with the endpoints that every service has; a service adds its own routes."""

    async def live(_: web.Request) -> web.Response:
        return web.json_response({"status": "live", "service": service, "version": version})

    async def ready(_: web.Request) -> web.Response:
        failing = await health.failing()
        return web.json_response(
            {"status": "not ready" if failing else "ready", "service": service, "version": version, "failing": failing},
            status=503 if failing else 200,
        )

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def logs(request: web.Request) -> web.Response:
        if not is_admin(request, admin_token):
            return unauthorized()
        return web.Response(text="\n".join(lines.lines()) + "\n")

    app = web.Application()
    app.router.add_get("/health/live", live)
    app.router.add_get("/health/ready", ready)
    app.router.add_get("/health", ready)
    app.router.add_get("/metrics", metrics)
    if service != "intake":  # the intake's own /logs tells the story of all services
        app.router.add_get("/logs", logs)
    return app
