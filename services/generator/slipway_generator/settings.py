"""Settings of the generator. It has no GitHub token: public repositories are read without one."""

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import NoDecode

from slipway_common.gemini_models import DEFAULT_MODELS, model_chain
from slipway_common.settings import CommonSettings


class GeneratorSettings(CommonSettings):
    generator_port: int = 7861
    generator_concurrency: int = Field(2, ge=1, le=64)
    openai_model: str = Field("", description="a model of a second vendor, asked when none of Gemini's answers")
    openai_base_url: str | None = Field(None, validate_default=True)
    openai_api_key: SecretStr = SecretStr("")
    gemini_api_key: SecretStr = Field(SecretStr(""), validate_default=True)
    gemini_models: Annotated[tuple[str, ...], NoDecode] = DEFAULT_MODELS
    gemini_base_url: str | None = Field(None, validate_default=True)
    gemini_api_version: str | None = None
    github_username: str
    github_git_url: str = "https://github.com"
    max_model_calls: int = Field(8, ge=1, description="per job, over all loops and attempts")
    max_tokens: int = Field(1_000_000, ge=1, description="per job, in and out together")
    daily_token_budget: int | None = Field(None, ge=1, description="of this process, for a UTC day")
    max_repairs: int = Field(3, ge=0)
    model_call_timeout_s: float = Field(180.0, gt=0)
    generate_budget_s: float = Field(420.0, gt=0, description="time for all model calls and inspections of one job")
    predecessor_wait_s: float = Field(120.0, ge=0)
    predecessor_pause_s: float = Field(4.0, gt=0, description="between two looks for the round before")
    max_app_bytes: int = Field(8 * 1024 * 1024, gt=0)
    attachment_timeout_s: float = Field(20.0, gt=0)
    attachment_hosts: Literal["public", "any"] = "public"
    chromium_path: str | None = None
    cdn_dir: Path | None = None
    verify_network: Literal["on", "off"] = "off"
    check_timeout_s: float = Field(5.0, gt=0)

    @field_validator("gemini_models", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return model_chain(value) if isinstance(value, str) else value

    @field_validator("openai_model")
    @classmethod
    def _needs_the_package(cls, value: str) -> str:
        if value and find_spec("openai") is None:
            raise ValueError("the package is not installed: pip install slipway-generator[openai]")
        return value

    @field_validator("gemini_base_url")
    @classmethod
    def _gemini_as_meant(cls, value: str | None, info: ValidationInfo) -> str | None:
        """No quota is spent by accident: what is called the sandbox must not be Google's Gemini."""
        if info.data.get("slipway_model") == "sandbox" and _host(value, "googleapis.com").endswith("googleapis.com"):
            raise ValueError("is Google's own address, but SLIPWAY_MODEL says sandbox; give the sandbox's")
        return value

    @field_validator("openai_base_url")
    @classmethod
    def _second_vendor_as_meant(cls, value: str | None, info: ValidationInfo) -> str | None:
        asked = info.data.get("slipway_model") == "sandbox" and info.data.get("openai_model")
        if asked and _host(value, "openai.com").endswith("openai.com"):
            raise ValueError("is OpenAI's own address, but SLIPWAY_MODEL says sandbox; leave out OPENAI_MODEL")
        return value

    @field_validator("gemini_api_key")
    @classmethod
    def _some_model(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        if not value.get_secret_value() and not info.data.get("openai_model"):
            raise ValueError("is missing; give it, or OPENAI_MODEL with OPENAI_BASE_URL or OPENAI_API_KEY")
        return value


def _host(url: str | None, default: str) -> str:
    return (urlsplit(url).hostname or "") if url else default
