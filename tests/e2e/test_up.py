"""`./run up` as a person uses it: what it prints works, it ends when it is told to, and nothing outlives it."""

import os
import signal
import socket
import subprocess
from pathlib import Path

import httpx
import pytest
from up_process import PORTS, ROOT, SANDBOX, Up, running, within

from slipway_cli.ports import free_port
from slipway_cli.process_identity import ProcessIdentity


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="children die with their parent on Linux")
def test_nothing_outlives_it_when_it_is_killed_and_a_dead_service_is_started_again(run_folder: Path) -> None:
    with running(run_folder / "killed") as up:
        up.printed(r"^(Slipway is up)")
        deployer = _pid_of(up, "slipway_deployer")
        deployer.send(signal.SIGKILL)
        up.printed(r"(deployer ended with exit code -9)")
        health = f"http://127.0.0.1:{up.environment['DEPLOYER_PORT']}/health"
        assert within(30, lambda: _ok(health)), "the deployer did not come back"

        processes = up.all_processes()
        up.process.kill()
        up.process.wait()
        assert [process for process in processes if not process.wait(15)] == []


def test_a_taken_port_is_named_with_its_variable(run_folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = _refusal(run_folder, NOTIFIER_PORT=str(port))
    assert said == f"slipway: port {port} for the notifier is taken: stop what listens there or set NOTIFIER_PORT\n"


def test_real_keys_that_do_not_make_a_world_are_refused_in_one_line(run_folder: Path) -> None:
    said = _refusal(run_folder, GITHUB_TOKEN="ghp_of_nobody", SLIPWAY_WORLD="")
    assert said.startswith("slipway: GITHUB_TOKEN is given but GEMINI_API_KEY is not")
    assert said.count("\n") == 1
    assert "ghp_of_nobody" not in said


def _refusal(run_folder: Path, **variables: str) -> str:
    ports = {name: str(free_port()) for name in PORTS}
    environment = {**os.environ, **SANDBOX, "VAR_DIR": str(run_folder / "refused"), **ports, **variables}
    command = [str(ROOT / "run"), "up"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    said: str = done.stderr
    return said


def _pid_of(up: Up, module: str) -> ProcessIdentity:
    processes = up.all_processes()
    return next(p for p in processes if module.encode() in Path(f"/proc/{p.pid}/cmdline").read_bytes())


def _ok(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False).is_success
    except httpx.TransportError:
        return False
