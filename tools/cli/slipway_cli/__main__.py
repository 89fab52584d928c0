"""`python -m slipway_cli`: what ./run starts, and the operator's program."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from slipway_cli import demo as demo_command
from slipway_cli.operator import operator_app


@operator_app.command(hidden=True)
def demo(
    json_file: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="write the result there")] = None,
    strict: Annotated[bool, typer.Option(help="fail when a check was not run or is inconclusive")] = False,
    stay: Annotated[bool, typer.Option(help="keep everything running until Ctrl-C")] = False,
) -> None:
    """Plays every example task from nothing, in the sandbox."""
    options = demo_command.Options(json_file, strict, stay)
    sys.exit(asyncio.run(demo_command.demo(options, os.environ)))


if __name__ == "__main__":
    operator_app()
