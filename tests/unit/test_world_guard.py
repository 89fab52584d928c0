"""A service that is told that it works in the sandbox refuses the real addresses: nothing is published by accident."""

import pytest

from slipway_common.settings import SettingsError
from slipway_deployer.settings import DeployerSettings
from slipway_generator.settings import GeneratorSettings

SANDBOX = "http://sandbox:7864"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {"AMQP_URL": "amqp://x", "GITHUB_USERNAME": "me", "GITHUB_TOKEN": "t", "SLIPWAY_FORGE": "sandbox"}
    told |= {"GEMINI_API_KEY": "k"}
    for name, value in {**told, "SLIPWAY_MODEL": "sandbox"}.items():
        monkeypatch.setenv(name, value)
    for name in ("GITHUB_API_URL", "GITHUB_GIT_URL", "GEMINI_BASE_URL", "OPENAI_MODEL", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("git_url", ["https://github.com", "https://GitHub.com:443/"])
def test_the_deployer_refuses_github_in_the_sandbox_world(monkeypatch: pytest.MonkeyPatch, git_url: str) -> None:
    with pytest.raises(SettingsError, match=r"GITHUB_API_URL: .* SLIPWAY_FORGE says sandbox"):
        DeployerSettings.load()
    monkeypatch.setenv("GITHUB_API_URL", f"{SANDBOX}/api")
    monkeypatch.setenv("GITHUB_GIT_URL", git_url)
    with pytest.raises(SettingsError, match=r"GITHUB_GIT_URL: .* SLIPWAY_FORGE says sandbox"):
        DeployerSettings.load()
    monkeypatch.setenv("GITHUB_GIT_URL", f"{SANDBOX}/git")
    assert DeployerSettings.load().github_git_url == f"{SANDBOX}/git"


def test_the_generator_refuses_gemini_in_the_sandbox_world(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match=r"GEMINI_BASE_URL: .* SLIPWAY_MODEL says sandbox"):
        GeneratorSettings.load()
    monkeypatch.setenv("GEMINI_BASE_URL", f"{SANDBOX}/gemini")
    monkeypatch.setenv("OPENAI_MODEL", "other")
    with pytest.raises(SettingsError, match=r"OPENAI_BASE_URL: .* SLIPWAY_MODEL says sandbox"):
        GeneratorSettings.load()
    monkeypatch.setenv("OPENAI_MODEL", "")
    assert GeneratorSettings.load().gemini_base_url == f"{SANDBOX}/gemini"


def test_both_take_the_real_addresses_in_the_real_world(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLIPWAY_FORGE", "github")
    monkeypatch.setenv("SLIPWAY_MODEL", "gemini")
    assert DeployerSettings.load().github_api_url == "https://api.github.com"
    assert GeneratorSettings.load().gemini_base_url is None
