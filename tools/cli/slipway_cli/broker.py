"""Which broker is used: AMQP_URL, else a private RabbitMQ node, else Docker, else one message saying what to do."""

import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Protocol
from urllib.parse import quote, unquote, urlsplit

import httpx

from slipway_cli.ports import free_port
from slipway_cli.rabbitmq_access import add_vhost_over_http
from slipway_cli.rabbitmq_node import HOST, START_S, STOP_S, USER, RabbitmqNode
from slipway_cli.rabbitmq_program import NoRabbitmqError, Say, find_or_install

IMAGE = "rabbitmq:4.1-management"
DEFAULT_MANAGEMENT_PORT = 15672


class BrokerError(Exception):
    """There is no broker, or it does not answer; the message says what to do."""


class Broker(Protocol):
    """What all brokers promise, wherever they come from."""

    user: str
    password: str

    @property
    def url(self) -> str:
        """The AMQP address of the first vhost, with user and password."""

    def url_of(self, vhost: str) -> str:
        """The AMQP address of a vhost, with user and password."""

    @property
    def management_url(self) -> str | None:
        """The address of the management page, if there is one."""

    def start(self) -> None:
        """Returns when the broker takes connections."""

    def stop(self, grace_s: float = STOP_S) -> None:
        """Ends what `start` began, in order."""

    def discard(self) -> None:
        """Ends what `start` began, at once, and removes its data."""

    def add_vhost(self, vhost: str) -> None:
        """Adds a vhost; one that is there already is left alone."""


def choose_broker(
    folder: Path,
    programs: Path,
    environment: Mapping[str, str],
    say: Say,
    *,
    management: bool = False,
    vhosts: Sequence[str] = ("slipway",),
) -> Broker:
    """The broker for a command, not yet started.

    If it is ours, its data lie in `folder`; a RabbitMQ that has to be unpacked first goes to `programs`.
    Raises BrokerError when no way leads to one.
    """
    if environment.get("AMQP_URL"):
        return GivenBroker(environment["AMQP_URL"])
    try:
        return RabbitmqNode(find_or_install(programs, say), folder, management=management, vhosts=vhosts)
    except NoRabbitmqError as error:
        if docker_answers():
            say(f"starting {IMAGE} with Docker")
            return DockerBroker(folder, vhosts=vhosts)
        raise BrokerError(
            f"no broker: {error}. Install rabbitmq-server (3.10 or newer), start Docker, "
            "or set AMQP_URL=amqp://user:password@host:5672/vhost"
        ) from None


class GivenBroker:
    """The broker that AMQP_URL names: used as it is, never started or stopped."""

    def __init__(self, url: str) -> None:
        self._parts = urlsplit(url)
        if self._parts.scheme not in ("amqp", "amqps") or not self._parts.hostname:
            raise BrokerError("AMQP_URL is not of the form amqp://user:password@host:5672/vhost")
        self.url = url
        self.user = unquote(self._parts.username or "guest")
        self.password = unquote(self._parts.password or "guest")

    def url_of(self, vhost: str) -> str:
        return self._parts._replace(path=f"/{quote(vhost, safe='')}").geturl()

    @property
    def management_url(self) -> str | None:
        url = f"http://{self._parts.hostname}:{DEFAULT_MANAGEMENT_PORT}"
        try:
            httpx.get(f"{url}/api/overview", auth=(self.user, self.password), timeout=2).raise_for_status()
        except httpx.HTTPError:
            return None
        return url

    def start(self) -> None:
        host, port = str(self._parts.hostname), self._parts.port or (5671 if self._parts.scheme == "amqps" else 5672)
        try:
            socket.create_connection((host, port), timeout=5).close()
        except OSError as error:
            raise BrokerError(f"AMQP_URL names {host}:{port}, where nothing answers ({error})") from None

    def stop(self, grace_s: float = STOP_S) -> None:
        pass

    def discard(self) -> None:
        pass

    def add_vhost(self, vhost: str) -> None:
        if self.management_url is None:
            raise BrokerError(f"the broker of AMQP_URL has no management page that could add the vhost {vhost}")
        add_vhost_over_http(self.management_url, self.user, self.password, vhost)


class DockerBroker:
    """RabbitMQ as a container; it has no data of ours left once it is stopped."""

    def __init__(self, folder: Path, *, vhosts: Sequence[str]) -> None:
        self.user = USER
        self.password = secrets.token_urlsafe(18)
        self._folder = folder
        self._vhosts = list(vhosts)
        self._ports = (free_port(), free_port())
        # By the same name the next start finds what a killed one left.
        self._name = f"slipway-{sha256(str(folder.resolve()).encode()).hexdigest()[:12]}"

    @property
    def url(self) -> str:
        return self.url_of(self._vhosts[0])

    def url_of(self, vhost: str) -> str:
        return f"amqp://{self.user}:{self.password}@{HOST}:{self._ports[0]}/{quote(vhost, safe='')}"

    @property
    def management_url(self) -> str | None:
        return f"http://{HOST}:{self._ports[1]}"

    def start(self) -> None:
        self.discard()
        self._folder.mkdir(parents=True, exist_ok=True)
        settings = self._folder / "container.env"
        settings.touch(mode=0o600)
        settings.write_text(f"RABBITMQ_DEFAULT_USER={self.user}\nRABBITMQ_DEFAULT_PASS={self.password}\n")
        ports = [f"--publish={HOST}:{self._ports[0]}:5672", f"--publish={HOST}:{self._ports[1]}:15672"]
        started = subprocess.run(
            ["docker", "run", "--detach", "--rm", "--name", self._name, "--env-file", settings, *ports, IMAGE],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if started.returncode != 0:
            raise BrokerError(f"docker run {IMAGE}: {started.stderr.strip()[-300:]}")
        until = time.monotonic() + START_S
        while True:
            try:
                for vhost in self._vhosts:
                    self.add_vhost(vhost)
                return
            except httpx.HTTPError as error:
                if time.monotonic() > until:
                    self.discard()
                    raise BrokerError(f"{IMAGE} did not answer within {START_S:.0f} s ({error})") from None
                time.sleep(0.2)

    def stop(self, grace_s: float = STOP_S) -> None:
        subprocess.run(["docker", "stop", "--time", str(int(grace_s)), self._name], check=False, capture_output=True)

    def discard(self) -> None:
        subprocess.run(["docker", "rm", "--force", self._name], check=False, capture_output=True)
        shutil.rmtree(self._folder, ignore_errors=True)

    def add_vhost(self, vhost: str) -> None:
        add_vhost_over_http(str(self.management_url), self.user, self.password, vhost)


def docker_answers() -> bool:
    """Whether there is a Docker that this user may use."""
    if not shutil.which("docker"):
        return False
    return subprocess.run(["docker", "info"], check=False, capture_output=True, timeout=20).returncode == 0
