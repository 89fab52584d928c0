"""Gemini through google-genai: one call, its answer or the fault that it stands for.

Finish reasons and error shapes: https://ai.google.dev/api/generate-content, https://ai.google.dev/gemini-api/docs/troubleshooting
"""

import asyncio
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import httpx2
from google import genai
from google.genai import errors, types

from slipway_generator.model import (
    Answer,
    BadKeyError,
    BusyError,
    ModelFault,
    QuotaSpentError,
    RefusedError,
    Turn,
    UnknownModelError,
    UnusableError,
)

MAX_OUTPUT_TOKENS = 65_536
_REFUSALS = {"SAFETY", "PROHIBITED_CONTENT", "BLOCKLIST", "SPII", "IMAGE_SAFETY", "MODEL_ARMOR"}
_BAD_KEY = re.compile(r"api[ _]key|API_KEY", re.IGNORECASE)


class Gemini:
    """A client for one key and one endpoint."""

    def __init__(self, key: str, *, base_url: str | None, api_version: str | None) -> None:
        self._client = genai.Client(
            api_key=key, http_options=types.HttpOptions(base_url=base_url, api_version=api_version)
        )

    async def aclose(self) -> None:
        await self._client.aio.aclose()

    async def ask(self, model: str, system: str, turns: tuple[Turn, ...], timeout_s: float) -> Answer:
        config = types.GenerateContentConfig(
            system_instruction=system,
            max_output_tokens=MAX_OUTPUT_TOKENS,
            http_options=types.HttpOptions(timeout=int(timeout_s * 1000)),
        )
        try:
            # the SDK's timeout is per read: a reply that drips in never meets it
            async with asyncio.timeout(timeout_s):
                response = await self._client.aio.models.generate_content(
                    model=model, contents=[_content(turn) for turn in turns], config=config
                )
        except errors.APIError as error:
            raise _fault(error) from None
        except (httpx2.HTTPError, TimeoutError, OSError) as error:
            raise BusyError(f"no answer from {model}: {type(error).__name__}") from None
        except ValueError as error:  # a body that is no JSON, for example one that was cut
            raise UnusableError(f"unreadable answer from {model}: {type(error).__name__}") from None
        return _answer(model, response)

    async def probe(self) -> None:
        try:
            async with asyncio.timeout(15):
                await self._client.aio.models.list(config={"page_size": 1})
        except errors.APIError as error:
            raise _fault(error) from None
        except (httpx2.HTTPError, TimeoutError, OSError) as error:
            raise BusyError(f"no answer from the model's server: {type(error).__name__}") from None


def _content(turn: Turn) -> types.Content:
    parts = [types.Part.from_text(text=turn.text)]
    parts += [types.Part.from_bytes(data=image.data, mime_type=image.media_type) for image in turn.images]
    return types.Content(role=turn.role, parts=parts)


def _answer(model: str, response: types.GenerateContentResponse) -> Answer:
    feedback = response.prompt_feedback
    if feedback is not None and feedback.block_reason is not None:
        raise RefusedError(f"{model} blocked the prompt: {feedback.block_reason.value}")
    if not response.candidates:
        raise UnusableError(f"{model} answered without a candidate")
    candidate = response.candidates[0]
    reason = candidate.finish_reason.value if candidate.finish_reason is not None else "none"
    if reason in _REFUSALS:
        raise RefusedError(f"{model} stopped for {reason}")
    if reason != "STOP":
        raise UnusableError(f"{model} stopped for {reason}")
    parts = candidate.content.parts if candidate.content and candidate.content.parts else []
    text = "".join(part.text for part in parts if part.text and not part.thought)
    if not text.strip():
        raise UnusableError(f"{model} answered with no text")
    usage = response.usage_metadata
    return Answer(
        text=text,
        model=model,
        input_tokens=(usage.prompt_token_count or 0) if usage else 0,
        output_tokens=((usage.candidates_token_count or 0) + (usage.thoughts_token_count or 0)) if usage else 0,
    )


def _fault(error: errors.APIError) -> ModelFault:
    status, message = error.status or "", (error.message or "")[:300]
    text = f"{error.code} {status}"
    match error.code:
        case 400 if _BAD_KEY.search(message) or "API_KEY_INVALID" in str(error.details):
            return BadKeyError(text)
        case 401 | 403:
            return BadKeyError(text)
        case 404:
            return UnknownModelError(text)
        case 429:
            details = list(_details(error.details))
            if any("PerDay" in quota for quota in _quotas(details)):
                return QuotaSpentError(text)
            return BusyError(text, _retry_delay(details))
        case code if code >= 500 or code == 408:
            return BusyError(text)
        case _:
            return RefusedError(f"{text}: {message}")


def _details(body: object) -> Iterator[Mapping[str, Any]]:
    """The typed details of a Google API error (google.rpc.Status)."""
    inner = body.get("error", body) if isinstance(body, Mapping) else {}
    found = inner.get("details", []) if isinstance(inner, Mapping) else []
    if isinstance(found, Sequence):
        yield from (item for item in found if isinstance(item, Mapping))


def _quotas(details: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for item in details:
        for violation in item.get("violations", []):
            yield f"{violation.get('quotaId', '')} {violation.get('quotaMetric', '')}"


def _retry_delay(details: Sequence[Mapping[str, Any]]) -> float | None:
    for item in details:
        match = re.fullmatch(r"(\d+(?:\.\d+)?)s", str(item.get("retryDelay", "")))
        if match:
            return float(match[1])
    return None
