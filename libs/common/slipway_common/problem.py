"""Errors over HTTP as RFC 9457 `application/problem+json`: one cause per message, naming the field."""

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import NamedTuple

from aiohttp import web


class FieldProblem(NamedTuple):
    """One invalid field of a request."""

    field: str
    message: str


def problem(
    status: HTTPStatus,
    detail: str,
    *,
    fields: Sequence[FieldProblem] = (),
    headers: Mapping[str, str] | None = None,
) -> web.Response:
    """The answer to a request that cannot be served. `detail` says what is wrong and what to do."""
    body: dict[str, object] = {"type": "about:blank", "title": status.phrase, "status": status.value, "detail": detail}
    if fields:
        body["errors"] = [{"field": name, "message": message} for name, message in fields]
    return web.Response(
        status=status.value,
        text=json.dumps(body, ensure_ascii=False),
        content_type="application/problem+json",
        headers=headers,
    )
