"""Gemini: answers generateContent with scripted replies, in the shapes and with the errors of the real interface."""

from dataclasses import dataclass

from aiohttp import web
from pydantic import ValidationError

from slipway_sandbox import gemini_shapes as shapes
from slipway_sandbox.records import PromptRecord, ReplyRecord
from slipway_sandbox.world import World

BAD_KEY = "bad-key"
# A fault may set this on a request: at most so many tokens of text, as if maxOutputTokens had said so.
OUTPUT_LIMIT = web.RequestKey("output_limit", int)


@dataclass(frozen=True)
class Model:
    """A model that the sandbox pretends to have, and how many tokens it thinks before it speaks."""

    name: str
    display_name: str
    thinks: int = 0


MODELS = {
    model.name: model
    for model in (
        Model("gemini-3.8-flash", "Gemini 3.8 Flash", 300),
        Model("gemini-3.5-flash", "Gemini 3.5 Flash", 300),
        Model("gemini-3-pro-preview", "Gemini 3 Pro Preview", 900),
        Model("gemini-3-flash-preview", "Gemini 3 Flash Preview", 400),
        Model("gemini-2.5-pro", "Gemini 2.5 Pro", 800),
        Model("gemini-2.5-flash", "Gemini 2.5 Flash", 300),
        Model("gemini-2.5-flash-lite", "Gemini 2.5 Flash-Lite"),
        Model("gemini-2.0-flash", "Gemini 2.0 Flash"),
        Model("gemini-pro-latest", "Gemini Pro Latest", 800),
        Model("gemini-flash-latest", "Gemini Flash Latest", 300),
        Model("gemini-flash-lite-latest", "Gemini Flash-Lite Latest"),
    )
}


def _described(model: Model) -> dict[str, object]:
    return {
        "name": f"models/{model.name}",
        "version": model.name.removeprefix("gemini-").split("-")[0],
        "displayName": model.display_name,
        "description": "Imitated by the Slipway sandbox; no model stands behind it.",
        "inputTokenLimit": 1_048_576,
        "outputTokenLimit": 65_536,
        "supportedGenerationMethods": ["generateContent"],
        "temperature": 1,
        "topP": 0.95,
        "topK": 64,
        "maxTemperature": 2,
        "thinking": model.thinks > 0,
    }


def streams(request: web.Request) -> bool:
    """Whether the request asks for server-sent events."""
    return request.path.endswith(":streamGenerateContent")


def generates(request: web.Request) -> bool:
    """Whether the request asks for a reply, in one piece or streamed."""
    return request.path.endswith((":generateContent", ":streamGenerateContent"))


class Gemini:
    """The routes below /gemini/v1 and /gemini/v1beta."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[web.RouteDef]:
        base = "/gemini/{version:v1|v1beta}/models"
        return [
            web.get(base, self.list_models),
            web.get(base + "/{model:[^/:]+}", self.show_model),
            web.post(base + "/{model:[^/:]+}:{method:generateContent|streamGenerateContent}", self.generate),
            web.route("*", "/gemini/{tail:.*}", self.unknown),
        ]

    async def unknown(self, request: web.Request) -> web.Response:
        return web.Response(status=404, text="<title>Error 404 (Not Found)!!1</title>\n", content_type="text/html")

    async def list_models(self, request: web.Request) -> web.Response:
        return _refusal(request) or web.json_response({"models": [_described(model) for model in MODELS.values()]})

    async def show_model(self, request: web.Request) -> web.Response:
        model = MODELS.get(request.match_info["model"])
        if model is None:
            return _refusal(request) or shapes.unknown_model(request.match_info["model"], request.match_info["version"])
        return _refusal(request) or web.json_response(_described(model))

    async def generate(self, request: web.Request) -> web.Response:
        """A scripted reply. The text is cut with MAX_TOKENS where it is longer than maxOutputTokens allows."""
        name = request.match_info["model"]
        if refusal := _refusal(request):
            return refusal
        if name not in MODELS:
            return shapes.unknown_model(name, request.match_info["version"])
        try:
            asked = shapes.GenerateRequest.model_validate_json(await request.read())
        except ValidationError as invalid:
            first = invalid.errors()[0]
            field = ".".join(map(str, first["loc"])) or "body"
            return shapes.error(400, "INVALID_ARGUMENT", f"* GenerateContentRequest.{field}: {first['msg']}")
        answer = self._answer(MODELS[name], asked, request.get(OUTPUT_LIMIT))
        return shapes.render(answer, stream=streams(request))

    def _answer(self, model: Model, asked: shapes.GenerateRequest, limit: int | None) -> shapes.Answer:
        prompt = asked.text()
        scripted = self._world.scripts.reply(asked.asked(), asked.turns())
        text: str | None = scripted.text
        finish: shapes.FinishReason = "STOP"
        allowed = asked.generation_config.max_output_tokens if limit is None else limit
        thoughts = model.thinks
        if allowed is not None and shapes.tokens(scripted.text) + thoughts > allowed:
            finish = "MAX_TOKENS"
            thoughts = min(thoughts, allowed)
            text = scripted.text[: 4 * (allowed - thoughts)] or None
        records = self._world.records
        records.prompts.append(PromptRecord(model=model.name, text=prompt, images=asked.images()))
        records.replies.append(
            ReplyRecord(
                script=scripted.script, turn=scripted.turn, model=model.name,
                prompt_chars=len(prompt), reply_chars=len(text or ""),
            )
        )  # fmt: skip
        return shapes.Answer(
            model=model.name, text=text, finish_reason=finish,
            prompt_tokens=shapes.tokens(prompt) + 258 * asked.images(), thought_tokens=thoughts,
        )  # fmt: skip


def _refusal(request: web.Request) -> web.Response | None:
    key = request.headers.get("x-goog-api-key") or request.query.get("key")
    if not key:
        message = (
            "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or "
            "other form of API consumer identity to call this API."
        )
        return shapes.error(403, "PERMISSION_DENIED", message)
    return shapes.bad_key() if key == BAD_KEY else None
