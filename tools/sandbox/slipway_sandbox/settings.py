"""How the sandbox behaves, where that can be chosen."""

from pydantic import BaseModel, ConfigDict, Field


class Settings(BaseModel):
    """What can be set when it starts (program arguments) or while it runs (PATCH /_sandbox/settings).

    `owner`: login of every good token. `organizations`: accounts that it may also create repositories for.
    `scopes`: those of every classic token, as X-OAuth-Scopes tells them.
    `pages_build_s`: seconds between a push and the new bytes. `rate_limit`: REST requests per hour before GitHub's 403.
    """

    model_config = ConfigDict(extra="forbid", validate_assignment=True)

    owner: str = "sandbox"
    organizations: list[str] = ["sandbox-org"]
    scopes: str = "repo, workflow"
    pages_build_s: float = Field(default=0.2, ge=0)
    rate_limit: int = Field(default=100_000, ge=1)
