"""`./run bench`: runs benchmarks one after the other, shows what they find, holds it against the limits."""

import json
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from slipway_bench import browser, deploy, generation, intake, memory, pipeline, recovery, scaling
from slipway_bench.figures import Figures, NotMeasuredError, Value
from slipway_bench.grounds import Grounds, grounds
from slipway_bench.limits import missed
from slipway_bench.log_file import LOG, log_file
from slipway_bench.screen import Screen, load
from slipway_bench.world import TooSlowError
from slipway_cli.broker import BrokerError
from slipway_cli.processes import ProcessError
from slipway_cli.rabbitmq_node import NodeError
from slipway_cli.run_folder import run_folder
from slipway_cli.stack import VAR
from slipway_cli.until_signal import until_signal

log = structlog.get_logger()

BENCHMARKS: Mapping[str, Callable[[Grounds], Awaitable[Figures]]] = {
    "pipeline": pipeline.measure,
    "intake": intake.measure,
    "scaling": scaling.measure,
    "deploy": deploy.measure,
    "generation": generation.measure,
    "browser": browser.measure,
    "memory": memory.measure,
    "recovery": recovery.measure,
}
STOPPED = 130
FAILURES = (NotMeasuredError, TooSlowError, BrokerError, NodeError, ProcessError)

Report = dict[str, Value | list[str]]


@dataclass(frozen=True)
class Options:
    """What was asked on the command line; `name` None: all benchmarks."""

    name: str | None = None
    quick: bool = False
    json_file: Path | None = None


async def bench(options: Options) -> int:
    """Runs them; the exit code. 0: all were measured and every limit is kept."""
    screen = Screen()
    screen.introduce("Slipway bench")
    names = [options.name] if options.name else list(BENCHMARKS)
    with run_folder(VAR, "bench") as folder, log_file(folder):
        reports = await until_signal(_run(names, options, folder, screen))
    if reports is None:
        screen.say("stopped")
        return STOPPED
    if options.json_file:
        told = reports[options.name] if options.name else reports
        options.json_file.write_text(json.dumps(told, indent=2) + "\n")
    faults = [fault for report in reports.values() for fault in _faults(report)]
    for fault in faults:
        screen.loud(fault)
    return 1 if faults else 0


async def _run(names: Sequence[str], options: Options, folder: Path, screen: Screen) -> dict[str, Report]:
    async with grounds(folder, quick=options.quick, say=screen.say) as shared:
        return {name: await _measure(name, shared, screen) for name in names}


async def _measure(name: str, shared: Grounds, screen: Screen) -> Report:
    screen.say(f"{name} ...")
    report: Report = {"load_before": load()}
    began = time.monotonic()
    try:
        figures = list((await BENCHMARKS[name](shared)).told())
    except FAILURES as error:
        report["not_measured"] = f"{name}: {error}"
        return report
    except Exception as error:  # what the others find is still worth telling
        log.error("benchmark failed", benchmark=name, exc_info=error)
        report["not_measured"] = f"{name} failed, see {shared.folder / LOG}: {type(error).__name__}: {error}"
        return report
    report |= {figure.key: figure.value for figure in figures}
    report["took_s"] = round(time.monotonic() - began, 1)
    report["missed"] = missed(name, figures)
    screen.table(name, figures)
    return report


def _faults(report: Report) -> list[str]:
    lines = report.get("missed", [])
    failure = report.get("not_measured")
    return (lines if isinstance(lines, list) else []) + ([str(failure)] if failure else [])
