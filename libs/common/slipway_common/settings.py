"""Settings that every service has, read once from the environment; each service adds its own."""

from typing import Self

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict


class SettingsError(Exception):
    """A setting is missing or malformed; the message names the variable, never its value."""


class CommonSettings(BaseSettings):
    """Environment of every service. Names are those of `.env.example`."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True, env_ignore_empty=True)

    amqp_url: SecretStr
    admin_token: SecretStr = SecretStr("")
    bind_host: str = "127.0.0.1"
    slipway_model: str = Field("gemini", description="which model answers: gemini or sandbox")
    slipway_forge: str = Field("github", description="where apps are published: github or sandbox")
    log_level: str = "INFO"
    history_max_bytes: int = Field(8 * 1024**3, gt=0)
    history_max_age: str = "30D"
    shutdown_grace_s: float = Field(8.0, gt=0)

    @classmethod
    def load(cls) -> Self:
        """Read the environment. Raises SettingsError with one line for each variable that is wrong."""
        try:
            return cls()
        except ValidationError as error:
            raise SettingsError(
                "; ".join(f"{'_'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in error.errors())
            ) from None

    def secrets(self) -> tuple[str, ...]:
        """The values that must never be seen in a log."""
        values = (getattr(self, name) for name in type(self).model_fields)
        return tuple(v.get_secret_value() for v in values if isinstance(v, SecretStr) and v.get_secret_value())
