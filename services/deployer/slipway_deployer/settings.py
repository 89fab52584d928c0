"""The deployer's settings, read once from the environment."""

from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from slipway_common.settings import CommonSettings

UNLIMITED = 1_000_000


class DeployerSettings(CommonSettings):
    """Names are those of `.env.example`. `github_username` is the user or organisation that owns the repositories."""

    github_token: SecretStr
    github_username: str
    github_api_url: str = Field("https://api.github.com", validate_default=True)
    github_git_url: str = Field("https://github.com", validate_default=True)
    github_pages_url: str = Field("", description="template with {owner} and {repo}; empty: as GitHub does")
    deployer_port: int = Field(7862, ge=0, le=65535)
    deployer_concurrency: int = Field(16, gt=0)
    pages_wait_s: float = Field(240.0, gt=0, description="how long to wait for the new bytes at the public URL")
    max_hand_backs: int = Field(30, ge=0)
    github_timeout_s: int = Field(20, gt=0)
    git_timeout_s: float = Field(60.0, gt=0)
    github_writes_per_minute: int | None = Field(None, gt=0)
    github_writes_per_hour: int | None = Field(None, gt=0)

    @field_validator("github_api_url", "github_git_url")
    @classmethod
    def _as_meant(cls, value: str, info: ValidationInfo) -> str:
        """Nothing is published by accident: what is called the sandbox must not be GitHub."""
        host = urlsplit(value).hostname or ""
        if info.data.get("slipway_forge") == "sandbox" and (host == "github.com" or host.endswith(".github.com")):
            raise ValueError("is GitHub's own address, but SLIPWAY_FORGE says sandbox; give the sandbox's")
        return value

    @property
    def writes_per_minute(self) -> int:
        """GitHub's limit for requests that create content (REST documentation, "Rate limits", secondary limits)."""
        return self.github_writes_per_minute or (80 if self.slipway_forge == "github" else UNLIMITED)

    @property
    def writes_per_hour(self) -> int:
        return self.github_writes_per_hour or (500 if self.slipway_forge == "github" else UNLIMITED)
