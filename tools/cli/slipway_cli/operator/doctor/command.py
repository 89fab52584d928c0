"""The command `slipway doctor`: every part looked at, one line each, exit 1 where something has to be mended."""

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path

import typer

from slipway_cli.operator.doctor.broker import examine_broker
from slipway_cli.operator.doctor.browser import examine_browser
from slipway_cli.operator.doctor.finding import Finding, ok
from slipway_cli.operator.doctor.github import examine_github
from slipway_cli.operator.doctor.model import examine_model
from slipway_cli.operator.doctor.world import examine_running, examine_world
from slipway_cli.operator.plain import printable
from slipway_cli.operator.reach import ROOT, find_running_system
from slipway_cli.operator.screen import write
from slipway_cli.running import Running
from slipway_cli.worlds import SANDBOX_NAME, read_environment
from slipway_common.logs import Masking

_SECRETS = ("GITHUB_TOKEN", "GEMINI_API_KEY", "OPENAI_API_KEY", "STUDENT_SECRET", "ADMIN_TOKEN", "AMQP_URL")
_PART, _LEVEL = 10, 9


def doctor() -> None:
    """Check keys, permissions, models, broker and browser, and say what to mend. Changes nothing; exit 1 on a problem.

    Keys are those of the environment and of .env, as `./run up` reads them.
    """
    variables = read_environment(os.environ, ROOT)
    findings = asyncio.run(examine(variables, Path(os.environ.get("VAR_DIR") or ROOT / "var")))
    for line in shown(findings, variables):
        write(line)
    if any(finding.level == "problem" for finding in findings):
        raise typer.Exit(1)


async def examine(variables: Mapping[str, str], var: Path) -> list[Finding]:
    """All findings, in the order in which they are shown."""
    world, found = examine_world(variables)
    running = Running.read(var / "up.json")
    if variables.get("SLIPWAY_WORLD", "").strip() == SANDBOX_NAME:
        outside: list[list[Finding]] = []
    else:
        outside = list(await asyncio.gather(examine_github(variables), examine_model(variables)))
    if world and world.forge == SANDBOX_NAME:
        found.append(ok("token", "none is needed: the sandbox's GitHub is used"))
    if world and world.model == SANDBOX_NAME:
        found.append(ok("model key", "none is needed: the sandbox plays scripted replies"))
    here = await asyncio.gather(
        examine_running(running, world), examine_broker(find_running_system()), examine_browser(var, variables)
    )
    return [*found, *(finding for part in (*outside, *here) for finding in part)]


def shown(findings: list[Finding], variables: Mapping[str, str]) -> list[str]:
    """The lines to print; no value of a secret is among them."""
    mask = Masking(variables.get(name, "") for name in _SECRETS)
    lines = []
    for finding in findings:
        lines.append(f"{finding.level:{_LEVEL}} {finding.part:{_PART}} {finding.said}")
        if finding.way_out:
            lines.append(f"{'':{_LEVEL}} {'':{_PART}} -> {finding.way_out}")
    problems = sum(finding.level == "problem" for finding in findings)
    unseen = sum(finding.level == "not seen" for finding in findings)
    lines.append(f"{problems or 'no'} problem{'' if problems == 1 else 's'}, {unseen} not seen from here")
    return [mask(printable(line)) for line in lines]
