"""`/`: the way in for a browser. A sign-in page for strangers, a plain overview for the operator."""

import hmac
from html import escape
from http import HTTPStatus

from aiohttp import web

from slipway_common.health import COOKIE, is_admin
from slipway_common.sign_in import SignInCodes
from slipway_intake.settings import IntakeSettings

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Slipway</title>
<style>body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 40rem; margin: 3rem auto; padding: 0 1rem }}</style>
</head>
<body>
<h1>Slipway</h1>
<p>model: {model}, forge: {forge}</p>
{content}
</body>
</html>
"""
_SIGN_IN = """<form method="post" action="/sign-in">
<p><label>Admin token <input type="password" name="token" autocomplete="current-password" required></label>
<button>Sign in</button></p>
</form>
<p><a href="/status">Status</a></p>"""
_OVERVIEW = """<ul>
<li><a href="/status">Status</a></li>
<li><a href="/jobs">Jobs</a></li>
<li><a href="/logs">Log of all services</a></li>
<li><a href="/openapi.json">Interface description</a></li>
</ul>"""


class FrontPage:
    """Signing in by the admin token or by a one-time code, and what is behind it."""

    def __init__(self, settings: IntakeSettings) -> None:
        self._settings = settings
        self._token = settings.admin_token.get_secret_value()
        self._codes = SignInCodes(self._token)

    def add_to(self, app: web.Application) -> None:
        app.router.add_get("/", self.page)
        app.router.add_post("/sign-in", self.sign_in)

    async def page(self, request: web.Request) -> web.Response:
        code = request.query.get("token")
        if code is not None:
            if self._codes.take(code):
                return self._let_in(request)
            return self._page("This sign-in link was used already, or is too old.", HTTPStatus.UNAUTHORIZED)
        if is_admin(request, self._token):
            return self._answer(_OVERVIEW)
        return self._page("" if self._token else "ADMIN_TOKEN is not set, so nobody can sign in.")

    async def sign_in(self, request: web.Request) -> web.Response:
        given = (await request.post()).get("token")
        if isinstance(given, str) and self._token and hmac.compare_digest(given.strip().encode(), self._token.encode()):
            return self._let_in(request)
        return self._page("This is not the admin token.", HTTPStatus.UNAUTHORIZED)

    def _let_in(self, request: web.Request) -> web.Response:
        answer = web.Response(status=HTTPStatus.SEE_OTHER, headers={**_HEADERS, "Location": "/"})
        secure = request.secure or request.headers.get("X-Forwarded-Proto", "").lower() == "https"
        answer.set_cookie(COOKIE, self._token, httponly=True, samesite="Strict", secure=secure, path="/")
        return answer

    def _page(self, message: str, status: HTTPStatus = HTTPStatus.OK) -> web.Response:
        told = f"<p role='alert'>{escape(message)}</p>\n" if message else ""
        return self._answer(told + _SIGN_IN, status)

    def _answer(self, content: str, status: HTTPStatus = HTTPStatus.OK) -> web.Response:
        model, forge = escape(self._settings.slipway_model), escape(self._settings.slipway_forge)
        text = _PAGE.format(model=model, forge=forge, content=content)
        return web.Response(status=status, text=text, content_type="text/html", headers=_HEADERS)
