"""What Gemini's requests, answers and errors look like: https://ai.google.dev/api."""

import json
import uuid
from typing import Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

FinishReason = Literal[
    "STOP", "MAX_TOKENS", "SAFETY", "RECITATION", "LANGUAGE", "OTHER", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII",
    "MALFORMED_FUNCTION_CALL", "IMAGE_SAFETY", "MALFORMED_RESPONSE",
]  # fmt: skip
Details = list[dict[str, object]]


class _Shape(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore")


class InlineData(_Shape):
    """Bytes in base64 with their type."""

    mime_type: str
    data: str


class Part(_Shape):
    """Text or data; other kinds of part are carried past."""

    text: str | None = None
    inline_data: InlineData | None = None


class Content(_Shape):
    """One turn; without a role it is the user's."""

    role: str | None = None
    parts: list[Part] = []


class GenerationConfig(_Shape):
    """What the sandbox heeds of it."""

    max_output_tokens: int | None = None


class GenerateRequest(_Shape):
    """Body of generateContent and streamGenerateContent."""

    contents: list[Content] = Field(min_length=1)
    system_instruction: Content | None = None
    generation_config: GenerationConfig = GenerationConfig()

    def text(self) -> str:
        """System instruction and every turn's text, in order."""
        turns = ([self.system_instruction] if self.system_instruction else []) + self.contents
        return "\n".join(part.text for turn in turns for part in turn.parts if part.text is not None)

    def asked(self) -> str:
        """The text without what the model said itself."""
        turns = ([self.system_instruction] if self.system_instruction else []) + self.contents
        return "\n".join(p.text for turn in turns if turn.role != "model" for p in turn.parts if p.text is not None)

    def images(self) -> int:
        return sum(part.inline_data is not None for turn in self.contents for part in turn.parts)

    def turns(self) -> int:
        """How often the model has answered in this conversation."""
        return sum(turn.role == "model" for turn in self.contents)


class Answer(BaseModel):
    """What a call gets, before it is written as JSON or as events. `text` None = a candidate without content."""

    model: str
    text: str | None = None
    finish_reason: FinishReason | None = "STOP"
    block_reason: str | None = None
    prompt_tokens: int = 0
    thought_tokens: int = 0


def tokens(text: str) -> int:
    """A rough count: four characters to a token."""
    return (len(text) + 3) // 4


def render(answer: Answer, *, stream: bool) -> web.Response:
    """One JSON object, or server-sent events that each carry a piece of the text."""
    response_id = uuid.uuid4().hex[:22]
    if not stream:
        return web.json_response(_chunk(answer, answer.text, response_id, last=True))
    text = answer.text or ""
    size = max(200, len(text) // 8 + 1)
    pieces: list[str | None] = [text[i : i + size] for i in range(0, len(text), size)]
    pieces = pieces or [answer.text]
    chunks = [_chunk(answer, p, response_id, last=i == len(pieces) - 1) for i, p in enumerate(pieces)]
    body = "".join(f"data: {json.dumps(chunk)}\r\n\r\n" for chunk in chunks)
    return web.Response(body=body.encode(), content_type="text/event-stream")


def _chunk(answer: Answer, text: str | None, response_id: str, *, last: bool) -> dict[str, object]:
    written = tokens(answer.text or "")
    usage: dict[str, object] = {
        "promptTokenCount": answer.prompt_tokens,
        "totalTokenCount": answer.prompt_tokens + written + answer.thought_tokens,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": answer.prompt_tokens}],
    }
    if written:
        usage["candidatesTokenCount"] = written
    if answer.thought_tokens:
        usage["thoughtsTokenCount"] = answer.thought_tokens
    chunk: dict[str, object] = {"usageMetadata": usage, "modelVersion": answer.model, "responseId": response_id}
    if answer.block_reason is not None:
        return {"promptFeedback": {"blockReason": answer.block_reason}, **chunk}
    if answer.finish_reason is None and text is None:
        return chunk
    content: dict[str, object] = {"role": "model"}
    if text is not None:
        content["parts"] = [{"text": text}]
    candidate: dict[str, object] = {"content": content, "index": 0}
    if last and answer.finish_reason is not None:
        candidate["finishReason"] = answer.finish_reason
    return {"candidates": [candidate], **chunk}


def error(status: int, name: str, message: str, details: Details | None = None) -> web.Response:
    """Google's error object (google.rpc.Status)."""
    body: dict[str, object] = {"code": status, "message": message, "status": name}
    if details:
        body["details"] = details
    return web.json_response({"error": body}, status=status)


def bad_key() -> web.Response:
    """What a key that Google does not know gets."""
    details: Details = [
        {
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": "API_KEY_INVALID",
            "domain": "googleapis.com",
            "metadata": {"service": "generativelanguage.googleapis.com"},
        },
        {
            "@type": "type.googleapis.com/google.rpc.LocalizedMessage",
            "locale": "en-US",
            "message": "API key not valid. Please pass a valid API key.",
        },
    ]
    return error(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", details)


def unknown_model(model: str, version: str) -> web.Response:
    """What the name of a model that does not exist gets."""
    message = (
        f"models/{model} is not found for API version {version}, or is not supported for generateContent. "
        "Call ListModels to see the list of available models and their supported methods."
    )
    return error(404, "NOT_FOUND", message)
