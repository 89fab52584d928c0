"""Every command of the README runs: here, in another test that is named, or not at all, and then it is said why."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from up_process import ROOT, Up, running

from slipway_sandbox.client import Sandbox

RUN_HERE = {
    "./run slipway submit examples/captcha-solver/round-1/request.json --watch": "notified",
    "./run slipway status": "notified",
    "./run slipway topology check": "as they should be",
    "./run slipway dead-letters list": "no dead letters",
    "./run slipway doctor": "ok",
}
RUN_ELSEWHERE = {
    "./run demo": "tests/e2e/test_demo.py",
    "./run up": "tests/e2e/test_up.py",
    "./run up --scale generator=3": "tests/e2e/test_scaling.py",
    "./run test": ".ci/run",
}
NOT_RUN = {  # there is no container engine; see docs/decisions/0020-images-without-an-engine.md
    "docker compose up --build --scale generator=3",
    "docker compose --env-file tools/sandbox/compose.env up --build",
    "docker build -t slipway . && docker run -p 7860:7860 --env-file .env slipway",
}


def commands() -> list[str]:
    """The contents of the README's bash blocks."""
    blocks = re.findall(r"```bash\n(.*?)\n```", (ROOT / "README.md").read_text(), re.DOTALL)
    return [block.strip() for block in blocks]


def test_every_command_is_run_somewhere_or_named_as_not_run() -> None:
    known = {*RUN_HERE, *RUN_ELSEWHERE, *NOT_RUN}
    assert {command for command in commands() if not command.startswith("curl")} == known
    assert all((ROOT / place).exists() for place in RUN_ELSEWHERE.values())


@pytest.mark.skipif(not shutil.which("curl"), reason="the README sends a task with curl, and there is no curl")
def test_the_commands_do_what_the_readme_says(run_folder: Path) -> None:
    with running(run_folder / "readme") as up:
        up.printed(r"^(Slipway is up)")
        [curl] = [command for command in commands() if command.startswith("curl")]
        assert '"status":"accepted"' in _run(up, curl)
        for command, expected in RUN_HERE.items():
            assert expected in _run(up, command), command
        with Sandbox(f"http://127.0.0.1:{up.environment['SANDBOX_PORT']}") as sandbox:
            assert [note.status for note in sandbox.notifications()] == [200, 200]


def _run(up: Up, command: str) -> str:
    """What the command prints, with the documented ports replaced by those of this test."""
    for documented, name in (("7860", "INTAKE_PORT"), ("7864", "SANDBOX_PORT")):
        command = command.replace(f":{documented}/", f":{up.environment[name]}/")
    environment = {**os.environ, **up.environment}
    done = subprocess.run(
        ["bash", "-c", command], cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
