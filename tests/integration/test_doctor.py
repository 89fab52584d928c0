"""`slipway doctor`: what it says of keys, permissions, models, broker and browser, and how it ends."""

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from github_visitor import hub, new_name, push
from pydantic import JsonValue

from slipway_cli.operator.doctor.broker import examine_broker
from slipway_cli.operator.doctor.browser import examine_browser
from slipway_cli.operator.doctor.command import examine, shown
from slipway_cli.operator.doctor.finding import Finding
from slipway_cli.operator.doctor.github import examine_github
from slipway_cli.operator.doctor.model import examine_model
from slipway_cli.operator.doctor.world import examine_running, examine_world
from slipway_cli.operator.reach import reach_from
from slipway_cli.running import Running
from slipway_common.topology import declare, topology
from slipway_sandbox.client import Sandbox

CLASSIC = "ghp_" + "a1B2" * 9
FINE_GRAINED = "github_pat_" + "a1B2" * 20
NOWHERE = "http://127.0.0.1:9"
MODELS = "gemini-3.8-flash,gemini-flash-latest"


def keys(sandbox: Sandbox, **changes: str) -> dict[str, str]:
    """Real keys, as far as anybody can tell, of a world that the sandbox plays."""
    return {
        "GITHUB_TOKEN": CLASSIC,
        "GITHUB_USERNAME": "sandbox",
        "GITHUB_API_URL": sandbox.api_url,
        "GITHUB_GIT_URL": sandbox.git_url,
        "GEMINI_API_KEY": "key-of-the-doctors-test",
        "GEMINI_BASE_URL": sandbox.gemini_url,
        "GEMINI_MODELS": MODELS,
        "STUDENT_SECRET": "secret-of-the-doctors-test",
        **changes,
    }


def levels(findings: list[Finding]) -> dict[str, str]:
    return {finding.part: finding.level for finding in findings}


def only(findings: list[Finding], level: str) -> Finding:
    [found] = [finding for finding in findings if finding.level == level]
    return found


async def test_a_good_token_is_said_to_be_one(sandbox: Sandbox) -> None:
    found = await examine_github(keys(sandbox))
    assert levels(found) == {"token": "ok", "scopes": "ok", "owner": "ok"}
    assert [finding.said for finding in found] == [
        "classic token of sandbox, valid", "repo, workflow", "sandbox is the token's user",
    ]  # fmt: skip
    assert {record.method for record in sandbox.requests("github")} == {"GET"}


async def test_a_token_that_is_refused_is_named_with_the_way_out(sandbox: Sandbox) -> None:
    [found] = await examine_github(keys(sandbox, GITHUB_TOKEN="bad-token"))
    assert (found.level, found.part) == ("problem", "token")
    assert "refused" in found.said
    assert "401" in found.said
    assert "github.com/settings/tokens" in found.way_out


async def test_an_installation_token_makes_no_repositories_for_a_user(sandbox: Sandbox) -> None:
    found = await examine_github(keys(sandbox, GITHUB_TOKEN="ghs_" + "a1B2" * 9))
    assert "cannot make repositories for the user sandbox" in only(found, "problem").said
    of_organisation = await examine_github(
        keys(sandbox, GITHUB_TOKEN="ghs_" + "a1B2" * 9, GITHUB_USERNAME="sandbox-org")
    )
    assert levels(of_organisation) == {"token": "ok", "owner": "not seen"}


@pytest.mark.parametrize(("scopes", "missing"), [("repo", ["workflow"]), ("", ["repo", "workflow"])])
async def test_a_missing_scope_is_named_with_what_it_is_for(sandbox: Sandbox, scopes: str, missing: list[str]) -> None:
    sandbox.change_settings(scopes=scopes)
    found = only(await examine_github(keys(sandbox)), "problem")
    assert found.part == "scopes"
    assert [scope for scope in ("repo", "workflow") if f"{scope} is missing" in found.said] == missing


async def test_an_organisation_is_told_from_a_user_and_from_nobody(sandbox: Sandbox) -> None:
    found = await examine_github(keys(sandbox, GITHUB_USERNAME="sandbox-org"))
    assert [finding.said for finding in found if finding.part == "owner"] == [
        "sandbox is an owner of the organisation sandbox-org"
    ]
    found = await examine_github(keys(sandbox, GITHUB_USERNAME="nobody-knows-it"))
    assert only(found, "problem").said == "there is no user or organisation nobody-knows-it"
    sandbox.fault("github", "status", status=403, match="/memberships/")
    found = await examine_github(keys(sandbox, GITHUB_USERNAME="sandbox-org"))
    assert "members must be allowed to create public repositories" in only(found, "not seen").way_out


