"""Which world the services work in: real Gemini and GitHub, the sandbox, or the real model with the sandbox forge."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from dotenv import dotenv_values

Service = Literal["intake", "generator", "deployer", "notifier"]

SANDBOX_SECRET = "test-secret"  # noqa: S105  # documented, and good for the sandbox only
SANDBOX_NAME = "sandbox"
# Not the word itself: services blot their keys out of their logs, and the logs say `model: sandbox`.
SANDBOX_KEY = "no-key-needed-here"
# What only one service may see. The generator runs strangers' pages: no token comes near it.
WITHHELD = ("GEMINI_", "GITHUB_", "GH_", "GOOGLE_", "OPENAI_", "STUDENT_SECRET", "SLIPWAY_")

KEYS = ("GEMINI_API_KEY", "GITHUB_TOKEN", "GITHUB_USERNAME", "STUDENT_SECRET")
ADDRESSES = (
    "GEMINI_BASE_URL",
    "GEMINI_API_VERSION",
    "GEMINI_MODELS",
    "GITHUB_API_URL",
    "GITHUB_GIT_URL",
    "GITHUB_PAGES_URL",
)
SECOND_VENDOR = ("OPENAI_MODEL", "OPENAI_BASE_URL", "OPENAI_API_KEY")


class WorldRefusedError(Exception):
    """The keys given do not make a world; the message names the variable and the way out."""


@dataclass(frozen=True)
class SandboxAddresses:
    """Where the parts of a sandbox listen."""

    origin: str

    @classmethod
    def on(cls, port: int) -> "SandboxAddresses":
        """Those of a sandbox on this machine."""
        return cls(f"http://127.0.0.1:{port}")

    @property
    def gemini(self) -> str:
        return f"{self.origin}/gemini"

    @property
    def github_api(self) -> str:
        return f"{self.origin}/api"

    @property
    def github_git(self) -> str:
        return f"{self.origin}/git"

    @property
    def pages(self) -> str:
        return f"{self.origin}/pages/{{owner}}/{{repo}}/"

    @property
    def evaluator(self) -> str:
        return f"{self.origin}/notify"


@dataclass(frozen=True)
class World:
    """Who answers for the model and for the forge, and what each service is told of it."""

    model: Literal["gemini", "sandbox"]
    forge: Literal["github", "sandbox"]
    secret: str = field(repr=False)
    gemini_key: str = field(repr=False, default=SANDBOX_KEY)
    github_token: str = field(repr=False, default=SANDBOX_KEY)
    github_owner: str = SANDBOX_NAME
    given: Mapping[str, str] = field(repr=False, default_factory=dict)
    """The addresses that were given explicitly, by their variable: they hold in every world."""
    second_vendor: Mapping[str, str] = field(repr=False, default_factory=dict)
    """What was given of SECOND_VENDOR: for the real model only."""

    @property
    def needs_sandbox(self) -> bool:
        """Whether something that a service talks to is the sandbox's."""
        model = self.model == "sandbox" and "GEMINI_BASE_URL" not in self.given
        forge = self.forge == "sandbox" and not {"GITHUB_API_URL", "GITHUB_GIT_URL"} <= self.given.keys()
        return model or forge

    def environment(self, service: Service, sandbox: SandboxAddresses | None) -> dict[str, str]:
        """The variables by which `service` knows this world; `sandbox` is where it listens if this world needs it."""
        told: dict[str, str] = {"SLIPWAY_MODEL": self.model, "SLIPWAY_FORGE": self.forge}
        if service == "intake":
            told["STUDENT_SECRET"] = self.secret
        if service == "generator":
            told["GEMINI_API_KEY"] = self.gemini_key
            told |= self.second_vendor
            if self.forge == SANDBOX_NAME:
                told["ATTACHMENT_HOSTS"] = "any"  # nothing is published: a file server on this machine may be meant
            told |= self._addresses(sandbox, "GEMINI_BASE_URL", "GEMINI_API_VERSION", "GEMINI_MODELS", "GITHUB_GIT_URL")
        if service == "deployer":
            told["GITHUB_TOKEN"] = self.github_token
            told |= self._addresses(sandbox, "GITHUB_API_URL", "GITHUB_GIT_URL", "GITHUB_PAGES_URL")
        if service in ("generator", "deployer"):
            told["GITHUB_USERNAME"] = self.github_owner
        return told

    def _addresses(self, sandbox: SandboxAddresses | None, *names: str) -> dict[str, str]:
        known: dict[str, str] = {}
        if sandbox and self.model == "sandbox":
            known |= {"GEMINI_BASE_URL": sandbox.gemini}
        if sandbox and self.forge == "sandbox":
            known |= {
                "GITHUB_API_URL": sandbox.github_api,
                "GITHUB_GIT_URL": sandbox.github_git,
                "GITHUB_PAGES_URL": sandbox.pages,
            }
        known |= self.given
        return {name: known[name] for name in names if name in known}


