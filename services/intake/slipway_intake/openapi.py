"""`/openapi.json`: the intake's interface, derived from its models."""

import json
from typing import Any, Literal

from aiohttp import web
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from slipway_intake.job_view import FullJob, OpenJob
from slipway_intake.ready import Accepted
from slipway_intake.request import TaskRequest
from slipway_intake.status import JobPage, Status

_REF = "#/components/schemas/{model}"
_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}
_REFUSALS = {
    400: "the body is not JSON",
    401: "the secret is wrong",
    408: "the body did not come in time",
    413: "the body is larger than MAX_REQUEST_BYTES",
    415: "the body is not declared as JSON",
    422: "fields are invalid: every one is named",
    429: "too many requests from one sender",
    503: "the broker cannot take it now, or too many jobs are unfinished; see Retry-After",
}
_TOKEN = [{"bearer": list[str]()}, {"cookie": list[str]()}]


def openapi(version: str) -> dict[str, Any]:
    """The description in OpenAPI 3.1."""
    modes: list[tuple[type[BaseModel], Literal["validation", "serialization"]]] = [
        (TaskRequest, "validation"),
        *((model, "serialization") for model in (Accepted, Status, OpenJob, FullJob, JobPage)),
    ]
    _, schemas = models_json_schema(modes, ref_template=_REF)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Slipway intake", "version": version},
        "paths": {
            "/ready": {
                "post": {
                    "summary": "Send a task; 200 once the broker has it",
                    "requestBody": {"required": True, "content": _json(_ref("TaskRequest"))},
                    "responses": {
                        "200": _answer("taken, or a repeat of a known job", _ref("Accepted")),
                        **{str(status): _refusal(reason) for status, reason in _REFUSALS.items()},
                    },
                }
            },
            "/status": {"get": _get("All jobs in numbers", _ref("Status"))},
            "/jobs/{job}": {
                "get": {
                    **_get("One job: in full with the admin token", {"anyOf": [_ref("FullJob"), _ref("OpenJob")]}),
                    "parameters": [_parameter("job", "path")],
                }
            },
            "/jobs": {
                "get": {
                    **_get("Jobs from the newest on", _ref("JobPage")),
                    "security": _TOKEN,
                    "parameters": [_parameter(name, "query") for name in ("state", "before", "limit")],
                }
            },
            "/logs": {
                "get": {
                    "summary": "The last 200 lines of the story of all services, one JSON object a line",
                    "responses": {"200": {"description": "the lines", "content": {"text/plain": {}}}},
                    "security": _TOKEN,
                }
            },
        },
        "components": {
            "schemas": {**schemas.get("$defs", {}), "Problem": _PROBLEM},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "cookie": {"type": "apiKey", "in": "cookie", "name": "slipway_token"},
            },
        },
    }


def add_openapi(app: web.Application, version: str) -> None:
    """Serve the description, made once."""
    text = json.dumps(openapi(version))

    async def answer(_: web.Request) -> web.Response:
        return web.json_response(text=text)

    app.router.add_get("/openapi.json", answer)


def _ref(model: str) -> dict[str, Any]:
    return {"$ref": _REF.format(model=model)}


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _answer(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": _json(schema)}


def _refusal(reason: str) -> dict[str, Any]:
    return {"description": reason, "content": {"application/problem+json": {"schema": _ref("Problem")}}}


def _get(summary: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"summary": summary, "responses": {"200": _answer("found", schema), "default": _refusal("not found")}}


def _parameter(name: str, where: Literal["path", "query"]) -> dict[str, Any]:
    return {"name": name, "in": where, "required": where == "path", "schema": {"type": "string"}}
