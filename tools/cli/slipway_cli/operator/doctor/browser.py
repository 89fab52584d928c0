"""The browser: found, its version, and whether its driver starts it."""

import asyncio
import os
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from slipway_cli import chromium
from slipway_cli.node import node_at_hand
from slipway_cli.operator.doctor.finding import Finding, not_seen, ok, problem

_START_S = 60.0
_INSTALL = "install chromium-headless-shell or chromium, or set CHROMIUM_PATH; without one no check is run"


async def examine_browser(var: Path, environment: Mapping[str, str]) -> list[Finding]:
    """Installs nothing."""
    browser = await asyncio.to_thread(chromium.find, var, environment)
    if browser.path is None:
        return [problem("browser", browser.reason, _INSTALL)]
    found = ok("browser", f"{browser.version} at {browser.path}")
    if find_spec("playwright") is None:
        return [found, not_seen("browser", "there is no driver (playwright) beside this program to start it with")]
    failure = await _start(browser.path, dict(os.environ))
    node = node_at_hand(var)
    if failure and node and "PLAYWRIGHT_NODEJS_PATH" not in os.environ:
        failure = await _start(browser.path, {**os.environ, "PLAYWRIGHT_NODEJS_PATH": str(node)})
    if failure:
        return [found, problem("browser", f"its driver does not start it: {failure}", _INSTALL)]
    return [found, ok("browser", "its driver starts it, a page runs scripts")]


async def _start(path: Path, environment: Mapping[str, str]) -> str:
    """Why it does not start; empty when it does. In a process of its own, so that nothing of it is left here."""
    program = Path(__file__).with_name("start_browser.py")
    process = await asyncio.create_subprocess_exec(
        sys.executable, program, path, env=environment,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        _, errors = await asyncio.wait_for(process.communicate(), _START_S)
    except TimeoutError:
        process.kill()
        await process.wait()
        return f"nothing within {_START_S:g} s"
    lines = [line for line in errors.decode(errors="replace").splitlines() if line.strip()]
    return "" if process.returncode == 0 else (lines[-1] if lines else f"exit code {process.returncode}")[:300]
