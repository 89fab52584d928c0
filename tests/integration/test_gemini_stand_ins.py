"""The same basic suite against the sandbox's Gemini and against llmock, which others wrote.

llmock 0.2.2 speaks v1beta below `/gemini`, scripts errors by status, and ends replies by reason. It has no RetryInfo
(it sends Retry-After), no quota of the day, no blocked prompt, and no errors of its own for an unknown model or a bad
key: these two are scripted here by the status and message that Google documents.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Literal, Protocol

import httpx
import pytest
from model_world import ASKED, SYSTEM, a_ledger

from slipway_cli.ports import free_port
from slipway_common.stage import Pause, Reject, Retry
from slipway_generator.model.chain import Chain
from slipway_generator.model.gemini import Gemini
from slipway_sandbox.client import Sandbox

MODELS = ("gemini-2.5-pro", "gemini-2.0-flash")
PATIENCE_S = 30.0
NO_SUCH_KEY = "API key not valid. Please pass a valid API key."


class StandIn(Protocol):
    """A Gemini that is none, and how it is made to misbehave at its next call."""

    base_url: str
    api_version: str | None

    def reset(self) -> None: ...
    def says(self, text: str) -> None: ...
    def ends(self, reason: Literal["MAX_TOKENS", "SAFETY"]) -> None: ...
    def rate_limits(self, seconds: int) -> None: ...
    def is_overloaded(self) -> None: ...
    def knows_no_model(self) -> None: ...
    def refuses_the_key(self) -> None: ...
    def calls(self) -> int: ...


class OurSandbox:
    """The sandbox's Gemini."""

    api_version: str | None = None

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self.base_url = sandbox.gemini_url

    def reset(self) -> None:
        self._sandbox.reset()

    def says(self, text: str) -> None:
        self._sandbox.fault("gemini", "says", times=None, text=text)

    def ends(self, reason: Literal["MAX_TOKENS", "SAFETY"]) -> None:
        self._sandbox.fault("gemini", "finish", reason=reason)

    def rate_limits(self, seconds: int) -> None:
        self._sandbox.fault("gemini", "rate_limit", retry_s=seconds)

    def is_overloaded(self) -> None:
        self._sandbox.fault("gemini", "unavailable")

    def knows_no_model(self) -> None:
        self._sandbox.fault("gemini", "model_not_found")

    def refuses_the_key(self) -> None:
        self._sandbox.fault("gemini", "bad_key")

    def calls(self) -> int:
        return len(self._sandbox.requests("gemini"))


class Llmock:
    """llmock, controlled over its own HTTP interface."""

    api_version: str | None = "v1beta"

    def __init__(self, url: str) -> None:
        self.base_url = f"{url}/gemini"
        self._http = httpx.Client(base_url=f"{url}/_llmock", timeout=PATIENCE_S, trust_env=False)

    def reset(self) -> None:
        self._http.post("/reset").raise_for_status()

    def says(self, text: str) -> None:
        self._behave(type="reply", text=text, times=None)

    def ends(self, reason: Literal["MAX_TOKENS", "SAFETY"]) -> None:
        finish = {"MAX_TOKENS": "length", "SAFETY": "content_filter"}[reason]
        self._http.delete("/scenario")
        self._behave(type="reply", text="Sev", finish_reason=finish)
        self.says("Seven swans.")

    def rate_limits(self, seconds: int) -> None:
        self._behave(type="fail", status=429, retry_after=seconds)

    def is_overloaded(self) -> None:
        self._behave(type="fail", status=503)

    def knows_no_model(self) -> None:
        self._behave(type="fail", status=404)

    def refuses_the_key(self) -> None:
        self._behave(type="fail", status=400, message=NO_SUCH_KEY)

    def calls(self) -> int:
        return int(self._http.get("/requests").json()["count"])

    def _behave(self, **behaviour: object) -> None:
        self._http.post("/scenario", json={"behaviors": [behaviour]}).raise_for_status()


