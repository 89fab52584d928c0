"""`./run up`: broker, sandbox if the world needs it, and the services, until Ctrl-C or SIGTERM."""

import asyncio
import os
import re
import secrets
import sys
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from slipway_cli.preparation import Prepared, prepared
from slipway_cli.processes import Child
from slipway_cli.rabbitmq_node import RabbitmqNode
from slipway_cli.running import Running
from slipway_cli.stack import LOOPBACK, ROOT, SERVICES, VAR, Plan, Ports, Stack, running_stack
from slipway_cli.until_signal import until_signal
from slipway_cli.up_screen import first_screen
from slipway_cli.worlds import choose_world, read_environment, without_keys

_OUTSIDE = "0.0.0.0"  # noqa: S104  # inside a container, its port is published or it is not
RESTART_S = (1, 2, 4, 8, 16, 30)
WATCH_S = 0.5
SETTING = re.compile(r"^([A-Z][A-Z0-9_]*)=", re.MULTILINE)


async def up(*, generators: int, environment: Mapping[str, str]) -> int:
    """Runs until it is told to stop; exit code 0.

    Raises WorldRefusedError, PortTakenError, BrokerError, NodeError and ProcessError with one message each.
    """
    variables = read_environment(environment, ROOT)
    world = choose_world(variables)
    ports = Ports.of(variables)
    host = variables.get("BIND_HOST") or (_OUTSIDE if variables.get("SLIPWAY_CONTAINER", "0") != "0" else LOOPBACK)
    ports.check_free(host, ("intake",))
    ports.check_free(LOOPBACK, (*SERVICES[1:], *(("sandbox",) if world.needs_sandbox else ())))
    var = Path(variables.get("VAR_DIR") or VAR)
    folder, told = var / "up", var / "up.json"
    folder.mkdir(parents=True, exist_ok=True)
    plan = Plan(
        folder=folder,
        world=world,
        amqp_url="",
        ports=ports,
        admin_token=variables.get("ADMIN_TOKEN") or _kept_token(folder / "admin-token"),
        generators=generators,
        bind_host=host,
        settings=settings_for_services(variables, environment, (ROOT / ".env.example").read_text()),
    )
    _say(f"starting (model: {world.model}, forge: {world.forge})")
    try:
        await until_signal(_up(plan, variables, told))
    finally:
        told.unlink(missing_ok=True)
    _say("stopped")
    return 0


def settings_for_services(
    variables: Mapping[str, str], environment: Mapping[str, str], documented: str
) -> dict[str, str]:
    """What is passed on to every service: all of .env, and of the environment what .env.example documents; no keys.

    The rest of the environment is nobody's business: it may hold anything.
    """
    names = {name for name in variables if name not in environment} | set(SETTING.findall(documented))
    return without_keys({name: variables[name] for name in names if variables.get(name)})


async def _up(plan: Plan, variables: Mapping[str, str], tell_in: Path) -> None:
    async with prepared(plan.folder / "broker", variables, _say, keep_data=True) as found:
        plan = replace(plan, amqp_url=found.broker.url, chromium=found.browser.path, node=found.node, cdn=found.mirror)
        async with running_stack(plan) as stack:
            told = _told(stack, found)
            told.write(tell_in)
            _print(first_screen(stack, found, told))
            try:
                await _look_after(stack, found)
            finally:
                _say("stopping")


async def _look_after(stack: Stack, found: Prepared) -> None:
    """Starts again what ends on its own, after a pause that grows while it keeps ending."""
    restarts: dict[str, int] = defaultdict(int)
    async with asyncio.TaskGroup() as waiting:
        while True:
            await asyncio.sleep(WATCH_S)
            for child in stack.supervisor.take_ended():
                name = child.program.name
                pause_s = RESTART_S[min(restarts[name], len(RESTART_S) - 1)]
                restarts[name] += 1
                _say(f"{name} ended with exit code {child.exit_code}, starts again in {pause_s} s; log: {child.log}")
                waiting.create_task(_again(stack, child, pause_s))
            if isinstance(found.broker, RabbitmqNode) and found.broker.ended():
                _say("the broker ended; starting it again on its data")
                await asyncio.to_thread(found.broker.restart)


async def _again(stack: Stack, child: Child, pause_s: float) -> None:
    await asyncio.sleep(pause_s)
    await stack.supervisor.spawn(child.program)


def _told(stack: Stack, found: Prepared) -> Running:
    plan = stack.plan
    return Running(
        pid=os.getpid(),
        url=stack.intake_url,
        amqp_url=plan.amqp_url,
        management_url=found.broker.management_url,
        broker_user=found.broker.user,
        broker_password=found.broker.password,
        admin_token=plan.admin_token,
        student_secret=plan.world.secret,
        sandbox_url=stack.sandbox.origin if stack.sandbox else None,
        model=plan.world.model,
        forge=plan.world.forge,
    )


def _kept_token(path: Path) -> str:
    """The admin token of the last run, so that browsers stay signed in; a new one the first time."""
    if not path.exists():
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(24))
    return path.read_text().strip()


def _say(text: str) -> None:
    _print(f"slipway: {text}")


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
