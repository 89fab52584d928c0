"""Everything that runs together: sandbox if the world needs it, and the four services; started, watched, stopped."""

import asyncio
import errno
import secrets
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from slipway_cli.ports import free_port
from slipway_cli.processes import Child, Program, Supervisor, supervisor
from slipway_cli.worlds import SandboxAddresses, Service, World

ROOT = Path(__file__).resolve().parents[3]
VAR = ROOT / "var"
EXAMPLES = ROOT / "examples"
SERVICES: tuple[Service, ...] = ("intake", "generator", "deployer", "notifier")
LOOPBACK = "127.0.0.1"
NO_CHROMIUM = "no-chromium"
STOP_S = 3.0
"""Seconds that services have to finish; what they hold comes again from the broker."""


class PortTakenError(Exception):
    """Something else listens on a port; the message names it and the variable that moves ours."""


@dataclass(frozen=True)
class Ports:
    """Where the parts listen on this machine. The defaults are the documented ones."""

    intake: int = 7860
    generator: int = 7861
    deployer: int = 7862
    notifier: int = 7863
    sandbox: int = 7864

    @classmethod
    def free(cls) -> "Ports":
        """Five ports that nothing listens on at this moment."""
        return cls(*(free_port() for _ in range(5)))

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "Ports":
        """The ports of INTAKE_PORT and so on, else the documented ones. Raises PortTakenError for what is no port."""
        chosen = {}
        for name in cls.__dataclass_fields__:
            variable, value = f"{name.upper()}_PORT", environment.get(f"{name.upper()}_PORT", "")
            if value and not (value.isdecimal() and 0 < int(value) < 65536):
                raise PortTakenError(f"{variable} is '{value}', which is no port")
            if value:
                chosen[name] = int(value)
        return cls(**chosen)

    def check_free(self, host: str, names: Sequence[str]) -> None:
        """Raises PortTakenError with one line for the first of the named ports that is taken."""
        for name in names:
            port: int = getattr(self, name)
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind((host, port))
                except OSError as error:
                    why = "is taken" if error.errno == errno.EADDRINUSE else f"cannot be used ({error.strerror})"
                    raise PortTakenError(
                        f"port {port} for the {name} {why}: stop what listens there or set {name.upper()}_PORT"
                    ) from None


@dataclass(frozen=True)
class Plan:
    """What to run and where. `folder` keeps logs, the intake's projection and the sandbox's repositories."""

    folder: Path
    world: World
    amqp_url: str = field(repr=False)
    ports: Ports = field(default_factory=Ports.free)
    admin_token: str = field(repr=False, default_factory=lambda: secrets.token_urlsafe(24))
    services: tuple[Service, ...] = SERVICES
    generators: int = 1
    bind_host: str = LOOPBACK
    chromium: Path | None = None
    node: Path | None = None
    """What the browser's driver runs on, if its own node does not start here."""
    cdn: Path | None = None
    settings: Mapping[str, str] = field(repr=False, default_factory=dict)
    """Further variables for all services."""


@dataclass(frozen=True)
class Stack:
    """What is running."""

    plan: Plan
    supervisor: Supervisor
    sandbox: SandboxAddresses | None
    generator_ports: tuple[int, ...]

    @property
    def intake_url(self) -> str:
        return f"http://{LOOPBACK}:{self.plan.ports.intake}"

    def child(self, name: str) -> Child:
        """The running program of that name: intake, generator, generator-2, ..., sandbox."""
        return next(child for child in self.supervisor.children if child.program.name == name)


@asynccontextmanager
async def running_stack(plan: Plan, *, stop_s: float = STOP_S) -> AsyncIterator[Stack]:
    """Sandbox and services on a broker that runs; all ready when the block is entered, all gone when it is left.

    Raises ProcessError.
    """
    async with supervisor(plan.folder / "logs", grace_s=stop_s) as running:
        sandbox = SandboxAddresses.on(plan.ports.sandbox) if plan.world.needs_sandbox else None
        children = [await running.spawn(_sandbox(plan, sandbox))] if sandbox else []
        replicas = (plan.ports.generator, *(free_port() for _ in range(plan.generators - 1)))
        for service in plan.services:
            ports = replicas if service == "generator" else (getattr(plan.ports, service),)
            children += [
                await running.spawn(_service(plan, service, port, number, sandbox))
                for number, port in enumerate(ports, start=1)
            ]
        await asyncio.gather(*(running.wait_ready(child) for child in children))
        yield Stack(plan, running, sandbox, replicas)


def _sandbox(plan: Plan, addresses: SandboxAddresses) -> Program:
    data = plan.folder / "sandbox"
    data.mkdir(parents=True, exist_ok=True)
    return Program(
        name="sandbox",
        module="slipway_sandbox",
        environment={},
        arguments=["--port", str(plan.ports.sandbox), "--data", str(data), "--examples", str(EXAMPLES)],
        ready_url=f"{addresses.origin}/_sandbox/health",
    )


def _service(plan: Plan, service: Service, port: int, number: int, sandbox: SandboxAddresses | None) -> Program:
    name = service if number == 1 else f"{service}-{number}"
    data = plan.folder / name
    data.mkdir(parents=True, exist_ok=True)
    own = {
        "AMQP_URL": plan.amqp_url,
        "ADMIN_TOKEN": plan.admin_token,
        f"{service.upper()}_PORT": str(port),
        # Only the intake is for others; the rest are looked after from this machine.
        "BIND_HOST": plan.bind_host if service == "intake" else LOOPBACK,
        "VAR_DIR": str(data),
        "SHUTDOWN_GRACE_S": str(max(STOP_S - 1, 1)),
    }
    if service == "generator":
        # without a browser none is looked for either: what this machine has was not asked for
        paths = {
            "CHROMIUM_PATH": plan.chromium or NO_CHROMIUM,
            "PLAYWRIGHT_NODEJS_PATH": plan.node,
            "CDN_DIR": plan.cdn,
        }
        own |= {name: str(path) for name, path in paths.items() if path}
    return Program(
        name=name,
        module=f"slipway_{service}",
        environment={**plan.settings, **own, **plan.world.environment(service, sandbox)},
        ready_url=f"http://{LOOPBACK}:{port}/health/ready",
    )
