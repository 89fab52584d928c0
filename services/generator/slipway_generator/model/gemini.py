"""Gemini through google-genai: one call, its answer or the fault that it stands for.

Finish reasons and error shapes: https://ai.google.dev/api/generate-content, https://ai.google.dev/gemini-api/docs/troubleshooting
"""

import asyncio
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx2
from google import genai
from google.genai import errors, types

from slipway_generator.model import (
    Answer,
    BadKeyError,
    BusyError,
    LostError,
    ModelFault,
    Question,
    QuotaSpentError,
    RecitedError,
    RefusedError,
    Tokens,
    Turn,
    UnknownModelError,
    UnusableError,
)

_REFUSALS = {"SAFETY", "PROHIBITED_CONTENT", "BLOCKLIST", "SPII", "IMAGE_SAFETY", "MODEL_ARMOR"}
_PACIFIC = ZoneInfo("America/Los_Angeles")
_BAD_KEY = re.compile(r"api[ _]key|API_KEY", re.IGNORECASE)


class Gemini:
    """A client for one key and one endpoint."""

    vendor = "Gemini"

    def __init__(self, key: str, *, base_url: str | None, api_version: str | None) -> None:
        # With a client of its own the SDK does not take aiohttp, over which it asks a second time in silence
        # when the connection breaks: a call that nobody counts.
        self._http = httpx2.AsyncClient()
        self._client = genai.Client(
            api_key=key,
            http_options=types.HttpOptions(base_url=base_url, api_version=api_version, httpx_async_client=self._http),
        )

    async def aclose(self) -> None:
        await self._client.aio.aclose()
        await self._http.aclose()

    async def ask(self, model: str, question: Question) -> Answer:
        config = types.GenerateContentConfig(
            system_instruction=question.system,
            max_output_tokens=question.max_output_tokens,
            http_options=types.HttpOptions(timeout=max(1, int(question.timeout_s * 1000))),
        )
        try:
            # the SDK's timeout is per read: a reply that drips in never meets it
            async with asyncio.timeout(question.timeout_s):
                response = await self._client.aio.models.generate_content(
                    model=model, contents=[_content(turn) for turn in question.turns], config=config
                )
        except errors.APIError as error:
            raise _fault(error) from None
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
            raise BusyError(f"no connection: {type(error).__name__}") from None
        except (httpx2.HTTPError, TimeoutError, OSError) as error:
            raise LostError(f"no answer within {question.timeout_s:.3g} s: {type(error).__name__}") from None
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
    usage = response.usage_metadata
    tokens = Tokens(
        (usage.prompt_token_count or 0) if usage else 0,
        ((usage.candidates_token_count or 0) + (usage.thoughts_token_count or 0)) if usage else 0,
    )
    feedback = response.prompt_feedback
    if feedback is not None and feedback.block_reason is not None:
        raise RefusedError(f"{model} blocked the prompt: {feedback.block_reason.value}", tokens)
    if not response.candidates:
        raise UnusableError(f"{model} answered without a candidate", tokens)
    candidate = response.candidates[0]
    reason = candidate.finish_reason.value if candidate.finish_reason is not None else "none"
    if reason in _REFUSALS:
        raise RefusedError(f"{model} stopped for {reason}", tokens)
    if reason == "RECITATION":
        raise RecitedError(f"{model} stopped for {reason}", tokens)
    if reason != "STOP":
        raise UnusableError(f"{model} stopped for {reason}", tokens)
    parts = candidate.content.parts if candidate.content and candidate.content.parts else []
    text = "".join(part.text for part in parts if part.text and not part.thought)
    if not text.strip():
        raise UnusableError(f"{model} answered with no text", tokens)
    return Answer(text, response.model_version or model, tokens)


def _fault(error: errors.APIError) -> ModelFault:
    status, message = error.status or "", (error.message or "")[:300]
    text = f"{error.code} {status}".rstrip()
    match error.code:
        case 400 if _BAD_KEY.search(message) or "API_KEY_INVALID" in str(error.details):
            return BadKeyError(text)
        case 400 if status == "FAILED_PRECONDITION":  # no billing, or not offered in this country
            return BadKeyError(f"{text}: {message}")
        case 401 | 403:
            return BadKeyError(text)
        case 404:
            return UnknownModelError(text)
        case 429:
            details = list(_details(error.details))
            if any("PerDay" in quota for quota in _quotas(details)):
                return QuotaSpentError(f"{text}, the quota of the day", seconds_to_renewal(datetime.now(UTC)))
            return BusyError(text, _retry_delay(details) or _retry_after(error))
        case code if code >= 500 or code == 408:
            return BusyError(text, _retry_after(error))
        case _:
            return RefusedError(f"{text}: {message}")


def seconds_to_renewal(now: datetime) -> float:
    """Until daily quotas begin anew: midnight in California (https://ai.google.dev/gemini-api/docs/rate-limits)."""
    there = now.astimezone(_PACIFIC)
    midnight = datetime.combine(there.date() + timedelta(days=1), time(), tzinfo=_PACIFIC)
    return (midnight - now).total_seconds()


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


def _retry_after(error: errors.APIError) -> float | None:
    """The header in seconds; its form with a date is not used by this service."""
    headers = getattr(error.response, "headers", None) or {}
    value = str(headers.get("retry-after", ""))
    return float(value) if value.isdecimal() else None