@pytest.fixture(scope="session")
def llmock() -> Iterator[Llmock]:
    port = free_port()
    command = [sys.executable, "-m", "llmock.cli", "serve", "--port", str(port), "--log-level", "error"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                httpx.get(f"http://127.0.0.1:{port}/health", trust_env=False).raise_for_status()
                break
            except httpx.TransportError:
                assert process.poll() is None, "llmock ended at once"
                assert time.monotonic() < until, "llmock does not listen"
                time.sleep(0.05)
        yield Llmock(f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture(params=["sandbox", "llmock"])
def stand_in(request: pytest.FixtureRequest) -> StandIn:
    found: StandIn = (
        OurSandbox(request.getfixturevalue("sandbox"))
        if request.param == "sandbox"
        else request.getfixturevalue("llmock")
    )
    found.reset()
    return found


@pytest.fixture
def gemini(stand_in: StandIn) -> Gemini:
    return Gemini("a-key", base_url=stand_in.base_url, api_version=stand_in.api_version)


@pytest.fixture
def chain(gemini: Gemini) -> Chain:
    return Chain([(gemini, name) for name in MODELS], 10.0)


async def test_a_plain_answer(stand_in: StandIn, chain: Chain) -> None:
    stand_in.says("Seven swans.")
    ledger = a_ledger()
    answer = await chain.ask(SYSTEM, ASKED, ledger)
    assert answer.text == "Seven swans."
    assert (ledger.used.calls, ledger.used.models) == (1, (MODELS[0],))
    assert ledger.used.input_tokens > 0
    assert ledger.used.output_tokens > 0


async def test_models_are_listed(gemini: Gemini) -> None:
    await gemini.probe()


async def test_a_cut_answer_is_not_used(stand_in: StandIn, chain: Chain) -> None:
    stand_in.ends("MAX_TOKENS")
    ledger = a_ledger()
    assert (await chain.ask(SYSTEM, ASKED, ledger)).text
    assert ledger.used.calls == 2


async def test_an_answer_stopped_for_safety_is_not_asked_for_again(stand_in: StandIn, chain: Chain) -> None:
    stand_in.ends("SAFETY")
    with pytest.raises(Reject, match="SAFETY"):
        await chain.ask(SYSTEM, ASKED, a_ledger())
    assert stand_in.calls() == 1


async def test_a_rate_limit_sends_to_the_next_model_and_its_wait_is_kept(stand_in: StandIn, chain: Chain) -> None:
    stand_in.rate_limits(100)
    stand_in.rate_limits(60)
    with pytest.raises(Retry, match="429") as retry:
        await chain.ask(SYSTEM, ASKED, a_ledger())
    assert retry.value.after is not None
    assert 59 < retry.value.after <= 60, "the shorter of the two waits"
    assert stand_in.calls() == 2


async def test_an_overloaded_model_is_followed_by_the_next(stand_in: StandIn, chain: Chain) -> None:
    stand_in.is_overloaded()
    ledger = a_ledger()
    await chain.ask(SYSTEM, ASKED, ledger)
    assert ledger.used.models == (MODELS[1],)
    assert ledger.used.calls == 1


async def test_an_unknown_model_is_skipped(stand_in: StandIn, chain: Chain) -> None:
    stand_in.knows_no_model()
    for _ in range(2):
        ledger = a_ledger()
        await chain.ask(SYSTEM, ASKED, ledger)
        assert ledger.used.models == (MODELS[1],)
    assert stand_in.calls() == 3


async def test_a_bad_key_pauses(stand_in: StandIn, chain: Chain) -> None:
    stand_in.refuses_the_key()
    with pytest.raises(Pause, match="key was refused"):
        await chain.ask(SYSTEM, ASKED, a_ledger())
    await chain.probe()
    assert (await chain.ask(SYSTEM, ASKED, a_ledger())).text
