"""Speaks to a running sandbox: what it recorded, faults, scripts. Synchronous; for tests, demo and benchmarks."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

import httpx
from pydantic import BaseModel, JsonValue, TypeAdapter

from slipway_sandbox.faults.board import FaultLeft
from slipway_sandbox.records import Notification, PromptRecord, ReplyRecord, RequestRecord, Target
from slipway_sandbox.settings import Settings


class SandboxError(RuntimeError):
    """The sandbox refused a control request; the message says why."""


class Health(BaseModel):
    """`faults`: target -> kinds of fault that can be switched on."""

    status: str
    faults: dict[str, list[str]]


class Sandbox:
    """A running sandbox. Close it, or use it in a `with` block. Raises SandboxError and httpx.TransportError."""

    def __init__(self, url: str, timeout_s: float = 10.0) -> None:
        self.url = url.rstrip("/")
        # The sandbox is on this machine: a proxy of the environment is not asked.
        self._http = httpx.Client(base_url=self.url, timeout=timeout_s, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    @property
    def notify_url(self) -> str:
        """The evaluator; any path may follow."""
        return f"{self.url}/notify"

    @property
    def gemini_url(self) -> str:
        return f"{self.url}/gemini"

    @property
    def openai_url(self) -> str:
        return f"{self.url}/openai/v1"

    @property
    def api_url(self) -> str:
        return f"{self.url}/api"

    @property
    def git_url(self) -> str:
        return f"{self.url}/git"

    def pages_url(self, owner: str, repo: str) -> str:
        return f"{self.url}/pages/{owner}/{repo}/"

    def environment(self) -> dict[str, str]:
        """What the services need in their environment to live in this world."""
        owner = self.settings().owner
        return {
            "GEMINI_BASE_URL": self.gemini_url,
            "GEMINI_API_KEY": "sandbox",
            "GITHUB_API_URL": self.api_url,
            "GITHUB_GIT_URL": self.git_url,
            "GITHUB_PAGES_URL": f"{self.url}/pages/{{owner}}/{{repo}}/",
            "GITHUB_TOKEN": "sandbox",
            "GITHUB_USERNAME": owner,
            "STUDENT_SECRET": "test-secret",
        }

    def health(self) -> Health:
        return Health.model_validate_json(self._call("GET", "health"))

    def reset(self) -> None:
        """Faults, added scripts, records and settings as at the start; repositories stay."""
        self._call("POST", "reset")

    def settings(self) -> Settings:
        return Settings.model_validate_json(self._call("GET", "settings"))

    def change_settings(self, **changes: JsonValue) -> Settings:
        """Set fields of Settings, for example `pages_build_s=2`."""
        return Settings.model_validate_json(self._call("PATCH", "settings", json=changes))

    def fault(
        self,
        target: Target,
        kind: str,
        *,
        times: int | None = 1,
        skip: int = 0,
        match: str = "",
        method: str | None = None,
        **options: JsonValue,
    ) -> FaultLeft:
        """Switch a fault on. `times=None` = until it is removed; `options` are those of the kind."""
        asked: dict[str, JsonValue] = {
            "target": target, "kind": kind, "times": times, "skip": skip, "match": match, "method": method, **options,
        }  # fmt: skip
        return FaultLeft.model_validate_json(self._call("POST", "faults", json=asked))

    @contextmanager
    def faulty(
        self, target: Target, kind: str, *, match: str = "", method: str | None = None, **options: JsonValue
    ) -> Iterator[FaultLeft]:
        """The fault is on while the block runs, for every request that it concerns."""
        fault = self.fault(target, kind, times=None, skip=0, match=match, method=method, **options)
        try:
            yield fault
        finally:
            self.remove_fault(fault.id)

    def faults(self) -> list[FaultLeft]:
        """What can still strike."""
        return TypeAdapter(list[FaultLeft]).validate_json(self._call("GET", "faults"))

    def remove_fault(self, fault_id: int) -> None:
        self._call("DELETE", f"faults/{fault_id}")

    def remove_faults(self) -> None:
        self._call("DELETE", "faults")

    def script(self, brief: str, replies: list[str]) -> None:
        """Play these replies, turn after turn, to any prompt that contains `brief`; `{{serial}}` makes each unique."""
        self._call("POST", "scripts", json={"brief": brief, "replies": list(replies)})

    def notifications(self) -> list[Notification]:
        return TypeAdapter(list[Notification]).validate_json(self._call("GET", "notifications"))

    def requests(self, target: Target | None = None) -> list[RequestRecord]:
        query = f"requests?target={target}" if target else "requests"
        return TypeAdapter(list[RequestRecord]).validate_json(self._call("GET", query))

    def replies(self) -> list[ReplyRecord]:
        return TypeAdapter(list[ReplyRecord]).validate_json(self._call("GET", "replies"))

    def prompts(self) -> list[PromptRecord]:
        """The last 50."""
        return TypeAdapter(list[PromptRecord]).validate_json(self._call("GET", "prompts"))

    def _call(self, method: str, path: str, json: object = None) -> bytes:
        response = self._http.request(method, f"/_sandbox/{path}", json=json)
        if response.is_error:
            raise SandboxError(f"{method} /_sandbox/{path}: {response.status_code} {response.text}")
        return response.content
