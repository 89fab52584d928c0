"""`./run bench` as a program: what it writes and how it refuses; the figures themselves depend on the machine."""

import json
import subprocess
import sys
from pathlib import Path

from slipway_bench.figures import Figure
from slipway_bench.limits import missed


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "slipway_bench", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def test_the_deployers_requests_are_counted(tmp_path: Path) -> None:
    done = bench("bench", "deploy", "--quick", "--json", str(tmp_path / "out.json"))
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads((tmp_path / "out.json").read_text())
    counted = [found[f"{name}.requests"] for name in ("new", "update", "redelivered")]
    assert counted == [4, 2, 1]
    assert found["read.requests"] <= 3
    assert found["concurrent"] == 50
    assert found["missed"] == []
    assert "new.requests" in done.stdout
    assert "at most 4" in done.stdout


def test_an_unknown_name_is_refused_with_those_that_there_are() -> None:
    done = bench("bench", "warp", "--quick")
    assert done.returncode == 2
    names = "pipeline, intake, scaling, deploy, generation, browser, memory, recovery"
    assert done.stderr.splitlines()[-1] == f"Error: Invalid value: there is no benchmark 'warp'; there are: {names}"


def test_a_figure_over_its_limit_is_named_with_its_source() -> None:
    figures = [Figure("new.requests", 5, "requests", ""), Figure("read.requests", 3, "requests", "")]
    assert missed("deploy", figures) == [
        'deploy new.requests: 5 requests, must be at most 4 (docs/github.md, requests)',
    ]
    assert missed("generation", [Figure("untouched.quiz-2", None, "", "")]) == [
        'generation untouched.quiz-2: not measured, must be at least 0.8 (docs/measurements.md, generation)',
    ]
