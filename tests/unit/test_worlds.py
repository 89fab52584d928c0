"""Which keys make which world, and which service is told what."""

import itertools
from pathlib import Path

import pytest

from slipway_cli.worlds import (
    SandboxAddresses,
    Service,
    WorldRefusedError,
    choose_world,
    read_environment,
    without_keys,
)

KEYS = {
    "GEMINI_API_KEY": "key-of-the-model",
    "GITHUB_TOKEN": "token-of-the-forge",
    "GITHUB_USERNAME": "somebody",
    "STUDENT_SECRET": "secret-of-ours",
}
SERVICES: tuple[Service, ...] = ("intake", "generator", "deployer", "notifier")
SANDBOX = SandboxAddresses("http://127.0.0.1:7864")


def keys(*names: str) -> dict[str, str]:
    return {name: KEYS[name] for name in names}


@pytest.mark.parametrize(
    ("given", "world"),
    [
        ((), "sandbox sandbox"),
        (("GITHUB_USERNAME",), "sandbox sandbox"),
        (("STUDENT_SECRET",), "sandbox sandbox"),
        (("GEMINI_API_KEY",), "STUDENT_SECRET"),
        (("GEMINI_API_KEY", "STUDENT_SECRET"), "gemini sandbox"),
        (("GEMINI_API_KEY", "STUDENT_SECRET", "GITHUB_USERNAME"), "gemini sandbox"),
        (("GITHUB_TOKEN",), "GEMINI_API_KEY"),
        (("GITHUB_TOKEN", "GITHUB_USERNAME", "STUDENT_SECRET"), "GEMINI_API_KEY"),
        (("GEMINI_API_KEY", "GITHUB_TOKEN"), "STUDENT_SECRET"),
        (("GEMINI_API_KEY", "GITHUB_TOKEN", "GITHUB_USERNAME"), "STUDENT_SECRET"),
        (("GEMINI_API_KEY", "GITHUB_TOKEN", "STUDENT_SECRET"), "GITHUB_USERNAME"),
        (tuple(KEYS), "gemini github"),
    ],
)
def test_the_keys_given_make_the_world_or_name_what_is_missing(given: tuple[str, ...], world: str) -> None:
    if world in KEYS:
        with pytest.raises(WorldRefusedError, match=world):
            choose_world(keys(*given))
    else:
        chosen = choose_world(keys(*given))
        assert f"{chosen.model} {chosen.forge}" == world
        assert chosen.needs_sandbox == ("sandbox" in world)


@pytest.mark.parametrize("missing", KEYS)
def test_in_a_container_any_missing_key_is_refused_by_name(missing: str) -> None:
    given = keys(*(name for name in KEYS if name != missing))
    with pytest.raises(WorldRefusedError, match=missing):
        choose_world({**given, "SLIPWAY_CONTAINER": "1"})


def test_a_container_with_all_keys_or_with_the_sandbox_meant_starts() -> None:
    assert choose_world({**KEYS, "SLIPWAY_CONTAINER": "1"}).forge == "github"
    assert choose_world({"SLIPWAY_CONTAINER": "1", "SLIPWAY_WORLD": "sandbox"}).forge == "sandbox"


@pytest.mark.parametrize("count", range(len(KEYS) + 1))
def test_the_sandbox_that_is_meant_touches_no_key(count: int) -> None:
    for given in itertools.combinations(KEYS, count):
        world = choose_world({**keys(*given), "SLIPWAY_WORLD": "sandbox"})
        told = [world.environment(s, SANDBOX) for s in SERVICES]
        assert not {value for variables in told for value in variables.values()} & set(KEYS.values())


def test_another_word_for_the_world_is_refused() -> None:
    with pytest.raises(WorldRefusedError, match="SLIPWAY_WORLD is 'production'"):
        choose_world({"SLIPWAY_WORLD": "production"})


def test_blank_variables_count_as_missing() -> None:
    assert choose_world({"GEMINI_API_KEY": " ", "GITHUB_TOKEN": ""}).model == "sandbox"


def test_each_secret_goes_to_the_one_service_that_needs_it() -> None:
    world = choose_world(KEYS)
    holders = {
        name: [s for s in SERVICES if value in world.environment(s, None).values()] for name, value in KEYS.items()
    }
    assert holders == {
        "GEMINI_API_KEY": ["generator"],
        "GITHUB_TOKEN": ["deployer"],
        "GITHUB_USERNAME": ["generator", "deployer"],
        "STUDENT_SECRET": ["intake"],
    }


def test_addresses_given_explicitly_are_used_exactly() -> None:
    given = {
        "GEMINI_BASE_URL": "http://elsewhere:1/g",
        "GITHUB_API_URL": "http://elsewhere:2/a",
        "GITHUB_GIT_URL": "http://elsewhere:3/b",
    }
    for variables in (given, {**KEYS, **given}):
        world = choose_world(variables)
        assert not world.needs_sandbox
        generator, deployer = world.environment("generator", None), world.environment("deployer", None)
        assert generator["GEMINI_BASE_URL"] == given["GEMINI_BASE_URL"]
        assert generator["GITHUB_GIT_URL"] == deployer["GITHUB_GIT_URL"] == given["GITHUB_GIT_URL"]
        assert deployer["GITHUB_API_URL"] == given["GITHUB_API_URL"]


def test_the_real_world_is_told_no_sandbox_address() -> None:
    world = choose_world(KEYS)
    told = [world.environment(s, SANDBOX) for s in SERVICES]
    assert not [value for variables in told for value in variables.values() if "127.0.0.1" in value]


def test_a_preview_has_the_real_model_and_the_sandbox_forge() -> None:
    world = choose_world(keys("GEMINI_API_KEY", "STUDENT_SECRET"))
    assert "GEMINI_BASE_URL" not in world.environment("generator", SANDBOX)
    assert world.environment("deployer", SANDBOX)["GITHUB_API_URL"] == "http://127.0.0.1:7864/api"
    assert world.environment("deployer", SANDBOX)["GITHUB_TOKEN"] not in KEYS.values()


def test_no_key_of_the_sandbox_is_a_word_that_the_logs_show() -> None:
    world = choose_world({})
    keys_given = {world.secret, world.gemini_key, world.github_token}
    assert not keys_given & {world.model, world.forge, world.github_owner}


def test_no_key_is_seen_when_a_world_is_printed() -> None:
    shown = repr(choose_world(KEYS))
    assert [name for name, value in KEYS.items() if value in shown] == ["GITHUB_USERNAME"]


def test_the_environment_wins_over_the_env_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("GEMINI_API_KEY=of the file\nSTUDENT_SECRET='quoted'\nGITHUB_TOKEN=\n")
    read = read_environment({"GEMINI_API_KEY": "of the environment"}, tmp_path)
    assert read == {"GEMINI_API_KEY": "of the environment", "STUDENT_SECRET": "quoted"}


def test_without_keys_nothing_that_names_a_world_is_left() -> None:
    assert without_keys({**KEYS, "GOOGLE_API_KEY": "x", "GH_TOKEN": "x", "PATH": "/bin"}) == {"PATH": "/bin"}


def test_a_second_vendor_is_for_the_real_model_only() -> None:
    second = {"OPENAI_MODEL": "m", "OPENAI_BASE_URL": "https://elsewhere/v1", "OPENAI_API_KEY": "k"}
    real = choose_world({**KEYS, **second})
    assert second.items() <= real.environment("generator", None).items()
    assert not second.keys() & real.environment("deployer", None).keys()
    assert not second.keys() & choose_world(second).environment("generator", SandboxAddresses.on(1)).keys()
    assert "https://elsewhere" not in repr(real)
