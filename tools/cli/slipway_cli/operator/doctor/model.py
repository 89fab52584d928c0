"""The model key, and which models of the chain it can use."""

from collections.abc import Mapping
from typing import TypeVar

import httpx
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from slipway_cli.operator.doctor.finding import Finding, not_seen, ok, problem
from slipway_common.gemini_models import DEFAULT_MODELS, model_chain

GOOGLE = "https://generativelanguage.googleapis.com"
OPENAI = "https://api.openai.com/v1"
VERSION = "v1"
"""The generator's client talks this version unless GEMINI_API_VERSION names another."""
_TIMEOUT_S = 20.0
_MOST = 1000
_WRITES = "generateContent"
_M = TypeVar("_M", bound=BaseModel)


class _Model(BaseModel):
    """Part of Gemini's Model (https://ai.google.dev/api/models)."""

    model_config = ConfigDict(extra="ignore", alias_generator=to_camel)

    name: str
    supported_generation_methods: list[str] = []


class _Models(BaseModel):
    models: list[_Model] = []


class _Listed(BaseModel):
    """Part of the answer of an OpenAI-compatible endpoint to GET models."""

    class Model(BaseModel):
        id: str

    data: list[Model]


class _RefusedError(Exception):
    """Nothing more can be asked; the finding says why."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.said)
        self.finding = finding


async def examine_model(variables: Mapping[str, str]) -> list[Finding]:
    """Asks for descriptions only, so nothing is spent."""
    found = []
    if key := variables.get("GEMINI_API_KEY", "").strip():
        found += await _examine_gemini(key, variables)
    if variables.get("OPENAI_MODEL"):
        found.append(await _examine_second(variables))
    return found


async def _examine_gemini(key: str, variables: Mapping[str, str]) -> list[Finding]:
    base = (variables.get("GEMINI_BASE_URL") or GOOGLE).rstrip("/")
    models = f"{base}/{variables.get('GEMINI_API_VERSION') or VERSION}/models"
    chain = model_chain(variables.get("GEMINI_MODELS", "")) or DEFAULT_MODELS
    try:
        async with httpx.AsyncClient(headers={"x-goog-api-key": key}, timeout=_TIMEOUT_S) as client:
            usable = [name for name in chain if await _writes(client, models, name)]
            lacking = [name for name in chain if name not in usable]
            offered = await _offered(client, models) if lacking else []
    except _RefusedError as refused:
        return [refused.finding]
    found = [ok("model key", f"GEMINI_API_KEY is taken by {base}")]
    if usable:
        found.append(ok("models", f"{', '.join(usable)}: offered to this key"))
    if lacking:
        said = f"{', '.join(lacking)}: not offered to this key for writing"
        others = ", ".join(offered) or "none is offered"
        found.append(problem("models", said, f"name others in GEMINI_MODELS: {others}"))
    return found


async def _writes(client: httpx.AsyncClient, models: str, name: str) -> bool:
    answer = await _get(client, f"{models}/{name}")
    if answer.status_code == httpx.codes.NOT_FOUND:
        return False
    return _WRITES in _read(_Model, answer).supported_generation_methods


async def _offered(client: httpx.AsyncClient, models: str) -> list[str]:
    listed = _read(_Models, await _get(client, f"{models}?pageSize={_MOST}")).models
    names = [model.name.removeprefix("models/") for model in listed if _WRITES in model.supported_generation_methods]
    return [name for name in names if name.startswith("gemini-")][:12]


async def _get(client: httpx.AsyncClient, url: str) -> httpx.Response:
    """The answer, unless it means that nothing can be asked. Raises _RefusedError."""
    try:
        answer = await client.get(url)
    except httpx.HTTPError as error:
        said = f"{httpx.URL(url).copy_with(query=None)} does not answer: {type(error).__name__}"
        raise _RefusedError(problem("model key", said, "look at the network, a proxy, GEMINI_BASE_URL")) from None
    told = answer.text
    if answer.status_code in (401, 403) or (answer.status_code == 400 and "API key" in told):
        said = f"GEMINI_API_KEY is refused ({answer.status_code})"
        raise _RefusedError(problem("model key", said, "make a key at https://aistudio.google.com/apikey"))
    if answer.status_code == httpx.codes.TOO_MANY_REQUESTS or answer.status_code >= 500:
        said = f"{answer.url.host} answers {answer.status_code} for now, so the key was not seen"
        raise _RefusedError(not_seen("model key", said, "try again later"))
    if answer.status_code not in (httpx.codes.OK, httpx.codes.NOT_FOUND):
        said = f"{answer.url.copy_with(query=None)} answers {answer.status_code}"
        raise _RefusedError(problem("model key", said, "look at GEMINI_BASE_URL and GEMINI_API_VERSION"))
    return answer


def _read(model: type[_M], answer: httpx.Response) -> _M:
    try:
        return model.model_validate_json(answer.content)
    except ValidationError:
        said = f"what answers at {answer.url.copy_with(query=None)} is not Gemini"
        raise _RefusedError(problem("model key", said, "look at GEMINI_BASE_URL and GEMINI_API_VERSION")) from None


async def _examine_second(variables: Mapping[str, str]) -> Finding:
    """The second vendor. Not every such endpoint lists all its models, so a missing one is no proof."""
    name, base = variables["OPENAI_MODEL"], (variables.get("OPENAI_BASE_URL") or OPENAI).rstrip("/")
    headers = {"Authorization": f"Bearer {key}"} if (key := variables.get("OPENAI_API_KEY", "")) else {}
    try:
        async with httpx.AsyncClient(headers=headers, timeout=_TIMEOUT_S) as client:
            answer = await client.get(f"{base}/models")
    except httpx.HTTPError as error:
        return problem("second", f"{base} does not answer: {type(error).__name__}", "look at OPENAI_BASE_URL")
    if answer.status_code in (401, 403):
        return problem("second", f"OPENAI_API_KEY is refused by {base} ({answer.status_code})", "give a valid one")
    try:
        names = [model.id for model in _Listed.model_validate_json(answer.content).data]
    except ValidationError:
        return not_seen("second", f"{base}/models answers {answer.status_code}, so {name} was not looked for")
    if name not in names:
        return not_seen("second", f"{base} does not list {name}", f"it lists {', '.join(names[:12]) or 'nothing'}")
    return ok("second", f"{name} at {base}")
