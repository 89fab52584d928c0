"""A private RabbitMQ node: own name, ports, cookie, data and logs under one folder, on 127.0.0.1 only."""

import contextlib
import fcntl
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO
from urllib.parse import quote

from pydantic import BaseModel

from slipway_cli.lifeline import tied
from slipway_cli.ports import free_port
from slipway_cli.process_identity import ProcessIdentity
from slipway_cli.rabbitmq_access import add_vhost_over_http, definitions
from slipway_cli.rabbitmq_program import RabbitmqProgram

Child = subprocess.Popen[bytes]

HOST = "127.0.0.1"
START_S = 60.0
# Its stores and vhosts close in the first second; then the management plugin waits five more for nothing (3.10.8).
STOP_S = 4.0
USER = "slipway"
AMQP_HEADER = b"AMQP\x00\x00\x09\x01"


class NodeError(Exception):
    """The node could not be started or refused; the message names its folder and ends with its last words."""


class NodeRecord(BaseModel):
    """What is kept in the node's folder: the password of its data, and which processes are its own."""

    password: str
    processes: list[tuple[int, str]] = []


@dataclass(frozen=True)
class NodePorts:
    """The four ports of a node."""

    amqp: int = field(default_factory=free_port)
    management: int = field(default_factory=free_port)
    distribution: int = field(default_factory=free_port)
    epmd: int = field(default_factory=free_port)


