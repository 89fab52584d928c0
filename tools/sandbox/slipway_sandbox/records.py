"""What reached the sandbox, kept in bounded memory and without headers, so without keys or tokens."""

from collections import deque
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Literal, get_args
from urllib.parse import urlencode

from aiohttp import web
from pydantic import BaseModel, Field, JsonValue

Target = Literal["gemini", "openai", "github", "git", "pages", "evaluator"]
TARGETS: tuple[Target, ...] = get_args(Target)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_PREFIXES: dict[str, Target] = {
    "gemini": "gemini", "openai": "openai", "api": "github", "git": "git", "pages": "pages", "notify": "evaluator",
}  # fmt: skip
_KEPT_QUERY = ("service", "alt")  # an API key may stand in a query, so only these names are ever recorded


def now() -> datetime:
    return datetime.now(UTC)


def target_of(path: str) -> Target | None:
    """Which part of the world a request path belongs to; None for the control routes."""
    return _PREFIXES.get(path.split("/", 2)[1])


class RequestRecord(BaseModel):
    """One request. `status` is None while it is being answered, and for good when the connection was cut."""

    target: Target
    method: str
    path: str
    status: int | None = None
    at: datetime = Field(default_factory=now)


class Notification(BaseModel):
    """One POST to the evaluator. `body` is the JSON, or the text when it is not JSON; `status` is what it was told."""

    path: str
    status: int | None = None
    body: JsonValue = None
    at: datetime = Field(default_factory=now)


class ReplyRecord(BaseModel):
    """Which script answered a Gemini call: its name, the turn (1 = first reply) and the lengths in characters."""

    script: str
    turn: int
    model: str
    prompt_chars: int
    reply_chars: int
    at: datetime = Field(default_factory=now)


class PromptRecord(BaseModel):
    """The full text of one Gemini request: system instruction and every part with text, in order."""

    model: str
    text: str
    images: int
    at: datetime = Field(default_factory=now)


class Dropped(web.Response):
    """Stands for an answer that was never sent whole because the connection was cut."""


class Records:
    """The newest entries of each kind; older ones fall out."""

    def __init__(self) -> None:
        self.requests: deque[RequestRecord] = deque(maxlen=20_000)
        self.notifications: deque[Notification] = deque(maxlen=20_000)
        self.replies: deque[ReplyRecord] = deque(maxlen=5_000)
        self.prompts: deque[PromptRecord] = deque(maxlen=50)

    def clear(self) -> None:
        for kept in (self.requests, self.notifications, self.replies, self.prompts):
            kept.clear()

    @web.middleware
    async def observe(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Record every request of the imitated world, whatever becomes of it."""
        target = target_of(request.path)
        if target is None:
            return await handler(request)
        kept = {name: request.query[name] for name in _KEPT_QUERY if name in request.query}
        path = f"{request.path}?{urlencode(kept)}" if kept else request.path
        record = RequestRecord(target=target, method=request.method, path=path)
        self.requests.append(record)
        try:
            response = await handler(request)
        except web.HTTPException as answer:
            record.status = answer.status
            raise
        except Exception:
            record.status = 500
            raise
        if not isinstance(response, Dropped):
            record.status = response.status
        return response