def sandbox_world(given: Mapping[str, str] | None = None) -> World:
    """The world without any key."""
    return World(model="sandbox", forge="sandbox", secret=SANDBOX_SECRET, given=given or {})


def choose_world(environment: Mapping[str, str]) -> World:
    """The world that these variables make.

    No keys: the sandbox. GEMINI_API_KEY alone: the real model, the sandbox forge. With GITHUB_TOKEN as well: both real.
    Raises WorldRefusedError for a token without a model key, for real keys without STUDENT_SECRET, for a token without
    the owner it publishes for, and for anything missing in a container (SLIPWAY_CONTAINER=1), where nobody would see
    that a sandbox has answered. SLIPWAY_WORLD=sandbox says that it is meant.
    """
    values = {name: value.strip() for name, value in environment.items() if value.strip()}
    given = {name: values[name] for name in ADDRESSES if name in values}
    second = {name: values[name] for name in SECOND_VENDOR if name in values}
    meant = values.get("SLIPWAY_WORLD", "")
    if meant == SANDBOX_NAME:
        return sandbox_world(given)
    if meant:
        raise WorldRefusedError(
            f"SLIPWAY_WORLD is '{meant}'; the only value is 'sandbox' (leave it out to go by the keys)"
        )
    key, token = values.get("GEMINI_API_KEY", ""), values.get("GITHUB_TOKEN", "")
    secret, owner = values.get("STUDENT_SECRET", ""), values.get("GITHUB_USERNAME", "")
    if values.get("SLIPWAY_CONTAINER", "0") not in ("0", "false", "no"):
        missing = [name for name in KEYS if name not in values]
        if missing:
            raise WorldRefusedError(
                f"missing in this container: {', '.join(missing)}; give them (docker run --env-file .env), "
                "or SLIPWAY_WORLD=sandbox to work without keys"
            )
    if token and not key:
        raise WorldRefusedError(
            "GITHUB_TOKEN is given but GEMINI_API_KEY is not: scripted pages would be published under your name. "
            "Give GEMINI_API_KEY, or SLIPWAY_WORLD=sandbox to publish nothing"
        )
    if not key:
        return sandbox_world(given)
    if not secret:
        raise WorldRefusedError(
            "STUDENT_SECRET is missing: with real keys anybody could spend them. Set it to a secret of your own"
        )
    if not token:
        return World("gemini", "sandbox", secret, gemini_key=key, given=given, second_vendor=second)
    if not owner:
        raise WorldRefusedError("GITHUB_USERNAME is missing: the user or organisation that owns the repositories")
    return World(
        "gemini", "github", secret,
        gemini_key=key, github_token=token, github_owner=owner, given=given, second_vendor=second,
    )  # fmt: skip


def read_environment(environment: Mapping[str, str], folder: Path) -> dict[str, str]:
    """The variables of `folder`/.env, and over them those of the environment."""
    path = folder / ".env"
    kept = dotenv_values(path) if path.exists() else {}
    return {**{name: value for name, value in kept.items() if value}, **environment}


def without_keys(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without anything that names a world or a key."""
    return {name: value for name, value in environment.items() if not name.startswith(WITHHELD)}
