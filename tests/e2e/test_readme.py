"""Every command of the README runs: here, in another test that is named, or not at all, and then it is said why."""

import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import httpx
import pytest
from up_process import ROOT, Up, running, within

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
    "./run up": "tests/e2e/test_readme.py",
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


@pytest.mark.skipif(not shutil.which("curl"), reason="tasks are sent with curl, and there is no curl")
def test_what_up_prints_and_the_readme_says_works_and_sigterm_ends_everything(run_folder: Path) -> None:
    with running(run_folder / "up", "--scale", "generator=2") as up:
        printed = up.printed(r"^(curl .*)$")
        assert "model: sandbox" in up.screen.read_text()
        assert '"status":"accepted"' in _run(up, printed)
        [documented] = [command for command in commands() if command.startswith("curl")]
        assert '"status":"accepted"' in _run(up, documented)
        for command, expected in RUN_HERE.items():
            assert expected in _run(up, command), command
        with Sandbox(f"http://127.0.0.1:{up.environment['SANDBOX_PORT']}") as sandbox:
            assert within(30, lambda: [note.status for note in sandbox.notifications()] == [200, 200, 200])
        assert len(re.findall(r"http://\S+", up.printed(r"generator +(.*)$"))) == 2
        _check_sign_in(up.printed(r"(http://\S+/\?token=\S+)"))
        user, password = up.printed(r"user (\w+),"), up.printed(r"password (\S+)$")
        management = up.printed(r"broker +(http://\S+)")
        assert httpx.get(f"{management}/api/overview", auth=(user, password), trust_env=False).is_success

        processes = up.all_processes()
        assert len(processes) >= 9, "up, broker, epmd, sandbox, intake, two generators, deployer, notifier"
        up.process.send_signal(signal.SIGTERM)
        assert up.process.wait(10) == 0
        assert [process for process in processes if not process.wait(1)] == []
        assert not (run_folder / "up" / "up.json").exists()


def _check_sign_in(link: str) -> None:
    with httpx.Client(trust_env=False) as browser:
        assert browser.get(link).status_code == httpx.codes.SEE_OTHER
        assert browser.get(link.partition("?")[0] + "jobs").status_code == httpx.codes.OK


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
