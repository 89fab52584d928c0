"""Who calls the imitated GitHub: the token of a request, as Bearer, `token` or Basic."""

import base64
import binascii
from dataclasses import dataclass
from typing import Literal

from aiohttp import web

from slipway_sandbox.world import World

BAD_TOKEN = "bad-token"  # noqa: S105 - the one token that the sandbox refuses


@dataclass(frozen=True)
class Caller:
    """`login` of a good token, None without any; `bad` when one was given that is not valid.

    `kind` follows from the token's prefix as GitHub documents them: `ghs_` is an installation's, `github_pat_` a
    fine-grained one, any other a classic one.
    """

    login: str | None
    bad: bool = False
    kind: Literal["classic", "fine-grained", "installation"] = "classic"


def _token(header: str) -> str | None:
    scheme, _, value = header.partition(" ")
    value = value.strip()
    if scheme.lower() in ("bearer", "token"):
        return value
    if scheme.lower() == "basic":
        try:
            user, _, password = base64.b64decode(value, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return BAD_TOKEN
        # A token may stand as the password, or alone as the user name.
        return password or user
    return None


def caller_of(request: web.Request, world: World) -> Caller:
    """Any token that is not empty is the owner's, except `bad-token`."""
    token = _token(request.headers.get("Authorization", ""))
    if not token:
        return Caller(None)
    if token == BAD_TOKEN:
        return Caller(None, bad=True)
    if token.startswith("ghs_"):
        return Caller(world.settings.owner, kind="installation")
    return Caller(world.settings.owner, kind="fine-grained" if token.startswith("github_pat_") else "classic")
