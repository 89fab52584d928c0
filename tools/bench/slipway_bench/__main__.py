"""`python -m slipway_bench`: what `./run bench` and `./run soak` start."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from slipway_bench import bench as bench_command
from slipway_bench import soak as soak_command
from slipway_bench.trials import TRIALS

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None)

Quick = Annotated[bool, typer.Option("--quick", help="fewer rounds: all together under two minutes")]
JsonFile = Annotated[Path | None, typer.Option("--json", metavar="FILE", help="write what was found there")]


@app.command()
def bench(
    name: Annotated[str | None, typer.Argument(help=f"one of: {', '.join(bench_command.BENCHMARKS)}")] = None,
    quick: Quick = False,
    json_file: JsonFile = None,
) -> None:
    """Measures one thing, or everything without a name. No key is read; nothing leaves this machine.

    --json writes one flat object of figures, with keys such as "new.requests" of `bench deploy`; without a name it
    writes an object of such objects by the name of the benchmark. Times and memory stand beside a baseline measured
    in the same run; limits are shown where one was set. Exit code 1: a limit is missed, or something could not be
    measured.
    """
    if name is not None and name not in bench_command.BENCHMARKS:
        raise typer.BadParameter(f"there is no benchmark '{name}'; there are: {', '.join(bench_command.BENCHMARKS)}")
    sys.exit(asyncio.run(bench_command.bench(bench_command.Options(name, quick, json_file))))


@app.command()
def soak(
    name: Annotated[str | None, typer.Argument(help=f"one of: {', '.join(TRIALS)}")] = None,
    quick: Quick = False,
    json_file: JsonFile = None,
    seed: Annotated[int, typer.Option(help="decides the random moments")] = 1,
) -> None:
    """Takes something away while jobs are on their way: broker, services, model, evaluator, GitHub.

    Runs one trial, or all without a name. Afterwards every job must have been notified, with one commit and the same
    sha each time; nothing may be dead or doubled. --json writes what was done and found, by trial. Exit code 1:
    something does not balance.
    """
    if name is not None and name not in TRIALS:
        raise typer.BadParameter(f"there is no trial '{name}'; there are: {', '.join(TRIALS)}")
    sys.exit(asyncio.run(soak_command.soak(soak_command.Options(name, quick, json_file, seed))))


if __name__ == "__main__":
    app(prog_name="./run")
