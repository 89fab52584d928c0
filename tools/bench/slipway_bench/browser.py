"""Measures the inspector: a warm inspection beside a bare page load, and the browser's memory over many apps."""

import argparse
import base64
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from playwright.sync_api import Browser, Route, sync_playwright

ROOT = Path(__file__).resolve().parents[3]
WARM_LIMIT_MS = 400.0
GROWTH_LIMIT = 0.2
_FENCE = re.compile(r"```html\nindex\.html\n(.*?)\n```", re.DOTALL)
_ADDRESS = "https://someone.github.io/trial/"


@dataclass(frozen=True)
class Figures:
    """Times are medians in milliseconds; memory is the proportional set size of browser and driver in MiB."""

    example: str
    warm_ms: float
    bare_load_ms: float
    ratio: float
    apps: int
    memory_after_20_mib: float
    memory_at_end_mib: float
    growth: float


def main() -> None:
    """Prints the figures as JSON; exits 1 when one is over its limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="60 apps instead of 200")
    found = measure(quick=parser.parse_args().quick)
    print(json.dumps(asdict(found), indent=2))
    sys.exit(0 if found.warm_ms < WARM_LIMIT_MS and found.growth < GROWTH_LIMIT else 1)


def measure(*, quick: bool = False, example: str = "sum-of-sales") -> Figures:
    """Inspect round 1 of `example` again and again in one warm browser; every app has other bytes than the last."""
    apps = 60 if quick else 200
    with tempfile.TemporaryDirectory() as work, _trial() as trial:
        folder = Path(work)
        page, checks = _unpack(example, folder)
        bare = _bare_load_ms(page, rounds=10)
        times: list[float] = []
        after_20 = 0.0
        for number in range(1, apps + 1):
            (folder / "index.html").write_text(f"{page}<!-- {number} -->")
            told = _ask(trial, folder, checks)
            outcomes = [check["outcome"] for check in told["checks"]]
            if not told["available"] or "false" in outcomes:
                raise RuntimeError(f"app {number} was not inspected as it should be: {told['reason']} {outcomes}")
            times.append(told["seconds"] * 1000)
            if number == 20:
                after_20 = _memory_mib(trial.pid)
        warm, at_end = median(times[5:]), _memory_mib(trial.pid)
    return Figures(
        example, round(warm, 1), round(bare, 1), round(warm / bare, 2),
        apps, round(after_20, 1), round(at_end, 1), round(at_end / after_20 - 1, 3),
    )  # fmt: skip


def _unpack(example: str, folder: Path) -> tuple[str, list[Any]]:
    """The example's page and checks; its attachments are written into `folder`."""
    source = ROOT / "examples" / example / "round-1"
    request = json.loads((source / "request.json").read_text())
    for attachment in request["attachments"]:
        (folder / attachment["name"]).write_bytes(base64.b64decode(attachment["url"].partition(",")[2]))
    found = _FENCE.search((source / "reply-1.md").read_text())
    if found is None:
        raise RuntimeError(f"{source}/reply-1.md has no index.html")
    return found[1], request["checks"]


@contextmanager
def _trial() -> Iterator["subprocess.Popen[str]"]:
    """The generator's inspector as a process that answers line by line."""
    mirror = ROOT / "var" / "cdn"
    environment = {**os.environ, **({"CDN_DIR": str(mirror)} if mirror.is_dir() else {})}
    command = [sys.executable, "-m", "slipway_generator.trial"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        try:
            yield process
        finally:
            assert process.stdin is not None
            process.stdin.close()


def _ask(trial: "subprocess.Popen[str]", folder: Path, checks: list[Any]) -> dict[str, Any]:
    assert trial.stdin is not None
    assert trial.stdout is not None
    trial.stdin.write(json.dumps({"folder": str(folder), "checks": checks}) + "\n")
    trial.stdin.flush()
    told: dict[str, Any] = json.loads(trial.stdout.readline())
    return told


def _bare_load_ms(page: str, *, rounds: int) -> float:
    """The same page in a fresh context of a warm browser, and nothing else: no checks, no pictures, no libraries."""
    with sync_playwright() as playwright:
        path = os.environ.get("CHROMIUM_PATH") or "/usr/bin/chromium-headless-shell"
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        times = [_load_once(browser, page) for _ in range(rounds)]
        browser.close()
    return median(times[2:])


def _load_once(browser: Browser, page: str) -> float:
    def serve(route: Route) -> None:
        if route.request.url == _ADDRESS:
            route.fulfill(body=page, content_type="text/html")
        else:
            route.fulfill(body="", content_type="text/plain")

    start = time.perf_counter()
    context = browser.new_context()
    context.route("**/*", serve)
    context.new_page().goto(_ADDRESS)
    context.close()
    return (time.perf_counter() - start) * 1000


def _memory_mib(root: int) -> float:
    """Memory of all processes below `root`, pages that they share counted once."""
    parents = dict(_parents())
    below = [root]
    for parent in below:
        below += [pid for pid, its in parents.items() if its == parent]
    return sum(_pss_kib(pid) for pid in below[1:]) / 1024


def _parents() -> Iterator[tuple[int, int]]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                yield int(entry.name), int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue


def _pss_kib(pid: int) -> int:
    try:
        found = re.search(r"^Pss:\s+(\d+) kB", (Path("/proc") / str(pid) / "smaps_rollup").read_text(), re.MULTILINE)
    except OSError:
        return 0
    return int(found[1]) if found else 0


if __name__ == "__main__":
    main()