@pytest.mark.parametrize(
    ("permission", "target", "match"),
    [("Administration", "github", "/actions/permissions"), ("Pages", "github", "/pages"), ("Contents", "git", "/info")],
)
async def test_a_permission_that_a_fine_grained_token_lacks_is_named(
    sandbox: Sandbox, tmp_path: Path, permission: str, target: str, match: str
) -> None:
    name = new_name()
    hub(sandbox).get_user().create_repo(name, description="of Slipway [slipway:0123456789abcdef0123]")
    push(sandbox, name, tmp_path / "folder", {"index.html": b"x"})
    given = keys(sandbox, GITHUB_TOKEN=FINE_GRAINED)
    allowed = await examine_github(given)
    assert not [finding for finding in allowed if finding.level == "problem"]
    assert f"and pushing, are allowed on sandbox/{name}" in " ".join(finding.said for finding in allowed)
    assert only(allowed, "not seen").said.startswith("writing ")

    refusal: dict[str, JsonValue] = {"status": 403, "message": "Resource not accessible by personal access token"}
    sandbox.fault(target, "status", match=match, times=None, **refusal)  # type: ignore[arg-type]
    found = only(await examine_github(given), "problem")
    assert found.said == f"{permission} refused on sandbox/{name}"
    assert "Workflows: read and write" in found.way_out


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"GITHUB_API_URL": NOWHERE}, "token"),
        ({"GITHUB_API_URL": "{pages}"}, "token"),
        ({"GITHUB_USERNAME": ""}, "owner"),
    ],
)
async def test_a_wrong_address_or_no_owner_is_a_problem(
    sandbox: Sandbox, changes: Mapping[str, str], part: str
) -> None:
    changes = {name: value.replace("{pages}", f"{sandbox.url}/_sandbox") for name, value in changes.items()}
    assert only(await examine_github(keys(sandbox, **changes)), "problem").part == part


async def test_the_models_that_a_key_can_use_are_told_from_those_it_cannot(sandbox: Sandbox) -> None:
    found = await examine_model(keys(sandbox))
    assert [finding.said for finding in found if finding.part == "models"] == [
        "gemini-3.8-flash, gemini-flash-latest: offered to this key"
    ]
    found = await examine_model(keys(sandbox, GEMINI_MODELS="gemini-9-ultra,gemini-3.5-flash"))
    missing = only(found, "problem")
    assert missing.said.startswith("gemini-9-ultra: not offered")
    assert "gemini-2.5-pro" in missing.way_out
    assert "gemini-3.5-flash: offered to this key" in [finding.said for finding in found]
    assert not sandbox.replies(), "nothing was generated"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"GEMINI_API_KEY": "bad-key"}, "GEMINI_API_KEY is refused"),
        ({"GEMINI_BASE_URL": NOWHERE}, "does not answer"),
        ({"GEMINI_API_VERSION": "v7"}, "is not Gemini"),
    ],
)
async def test_what_keeps_the_model_away_is_said(sandbox: Sandbox, changes: Mapping[str, str], said: str) -> None:
    assert said in only(await examine_model(keys(sandbox, **changes)), "problem").said


async def test_the_second_vendor_is_asked_too(sandbox: Sandbox) -> None:
    second = {"OPENAI_MODEL": "scripted-small", "OPENAI_BASE_URL": sandbox.openai_url, "OPENAI_API_KEY": "a-key"}
    assert {finding.level for finding in await examine_model(second)} == {"ok"}
    [refused] = await examine_model({**second, "OPENAI_API_KEY": "bad-key"})
    assert (refused.level, "OPENAI_API_KEY is refused" in refused.said) == ("problem", True)
    [unlisted] = await examine_model({**second, "OPENAI_MODEL": "another"})
    assert unlisted.level == "not seen"


async def test_the_broker_and_its_topology_are_looked_at_and_left_as_they_are(fresh_vhost_url: str) -> None:
    reach = reach_from({"AMQP_URL": fresh_vhost_url}, None, {})
    for _ in range(2):
        found = await examine_broker(reach)
        assert levels(found) == {"broker": "ok", "topology": "problem"}
        assert "`slipway topology apply`" in found[-1].way_out
    assert "RabbitMQ " in found[0].said
    async with reach.bus() as bus, bus.open_channel("test") as channel:
        await declare(channel, topology())
    assert {finding.level for finding in await examine_broker(reach)} == {"ok"}


