"""`python -m slipway_cli`: what ./run starts, and the operator's program."""

import asyncio
import os
import re
import sys
from pathlib import Path
from typing import Annotated

import typer

from slipway_cli import demo as demo_command
from slipway_cli import up as up_command
from slipway_cli.broker import BrokerError
from slipway_cli.operator import operator_app
from slipway_cli.processes import ProcessError
from slipway_cli.rabbitmq_node import NodeError
from slipway_cli.stack import PortTakenError
from slipway_cli.worlds import WorldRefusedError

SCALE = re.compile(r"generator=([1-9]\d?)")


@operator_app.command(hidden=True)
def demo(
    json_file: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="write the result there")] = None,
    strict: Annotated[bool, typer.Option(help="fail when a check that a program can decide was not decided")] = False,
    stay: Annotated[bool, typer.Option(help="keep everything running until Ctrl-C")] = False,
) -> None:
    """Plays every example task from nothing, in the sandbox."""
    options = demo_command.Options(json_file, strict, stay)
    sys.exit(asyncio.run(demo_command.demo(options, os.environ)))


@operator_app.command(hidden=True)
def up(
    scale: Annotated[str, typer.Option(metavar="generator=N", help="how many share the work")] = "generator=1",
) -> None:
    """Starts broker and services, and keeps them running until Ctrl-C."""
    match = SCALE.fullmatch(scale)
    if match is None:
        raise typer.BadParameter(f"--scale is '{scale}'; it is of the form generator=N, N from 1 to 99")
    try:
        code = asyncio.run(up_command.up(generators=int(match[1]), environment=os.environ))
    except (WorldRefusedError, PortTakenError, BrokerError, NodeError, ProcessError) as error:
        sys.exit(f"slipway: {error}")
    sys.exit(code)


if __name__ == "__main__":
    operator_app()
