"""The operator's program `slipway`: its commands, and how it says that something cannot be done."""

import asyncio
import sys
from typing import Annotated, get_args

import typer
from typer.core import TyperGroup

from slipway_cli.operator import job_commands
from slipway_cli.operator.dead_letter_commands import dead_letters_app
from slipway_cli.operator.doctor.command import doctor
from slipway_cli.operator.errors import OperatorError
from slipway_cli.operator.plain import printable
from slipway_cli.operator.reach import find_running_system
from slipway_cli.operator.replay import StageName, replay_job
from slipway_cli.operator.screen import write
from slipway_cli.operator.topology_commands import topology_app


class _Program(TyperGroup):
    """Says an OperatorError in one line on standard error and exits 1."""

    def invoke(self, ctx: typer.Context) -> object:  # type: ignore[override]
        try:
            return super().invoke(ctx)
        except OperatorError as error:
            sys.stderr.write(f"slipway: {printable(str(error))}\n")
            raise typer.Exit(1) from None


operator_app = typer.Typer(
    name="slipway",
    cls=_Program,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Works with a running Slipway: found by AMQP_URL, SLIPWAY_URL, ADMIN_TOKEN, else `./run up` here, else .env.",
)
operator_app.command()(job_commands.submit)
operator_app.command()(job_commands.status)
operator_app.command()(job_commands.watch)
operator_app.command()(doctor)
operator_app.add_typer(dead_letters_app, name="dead-letters")
operator_app.add_typer(topology_app, name="topology")


@operator_app.command()
def replay(
    job: Annotated[str, typer.Argument(metavar="JOB", help="a job's id")],
    stage: Annotated[
        StageName, typer.Option("--from", help=f"the stage that begins: {', '.join(get_args(StageName))}")
    ],
) -> None:
    """Run a job again from a stage on, from what the history has of it."""

    async def ask() -> int:
        async with find_running_system().bus() as bus:
            return await replay_job(bus, job, stage)

    number = asyncio.run(ask())
    write(f"job {job} runs again from the {stage}: replay {number}")