async def test_no_broker_is_a_problem_and_its_password_is_not_told() -> None:
    [found] = await examine_broker(reach_from({"AMQP_URL": "amqp://user:hush-hush@127.0.0.1:9/x"}, None, {}))
    assert found.level == "problem"
    assert "127.0.0.1:9" in found.said
    assert "hush" not in str(found)
    [unknown] = await examine_broker(reach_from({}, None, {}))
    assert unknown.level == "not seen"


async def test_a_browser_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    [found] = await examine_browser(tmp_path, {"CHROMIUM_PATH": "/nonexistent"})
    assert found.level == "problem"
    assert "CHROMIUM_PATH is /nonexistent" in found.said


@pytest.mark.skipif("CHROMIUM_PATH" not in os.environ, reason="there is no browser")
async def test_a_browser_is_started_by_its_driver(tmp_path: Path) -> None:
    version, driver = await examine_browser(tmp_path, os.environ)
    assert (version.level, driver.level) == ("ok", "ok")
    assert "Chrom" in version.said
    program = tmp_path / "no-browser"
    program.write_text('#!/bin/sh\n[ "$1" = --version ] && echo Chromium 1.0\n')
    program.chmod(0o755)
    _, driver = await examine_browser(tmp_path, {"CHROMIUM_PATH": str(program)})
    assert driver.level == "problem"


def test_keys_that_make_no_world_are_said_with_the_way_out() -> None:
    world, [found] = examine_world({"GITHUB_TOKEN": CLASSIC})
    assert world is None
    assert found.level == "problem"
    assert "GEMINI_API_KEY" in found.said + found.way_out
    assert CLASSIC not in found.said + found.way_out


async def test_what_runs_here_is_looked_at_and_compared_with_the_keys(sandbox: Sandbox) -> None:
    world, _ = examine_world({})
    told = Running(
        pid=os.getpid(), url=NOWHERE, amqp_url="", admin_token="", student_secret="", model="gemini", forge="github"
    )
    silent, stale = await examine_running(told, world)
    assert (silent.level, "does not answer" in silent.said) == ("problem", True)
    assert (stale.level, "start it again" in stale.way_out) == ("problem", True)
    assert await examine_running(None, world) == []


async def test_keys_are_left_alone_where_the_sandbox_is_meant(sandbox: Sandbox, tmp_path: Path) -> None:
    await examine(keys(sandbox, SLIPWAY_WORLD="sandbox", CHROMIUM_PATH="/nonexistent"), tmp_path)
    assert sandbox.requests() == []


def test_no_line_holds_a_secret() -> None:
    token = "secret-of-no-known-form"
    lines = shown([Finding("problem", "token", f"what {token} said", f"see {CLASSIC}")], {"GITHUB_TOKEN": token})
    assert token not in "".join(lines)
    assert CLASSIC not in "".join(lines)


@pytest.mark.parametrize(
    ("changes", "code"),
    [({}, 0), ({"GITHUB_TOKEN": "bad-token", "GEMINI_API_KEY": "bad-key", "CHROMIUM_PATH": "/nonexistent"}, 1)],
)
async def test_the_program_ends_with_1_on_a_problem_and_shows_no_key(
    sandbox: Sandbox, vhost_url: str, tmp_path: Path, changes: Mapping[str, str], code: int
) -> None:
    if "CHROMIUM_PATH" not in os.environ:
        pytest.skip("there is no browser, which is a problem by itself")
    async with reach_from({"AMQP_URL": vhost_url}, None, {}).bus() as bus, bus.open_channel("test") as channel:
        await declare(channel, topology())
    given = keys(sandbox, AMQP_URL=vhost_url, VAR_DIR=str(tmp_path), SLIPWAY_WORLD="", **changes)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "GEMINI_"))}
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "slipway_cli", "doctor"],
        env={**kept, **given}, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    problems = re.findall(r"(?m)^problem +(\w+)", done.stdout)
    assert problems == (["token", "model", "browser"] if code else [])
    for name in ("GITHUB_TOKEN", "GEMINI_API_KEY", "STUDENT_SECRET", "AMQP_URL"):
        assert given[name] not in done.stdout + done.stderr
