"""Child processes: waited for, stopped in order, and never left behind."""

import subprocess
import sys
from pathlib import Path

import pytest

from slipway_cli.ports import free_port
from slipway_cli.process_identity import ProcessIdentity
from slipway_cli.processes import ProcessError, Program, Supervisor, supervisor

STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("deaf", flush=True)
time.sleep(60)
"""
PARENT = """
import signal, subprocess, sys, time
from slipway_cli.lifeline import tied
child = subprocess.Popen(tied(["sleep", "600"], signal_number=signal.SIGKILL))
print(child.pid, flush=True)
time.sleep(600)
"""


def server(port: int, name: str = "server") -> Program:
    return Program(name, "http.server", {}, [str(port), "--bind", "127.0.0.1"], f"http://127.0.0.1:{port}/")


async def test_a_program_is_ready_when_it_answers_and_gone_when_the_block_is_left(tmp_path: Path) -> None:
    async with supervisor(tmp_path, grace_s=5) as running:
        child = await running.start(server(free_port()))
        identity = ProcessIdentity.of(child.pid)
        assert identity
    assert not identity.alive()


async def test_a_program_that_ends_early_says_why(tmp_path: Path) -> None:
    async with supervisor(tmp_path, grace_s=5) as running:
        program = Program("missing", "no_such_module", {}, ready_url="http://127.0.0.1:1/")
        with pytest.raises(ProcessError, match=r"missing is not ready: .* 1\n.*No module named no_such_module"):
            await running.start(program)


async def test_a_program_that_is_never_ready_is_given_up(tmp_path: Path) -> None:
    port = free_port()
    program = Program("mute", "http.server", {}, [str(port), "--bind", "127.0.0.1"], f"http://127.0.0.1:{port}/none")
    async with supervisor(tmp_path, grace_s=5) as running:
        with pytest.raises(ProcessError, match="mute is not ready: it answers 404"):
            await running.start(program, ready_s=1)


async def test_a_program_that_ignores_sigterm_is_killed_after_the_grace(tmp_path: Path) -> None:
    (tmp_path / "stubborn.py").write_text(STUBBORN)
    running = Supervisor(tmp_path)
    child = await running.spawn(Program("stubborn", "stubborn", {"PYTHONPATH": str(tmp_path)}))
    while b"deaf" not in child.log.read_bytes():
        assert child.exit_code is None
    assert await running.stop(grace_s=0.2) == {"stubborn": -9}


async def test_no_variable_of_ours_reaches_a_program_unless_it_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "not-for-it")
    async with supervisor(tmp_path, grace_s=5) as running:
        (tmp_path / "tell.py").write_text("import os; print(sorted(os.environ))")
        told = await running.spawn(Program("tell", "tell", {"PYTHONPATH": str(tmp_path), "GIVEN": "1"}))
        await told.wait()
    assert "GIVEN" in told.log.read_text()
    assert "GITHUB_TOKEN" not in told.log.read_text()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process of its parent's death")
def test_a_tied_program_dies_with_its_killed_parent() -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    child = ProcessIdentity.of(int(parent.stdout.readline()))
    assert child
    parent.kill()
    parent.wait()
    assert child.wait(timeout_s=5)
