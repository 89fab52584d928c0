"""An OpenAI-compatible endpoint that gives the scripted replies: https://platform.openai.com/docs/api-reference/chat."""

import time
import uuid
from typing import Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from slipway_sandbox.gemini_shapes import tokens
from slipway_sandbox.records import PromptRecord, ReplyRecord
from slipway_sandbox.world import World

MODELS = ("scripted-large", "scripted-small")
BAD_KEY = "bad-key"

FinishReason = Literal["stop", "length", "content_filter", "tool_calls"]


class _Shape(BaseModel):
    model_config = ConfigDict(extra="ignore")


class ContentPart(_Shape):
    """Text or a picture; other kinds of part are carried past."""

    type: str
    text: str = ""


class Message(_Shape):
    """One turn."""

    role: str
    content: str | list[ContentPart] | None = None

    def text(self) -> str:
        if isinstance(self.content, list):
            return "\n".join(part.text for part in self.content if part.type == "text")
        return self.content or ""

    def images(self) -> int:
        return sum(part.type == "image_url" for part in self.content) if isinstance(self.content, list) else 0


class CompletionRequest(_Shape):
    """Body of POST /openai/v1/chat/completions."""

    model: str
    messages: list[Message] = Field(min_length=1)
    max_completion_tokens: int | None = None


class OpenAI:
    """The routes below /openai/v1. Streaming is not imitated."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/openai/v1/models", self.list_models),
            web.post("/openai/v1/chat/completions", self.complete),
        ]

    async def list_models(self, request: web.Request) -> web.Response:
        models = [{"id": name, "object": "model", "created": 0, "owned_by": "sandbox"} for name in MODELS]
        return _refusal(request) or web.json_response({"object": "list", "data": models})

    async def complete(self, request: web.Request) -> web.Response:
        """A scripted reply, cut with `length` where it is longer than max_completion_tokens allows."""
        if refusal := _refusal(request):
            return refusal
        try:
            asked = CompletionRequest.model_validate_json(await request.read())
        except ValidationError as invalid:
            first = invalid.errors()[0]
            return error(400, f"{'.'.join(map(str, first['loc']))}: {first['msg']}", "invalid_request_error")
        if asked.model not in MODELS:
            return error(404, f"The model `{asked.model}` does not exist", "invalid_request_error", "model_not_found")
        prompt = "\n".join(message.text() for message in asked.messages)
        said = [message for message in asked.messages if message.role == "assistant"]
        others = "\n".join(message.text() for message in asked.messages if message.role != "assistant")
        scripted = self._world.scripts.reply(others, len(said))
        text, finish = scripted.text, "stop"
        if asked.max_completion_tokens is not None and tokens(text) > asked.max_completion_tokens:
            text, finish = text[: 4 * asked.max_completion_tokens], "length"
        records = self._world.records
        images = sum(message.images() for message in asked.messages)
        records.prompts.append(PromptRecord(model=asked.model, text=prompt, images=images))
        records.replies.append(
            ReplyRecord(
                script=scripted.script, turn=scripted.turn, model=asked.model,
                prompt_chars=len(prompt), reply_chars=len(text),
            )
        )  # fmt: skip
        return completion(asked.model, text, finish, tokens(prompt))


def completion(model: str, text: str | None, finish: str, prompt_tokens: int) -> web.Response:
    """A chat completion with one choice."""
    written = tokens(text or "")
    return web.json_response(
        {
            "id": f"chatcmpl-{uuid.uuid4().hex}",
            "object": "chat.completion",
            "created": int(time.time()),
            "model": model,
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": text, "refusal": None},
                    "finish_reason": finish,
                    "logprobs": None,
                }
            ],
            "usage": {
                "prompt_tokens": prompt_tokens,
                "completion_tokens": written,
                "total_tokens": prompt_tokens + written,
            },
        }
    )


def error(
    status: int, message: str, kind: str, code: str | None = None, headers: dict[str, str] | None = None
) -> web.Response:
    """OpenAI's error object."""
    body = {"error": {"message": message, "type": kind, "param": None, "code": code}}
    return web.json_response(body, status=status, headers=headers)


def _refusal(request: web.Request) -> web.Response | None:
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme != "Bearer" or not key or key == BAD_KEY:
        return error(401, "Incorrect API key provided.", "invalid_request_error", "invalid_api_key")
    return None
