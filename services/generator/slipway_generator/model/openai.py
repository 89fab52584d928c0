"""A second vendor behind any OpenAI-compatible endpoint: one call, its answer or the fault that it stands for.

Needs the package `openai` (`pip install slipway-generator[openai]`); this module is imported only where it is wanted.
Errors and finish reasons: https://platform.openai.com/docs/guides/error-codes, https://platform.openai.com/docs/api-reference/chat
"""

import asyncio
from base64 import b64encode
from contextlib import suppress

import openai
from openai.types.chat import (
    ChatCompletion,
    ChatCompletionAssistantMessageParam,
    ChatCompletionContentPartImageParam,
    ChatCompletionContentPartTextParam,
    ChatCompletionMessageParam,
    ChatCompletionSystemMessageParam,
    ChatCompletionUserMessageParam,
)

from slipway_generator.model import (
    Answer,
    BadKeyError,
    BusyError,
    LostError,
    ModelFault,
    Question,
    QuotaSpentError,
    RefusedError,
    Tokens,
    Turn,
    UnknownModelError,
    UnusableError,
)
from slipway_generator.model.ledger import MAX_OUTPUT_TOKENS

_NO_CREDIT = {"insufficient_quota", "billing_hard_limit_reached"}


class OpenAI:
    """A client for one key and one endpoint (None: OpenAI's own)."""

    vendor = "OpenAI"

    def __init__(self, key: str, *, base_url: str | None) -> None:
        # local endpoints want no key, the package wants one
        self._client = openai.AsyncOpenAI(api_key=key or "none", base_url=base_url, max_retries=0)

    async def aclose(self) -> None:
        await self._client.close()

    async def ask(self, model: str, question: Question) -> Answer:
        messages: list[ChatCompletionMessageParam] = [
            ChatCompletionSystemMessageParam(role="system", content=question.system),
            *(_message(turn) for turn in question.turns),
        ]
        # what a model may write at most is its own business; only the job's budget is ours
        bounded = question.max_output_tokens < MAX_OUTPUT_TOKENS
        try:
            async with asyncio.timeout(question.timeout_s):
                completion = await self._client.chat.completions.create(
                    model=model,
                    messages=messages,
                    max_completion_tokens=question.max_output_tokens if bounded else openai.omit,
                    timeout=question.timeout_s,
                )
        except (openai.APITimeoutError, TimeoutError) as error:
            raise LostError(f"no answer within {question.timeout_s:.3g} s: {type(error).__name__}") from None
        except openai.APIResponseValidationError as error:
            raise UnusableError(f"unreadable answer from {model}: {type(error).__name__}") from None
        except openai.APIStatusError as error:
            raise _fault(error) from None
        except openai.APIConnectionError as error:
            raise LostError(f"no answer: {type(error.__cause__ or error).__name__}") from None
        except ValueError as error:
            raise UnusableError(f"unreadable answer from {model}: {type(error).__name__}") from None
        return _answer(model, completion)

    async def probe(self) -> None:
        try:
            async with asyncio.timeout(15):
                await self._client.models.list()
        except openai.APIStatusError as error:
            raise _fault(error) from None
        except (openai.OpenAIError, TimeoutError) as error:
            raise BusyError(f"no answer from the model's server: {type(error).__name__}") from None


def _message(turn: Turn) -> ChatCompletionMessageParam:
    if turn.role == "model":
        return ChatCompletionAssistantMessageParam(role="assistant", content=turn.text)
    if not turn.images:
        return ChatCompletionUserMessageParam(role="user", content=turn.text)
    text = ChatCompletionContentPartTextParam(type="text", text=turn.text)
    pictures = [
        ChatCompletionContentPartImageParam(
            type="image_url",
            image_url={"url": f"data:{image.media_type};base64,{b64encode(image.data).decode()}"},
        )
        for image in turn.images
    ]
    return ChatCompletionUserMessageParam(role="user", content=[text, *pictures])


def _answer(model: str, completion: ChatCompletion) -> Answer:
    usage = completion.usage
    tokens = Tokens(usage.prompt_tokens or 0, usage.completion_tokens or 0) if usage else Tokens()
    if not completion.choices:
        raise UnusableError(f"{model} answered without a choice", tokens)
    choice = completion.choices[0]
    if choice.message.refusal or choice.finish_reason == "content_filter":
        raise RefusedError(f"{model} refused: {choice.message.refusal or choice.finish_reason}"[:300], tokens)
    if choice.finish_reason != "stop":
        raise UnusableError(f"{model} stopped for {choice.finish_reason}", tokens)
    text = choice.message.content or ""
    if not text.strip():
        raise UnusableError(f"{model} answered with no text", tokens)
    return Answer(text, completion.model or model, tokens)


def _fault(error: openai.APIStatusError) -> ModelFault:
    code = error.code or ""
    text = f"{error.status_code} {code}".rstrip()
    match error.status_code:
        case 401 | 403:
            return BadKeyError(text)
        case 404:
            return UnknownModelError(text)
        case 402:
            return QuotaSpentError(text)
        case 429 if code in _NO_CREDIT or error.type in _NO_CREDIT:
            return QuotaSpentError(text)
        case 408 | 409 | 425 | 429:
            return BusyError(text, _retry_after(error))
        case status if status >= 500:
            return BusyError(text, _retry_after(error))
        case _:
            return RefusedError(f"{text}: {error.message[:300]}")


def _retry_after(error: openai.APIStatusError) -> float | None:
    """The header in seconds; its form with a date is not used by such services."""
    with suppress(ValueError):
        return max(0.0, float(error.response.headers.get("retry-after", "")))
    return None
