"""`./run demo`: the whole path once, from nothing, in the sandbox: every example task, round after round."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
from pydantic import TypeAdapter

from slipway_cli.broker import BrokerError
from slipway_cli.demo_record import Outcome, Run, read_told
from slipway_cli.demo_screen import Screen
from slipway_cli.examples import read_projects
from slipway_cli.job import ENDED, Intake, RefusedError
from slipway_cli.preparation import fresh_vhost, prepared
from slipway_cli.processes import ProcessError
from slipway_cli.rabbitmq_node import NodeError
from slipway_cli.run_folder import run_folder
from slipway_cli.stack import EXAMPLES, VAR, Plan, Stack, running_stack
from slipway_cli.until_signal import until_signal
from slipway_cli.worlds import SANDBOX_SECRET, SandboxAddresses, sandbox_world
from slipway_common.sign_in import sign_in_code

JOB_S = 180.0
POLL_S = 0.2
STOPPED = 130


@dataclass(frozen=True)
class Options:
    """What was asked on the command line."""

    json_file: Path | None = None
    strict: bool = False
    stay: bool = False


async def demo(options: Options, environment: Mapping[str, str]) -> int:
    """Runs the demo; its exit code.

    0: the evaluator was told of every job and no check that ran is false (with `strict`: and every check that a
    program can decide was decided).
    """
    screen = Screen()
    screen.introduce()
    with run_folder(VAR, "demo") as folder:
        try:
            code = await until_signal(_demo(options, environment, screen, folder))
        except (BrokerError, NodeError, ProcessError) as error:
            screen.loud(f"{error}\nlogs: {folder / 'logs'}")
            return 1
    if code is None:
        screen.say("stopped")
        return STOPPED
    return code


async def _demo(options: Options, environment: Mapping[str, str], screen: Screen, folder: Path) -> int:
    async with (
        prepared(folder / "broker", environment, screen.say, keep_data=False) as found,
        fresh_vhost(found.broker, screen.say) as amqp_url,
    ):
        screen.prepared(found)
        plan = Plan(folder, sandbox_world(), amqp_url, chromium=found.browser.path, node=found.node, cdn=found.mirror)
        async with running_stack(plan) as stack:
            screen.say("services are up")
            runs = await _play(stack, SandboxAddresses.on(plan.ports.sandbox), screen)
            screen.close(runs)
            if options.json_file:
                _write(options.json_file, [run.outcome() for run in runs])
            if options.stay:
                _tell_where(screen, stack, found.broker.management_url, found.broker.user, found.broker.password)
                with suppress(asyncio.CancelledError):
                    await asyncio.Event().wait()
            return 0 if runs and all(_good(run, strict=options.strict) for run in runs) else 1


async def _play(stack: Stack, sandbox: SandboxAddresses, screen: Screen) -> list[Run]:
    """Sends every project's rounds, projects side by side, each round when the one before it has ended well."""
    runs = [Run(project, request) for project, rounds in read_projects(EXAMPLES).items() for request in rounds]
    rounds_of: dict[str, list[Run]] = defaultdict(list)
    for run in runs:
        rounds_of[run.project].append(run)
    async with Intake(stack.intake_url, stack.plan.admin_token) as intake, screen.watching(runs):
        showing = asyncio.create_task(_keep_showing(screen, runs))
        try:
            await asyncio.gather(*(_send_in_order(intake, rounds, sandbox.evaluator) for rounds in rounds_of.values()))
        finally:
            showing.cancel()
        screen.update(runs)
    told = await read_told(sandbox.origin)
    for run in runs:
        # Any 200 that it gave ends the job; a repeat after it changes nothing.
        answers = [entry.status for entry in told if entry.is_of(run.request)]
        run.told = 200 if 200 in answers else answers[-1] if answers else None
    return runs


async def _send_in_order(intake: Intake, rounds: Sequence[Run], evaluator: str) -> None:
    for run in rounds:
        await _send(intake, run, evaluator)
        if run.state != "notified":
            return


async def _send(intake: Intake, run: Run, evaluator: str) -> None:
    run.began = time.monotonic()
    until = run.began + JOB_S
    try:
        accepted = await intake.submit(run.request.addressed(secret=SANDBOX_SECRET, evaluation_url=evaluator))
        while time.monotonic() < until:
            with suppress(httpx.TransportError):
                run.view = await intake.job(accepted.job) or run.view
            if run.view and run.view.state in ENDED:
                break
            await asyncio.sleep(POLL_S)
        else:
            run.refused = f"not ended after {JOB_S:.0f} s, last seen {run.state}"
    except (RefusedError, httpx.TransportError) as error:
        run.refused = str(error) or type(error).__name__
    run.seconds = time.monotonic() - run.began


async def _keep_showing(screen: Screen, runs: Sequence[Run]) -> None:
    while True:
        screen.update(runs)
        await asyncio.sleep(POLL_S)


def _good(run: Run, *, strict: bool) -> bool:
    return run.told == 200 and not run.checks.false and not (strict and run.unproven)


def _write(path: Path, outcomes: Sequence[Outcome]) -> None:
    shown = [outcome.model_dump(mode="json", exclude=set() if outcome.round > 1 else {"edit"}) for outcome in outcomes]
    path.write_bytes(TypeAdapter(list[dict[str, object]]).dump_json(shown, indent=2) + b"\n")


def _tell_where(screen: Screen, stack: Stack, management_url: str | None, user: str, password: str) -> None:
    screen.console.print(
        f"\nlive page   {stack.intake_url}/?token={sign_in_code(stack.plan.admin_token)}   (good once)\n"
        f"broker      {management_url or 'as AMQP_URL says'}   user {user}, password {password}\n"
        "Ctrl-C stops everything.",
        markup=False,
        soft_wrap=True,
    )
