"""The private RabbitMQ node: it works, it survives a kill, and it leaves nothing behind."""

import asyncio
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import aio_pika
import pytest

from slipway_cli import apt
from slipway_cli.broker import BrokerError, GivenBroker, choose_broker
from slipway_cli.process_identity import ProcessIdentity
from slipway_cli.rabbitmq_node import NodeError, NodeRecord, RabbitmqNode
from slipway_cli.rabbitmq_program import RabbitmqProgram, find_or_install, unpack, unpacked

VAR = Path(__file__).resolve().parents[2] / "var"
OWNER = """
import sys, time
from pathlib import Path
from slipway_cli.rabbitmq_node import RabbitmqNode
from slipway_cli.rabbitmq_program import find_or_install
node = RabbitmqNode(find_or_install(Path(sys.argv[1]), lambda _: None), Path(sys.argv[2]))
node.start()
print("up", flush=True)
time.sleep(600)
"""


@pytest.fixture
def program() -> RabbitmqProgram:
    return find_or_install(VAR, print)


@pytest.fixture
def folder(run_folder: Path, worker_id: str) -> Iterator[Path]:
    # Not under /tmp: it may be small, and a broker without disk space refuses to work.
    folder = run_folder / f"node-{worker_id}"
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


async def test_a_confirmed_message_survives_the_kill_of_a_broker_that_knows_no_key_of_ours(
    program: RabbitmqProgram, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "not-for-the-broker")
    node = RabbitmqNode(program, folder)
    node.start()
    try:
        assert _is_private(folder / "definitions.json")
        assert "not-for-the-broker" not in _environment(node.pid)
        await publish(node.url, b"kept")
        # RabbitMQ 3.10.8 can lose a quorum queue whose broker dies within half a second of its declaration.
        await asyncio.sleep(1.5)
        node.restart()
        assert await consume(node.url) == b"kept"
        processes = _processes(folder)
        assert len(processes) == 2
    finally:
        node.stop()
    assert not any(process.alive() for process in processes)


def test_nothing_is_left_when_its_owner_is_killed_and_the_next_start_works(
    program: RabbitmqProgram, folder: Path
) -> None:
    owner = subprocess.Popen([sys.executable, "-c", OWNER, VAR, folder], stdout=subprocess.PIPE)
    assert owner.stdout and owner.stdout.readline() == b"up\n"
    processes = _processes(folder)
    with pytest.raises(NodeError, match="another Slipway uses the broker"):
        RabbitmqNode(program, folder).start()
    owner.kill()
    owner.wait()
    assert all(process.wait(timeout_s=15) for process in processes), "broker or epmd outlived its owner"

    node = RabbitmqNode(program, folder)
    node.start()
    node.discard()
    assert not folder.exists()


def test_what_a_dead_owner_left_running_is_ended_before_the_next_start(program: RabbitmqProgram, folder: Path) -> None:
    # As where the system cannot tie a child to its parent: the stale process is known by its record only.
    folder.mkdir(parents=True)
    stale = subprocess.Popen(["sleep", "600"])
    innocent = subprocess.Popen(["sleep", "600"])
    try:
        seen = ProcessIdentity.of(stale.pid)
        assert seen
        record = NodeRecord(password="of the data", processes=[(seen.pid, seen.began), (innocent.pid, "before/1")])
        (folder / "node.json").write_text(record.model_dump_json())
        node = RabbitmqNode(program, folder)
        node.start()
        node.discard()
        assert stale.wait(5) == -signal.SIGKILL
        assert innocent.poll() is None, "a process that only has a recorded pid was ended"
    finally:
        innocent.kill()
        innocent.wait()


async def test_the_shared_broker_gives_a_test_an_empty_vhost(fresh_vhost_url: str) -> None:
    await publish(fresh_vhost_url, b"there")
    assert await consume(fresh_vhost_url) == b"there"


@pytest.mark.skipif(not apt.available(), reason="there is no apt")
async def test_an_unpacked_rabbitmq_runs_from_any_folder_and_without_root(folder: Path) -> None:
    """The way for a machine without RabbitMQ and a user without root."""
    try:
        program = unpack(folder / "here")
    except apt.AptError as error:
        pytest.skip(f"the package archive cannot be reached: {error}")
    (folder / "here").rename(folder / "there")
    moved = unpacked(folder / "there")
    assert moved
    assert moved.server != program.server
    node = RabbitmqNode(moved, folder / "node")
    node.start()
    try:
        await publish(node.url, b"unpacked")
        assert await consume(node.url) == b"unpacked"
    finally:
        node.discard()


def test_amqp_url_is_taken_before_any_broker_of_ours(tmp_path: Path) -> None:
    broker = choose_broker(tmp_path, tmp_path, {"AMQP_URL": "amqp://me:p%40ss@127.0.0.1:1/a%2Fb"}, print)
    assert isinstance(broker, GivenBroker)
    assert (broker.url, broker.user, broker.password) == ("amqp://me:p%40ss@127.0.0.1:1/a%2Fb", "me", "p@ss")
    assert broker.url_of("c/d") == "amqp://me:p%40ss@127.0.0.1:1/c%2Fd"
    with pytest.raises(BrokerError, match=r"AMQP_URL names 127\.0\.0\.1:1, where nothing answers"):
        broker.start()
    with pytest.raises(BrokerError, match="AMQP_URL is not of the form") as refused:
        choose_broker(tmp_path, tmp_path, {"AMQP_URL": "localhost:5672/secret"}, print)
    assert "secret" not in str(refused.value)


async def publish(url: str, body: bytes) -> None:
    connection = await aio_pika.connect(url)
    async with connection:
        channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
        queue = await channel.declare_queue("kept", durable=True, arguments={"x-queue-type": "quorum"})
        message = aio_pika.Message(body, delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
        await channel.default_exchange.publish(message, queue.name, mandatory=True)


async def consume(url: str) -> bytes:
    connection = await aio_pika.connect(url)
    async with connection:
        queue = await (await connection.channel()).get_queue("kept")
        message = await queue.get(timeout=10)
        await message.ack()
        return message.body


def _is_private(path: Path) -> bool:
    return path.stat().st_mode & 0o077 == 0


def _environment(pid: int) -> str:
    return subprocess.run(["ps", "eww", str(pid)], capture_output=True, text=True, check=True).stdout


def _processes(folder: Path) -> list[ProcessIdentity]:
    record = NodeRecord.model_validate_json((folder / "node.json").read_text())
    return [ProcessIdentity(pid, began) for pid, began in record.processes]