class RabbitmqNode:
    """One node and its epmd, both children of this process and tied to its life.

    Call `start` and `restart` from a thread that lives as long as the node should (see `lifeline`). The data in
    `folder` outlive `stop` and `kill`; `discard` removes them.
    """

    def __init__(
        self, program: RabbitmqProgram, folder: Path, *, management: bool = False, vhosts: Sequence[str] = ("slipway",)
    ) -> None:
        self.program = program
        self.folder = folder.resolve()
        self.management = management
        self.vhosts = list(vhosts)
        self.user = USER
        self.password = ""
        self.ports = NodePorts()
        self._children: dict[str, Child] = {}
        self._lock: IO[str] | None = None

    @property
    def url(self) -> str:
        """The AMQP address of the first vhost, with user and password."""
        return self.url_of(self.vhosts[0])

    def url_of(self, vhost: str) -> str:
        """The AMQP address of a vhost, with user and password."""
        return f"amqp://{self.user}:{self.password}@{HOST}:{self.ports.amqp}/{quote(vhost, safe='')}"

    @property
    def management_url(self) -> str | None:
        """The address of the management page, without user and password; None when it is off."""
        return f"http://{HOST}:{self.ports.management}" if self.management else None

    @property
    def pid(self) -> int:
        """The pid of the broker process."""
        return self._children["broker"].pid

    def ended(self) -> bool:
        """Whether the broker process is gone although nobody stopped it."""
        return "broker" in self._children and self._children["broker"].poll() is not None

    def start(self, timeout_s: float = START_S) -> None:
        """Starts the node on the data in its folder and returns when it takes connections.

        What an earlier start left running is ended first. Raises NodeError.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        self._take_lock()
        record = self._record()
        self._end_left_over(record)
        self.password = record.password
        until = time.monotonic() + timeout_s
        for attempt in range(3):
            self._write_configuration()
            self._spawn()
            if self._wait_until_ready(until):
                return
            tail = self._last_words()
            self.kill()
            # Between choosing a free port and using it, another process may have taken it.
            if attempt == 2 or "eaddrinuse" not in tail:
                self._release_lock()
                raise NodeError(f"RabbitMQ in {self.folder} did not start: {tail}")
            self.ports = NodePorts()
        raise AssertionError("unreachable")

    def stop(self, grace_s: float = STOP_S) -> None:
        """Stops the node in order, kills it after `grace_s` seconds; the data stay."""
        for name in ("broker", "epmd"):
            self._end(name, grace_s if name == "broker" else 2)
        self._forget_processes()
        self._release_lock()

    def kill(self) -> None:
        """Kills the node as a power cut would; the data stay. `start` or `restart` brings it back."""
        for name in ("broker", "epmd"):
            self._end(name, 0)
        self._forget_processes()

    def restart(self) -> None:
        """Starts the node again on the same data and the same ports; a running one is killed first."""
        self.kill()
        self.start()

    def discard(self) -> None:
        """Kills the node, and what an earlier start left running, and removes the data."""
        self.kill()
        self._end_left_over(self._record())
        self._release_lock()
        shutil.rmtree(self.folder, ignore_errors=True)

    def add_vhost(self, vhost: str) -> None:
        """Adds a vhost that the node's user may use; one that is there already is left alone. Raises NodeError."""
        if self.management_url:
            add_vhost_over_http(self.management_url, self.user, self.password, vhost)
        else:
            if vhost not in self.control("list_vhosts", "--quiet").split():
                self.control("add_vhost", vhost)
            self.control("set_permissions", "-p", vhost, self.user, ".*", ".*", ".*")
        if vhost not in self.vhosts:
            self.vhosts.append(vhost)

    def control(self, *arguments: str) -> str:
        """Runs `rabbitmqctl` against the node and returns what it printed. Raises NodeError."""
        done = subprocess.run(
            [self.program.control, *arguments], env=self._environment(), capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise NodeError(f"rabbitmqctl {arguments[0]}: {(done.stderr or done.stdout).strip()[-300:]}")
        return done.stdout

    def _spawn(self) -> None:
        with (self.folder / "output.log").open("ab") as output:
            epmd = [str(self.program.epmd), "-port", str(self.ports.epmd), "-address", HOST]
            self._children["epmd"] = self._child(epmd, signal.SIGKILL, output)
            # The broker is asked to end when we die, so that what it wrote last is whole.
            self._children["broker"] = self._child([self.program.server], signal.SIGTERM, output)
        seen = [ProcessIdentity.of(child.pid) for child in self._children.values()]
        self._save(NodeRecord(password=self.password, processes=[(p.pid, p.began) for p in seen if p]))

    def _child(self, command: Sequence[str | Path], on_our_death: signal.Signals, output: IO[bytes]) -> Child:
        return subprocess.Popen(
            tied(command, signal_number=on_our_death),
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            # Ctrl-C in a terminal reaches the whole group: the broker ends last, when it is told to.
            process_group=0,
        )

    def _wait_until_ready(self, until: float) -> bool:
        ports = [self.ports.amqp, *([self.ports.management] if self.management else [])]
        while time.monotonic() < until and self._children["broker"].poll() is None:
            if _speaks_amqp(ports[0]) and all(_listens(port) for port in ports[1:]):
                return True
            time.sleep(0.05)
        return False

    def _end(self, name: str, grace_s: float) -> None:
        child = self._children.pop(name, None)
        if child is None:
            return
        if grace_s > 0:
            child.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(grace_s)
        child.kill()
        child.wait()

    def _end_left_over(self, record: NodeRecord) -> None:
        for pid, began in record.processes:
            ProcessIdentity(pid, began).end(grace_s=0)

    def _environment(self) -> dict[str, str]:
        own = {
            "HOME": str(self.folder),  # the Erlang cookie is made there
            "LC_ALL": "C.UTF-8",
            # Its start script then becomes the broker instead of watching over it: one process, whose pid we know.
            "RUNNING_UNDER_SYSTEMD": "true",
            "ERL_EPMD_PORT": str(self.ports.epmd),
            "ERL_EPMD_ADDRESS": HOST,
            "RABBITMQ_NODENAME": "slipway@localhost",
            "RABBITMQ_NODE_PORT": str(self.ports.amqp),
            "RABBITMQ_DIST_PORT": str(self.ports.distribution),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "data"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq.conf"),
            "RABBITMQ_CONFIG_FILES": str(self.folder / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(self.folder / "none.config"),
            "RABBITMQ_CONF_ENV_FILE": str(self.folder / "none.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "enabled_plugins"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        }
        # Nothing else of ours is the broker's business, least of all keys.
        passed = {name: os.environ[name] for name in ("PATH", "TMPDIR", "TZ") if name in os.environ}
        return {**passed, **self.program.environment, **own}

    def _write_configuration(self) -> None:
        imported = self.folder / "definitions.json"
        settings = [
            f"listeners.tcp.1 = {HOST}:{self.ports.amqp}",
            f"load_definitions = {imported}",
            "log.file.level = info",
            # The write-ahead log is held in memory up to this size; the default of 512 MB suits servers.
            "raft.wal_max_size_bytes = 67108864",
        ]
        if self.management:
            settings += [f"management.tcp.ip = {HOST}", f"management.tcp.port = {self.ports.management}"]
        _write_private(self.folder / "rabbitmq.conf", "\n".join(settings) + "\n")
        _write_private(imported, json.dumps(definitions(self.user, self.password, self.vhosts)))
        plugins = "rabbitmq_management" if self.management else ""
        (self.folder / "enabled_plugins").write_text(f"[{plugins}].\n")

    def _record(self) -> NodeRecord:
        path = self.folder / "node.json"
        if path.exists():
            return NodeRecord.model_validate_json(path.read_text())
        return NodeRecord(password=secrets.token_urlsafe(18))

    def _save(self, record: NodeRecord) -> None:
        _write_private(self.folder / "node.json", record.model_dump_json())

    def _forget_processes(self) -> None:
        if self.folder.exists() and self.password:
            self._save(NodeRecord(password=self.password))

    def _last_words(self) -> str:
        texts = [path.read_text(errors="replace") for path in (self.folder / "output.log",) if path.exists()]
        lines = [line.strip() for text in texts for line in text.splitlines() if line.strip()]
        return " / ".join(lines[-12:])[-800:] or "it said nothing"

    def _take_lock(self) -> None:
        if self._lock:
            return
        lock = (self.folder / "lock").open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            raise NodeError(f"another Slipway uses the broker in {self.folder}; stop it first") from None
        self._lock = lock

    def _release_lock(self) -> None:
        if self._lock:
            self._lock.close()
            self._lock = None


def _write_private(path: Path, text: str) -> None:
    """Writes a file that only its owner can read, whole or not at all."""
    new = path.with_suffix(".new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    new.rename(path)


def _speaks_amqp(port: int) -> bool:
    """True once the broker answers the AMQP 0-9-1 header with a method frame (type 1), as it does when it is up."""
    try:
        with socket.create_connection((HOST, port), timeout=1) as connection:
            connection.sendall(AMQP_HEADER)
            return connection.recv(1) == b"\x01"
    except OSError:
        return False


def _listens(port: int) -> bool:
    try:
        with socket.create_connection((HOST, port), timeout=1):
            return True
    except OSError:
        return False
