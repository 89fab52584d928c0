"""How the operator's program finds the running system: the environment, then var/up.json, then .env."""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from aio_pika.exceptions import ChannelNotFoundEntity, ProbableAuthenticationError
from dotenv import dotenv_values
from pydantic import ValidationError

from slipway_cli.job import Intake, RefusedError
from slipway_cli.operator.errors import OperatorError
from slipway_cli.running import Running
from slipway_common.bus import BROKER_ERRORS, Bus
from slipway_common.events import describe_errors
from slipway_common.settings import CommonSettings
from slipway_common.topology import Topology, topology

ROOT = Path(__file__).resolve().parents[4]
DEFAULT_URL = "http://127.0.0.1:7860"


@dataclass(frozen=True)
class Reach:
    """Where the parts of the running system answer, and with what they are opened. Empty: not known."""

    url: str
    amqp_url: str
    management_url: str
    admin_token: str
    student_secret: str
    sandbox_url: str
    topology: Topology

    @asynccontextmanager
    async def intake(self) -> AsyncIterator[Intake]:
        """The intake. Raises OperatorError when none answers there, or it refuses."""
        try:
            async with Intake(self.url, self.admin_token) as intake:
                yield intake
        except httpx.TransportError as error:
            raise OperatorError(
                f"no intake answers at {self.url} ({type(error).__name__}); `./run up` starts one; or set SLIPWAY_URL"
            ) from None
        except RefusedError as error:
            raise OperatorError(f"the intake at {self.url} refuses {error}") from None
        except ValidationError as error:
            raise OperatorError(f"what answers at {self.url} is no intake: {describe_errors(error)}") from None

    @asynccontextmanager
    async def bus(self) -> AsyncIterator[Bus]:
        """The broker. Raises OperatorError when there is none, it refuses us, or a queue is missing."""
        if not self.amqp_url:
            raise OperatorError("AMQP_URL is not set and no `./run up` is running here; set it or start one")
        parts = urlsplit(self.amqp_url)
        place = f"{parts.hostname}:{parts.port or (5671 if parts.scheme == 'amqps' else 5672)}"
        try:
            async with Bus(self.amqp_url, name="operator", topology=self.topology) as bus:
                yield bus
        except ChannelNotFoundEntity as error:
            raise OperatorError(f"the broker at {place} lacks a queue ({error}); `slipway topology apply`") from None
        except ProbableAuthenticationError:
            raise OperatorError(f"the broker at {place} refuses the user or the password in AMQP_URL") from None
        except BROKER_ERRORS as error:
            raise OperatorError(f"no use of the broker at {place}: {type(error).__name__}; is it running?") from None


def find_running_system() -> Reach:
    """The system that this machine's environment, var/up.json or .env tell of."""
    var = Path(os.environ.get("VAR_DIR") or ROOT / "var")
    return reach_from(os.environ, Running.read(var / "up.json"), _env_file(ROOT / ".env"))


def reach_from(environment: Mapping[str, str], running: Running | None, env_file: Mapping[str, str]) -> Reach:
    """Each value from the first that has it. Raises OperatorError for a malformed history setting.

    Where the environment names another system than the running one, that one's passwords are not sent there.
    """
    if running and not _same(environment, running):
        running = None

    def value(name: str, told: str | None = None, default: str = "") -> str:
        return environment.get(name) or told or env_file.get(name) or default

    bytes_, age = value("HISTORY_MAX_BYTES"), value("HISTORY_MAX_AGE")
    if bytes_ and not bytes_.isdecimal():
        raise OperatorError(f"HISTORY_MAX_BYTES: {bytes_!r} is not a number of bytes")
    defaults = CommonSettings.model_fields
    return Reach(
        url=value("SLIPWAY_URL", running.url if running else None, DEFAULT_URL).rstrip("/"),
        amqp_url=value("AMQP_URL", running.amqp_url if running else None),
        management_url=value("MANAGEMENT_URL", running.management_url if running else None).rstrip("/"),
        admin_token=value("ADMIN_TOKEN", running.admin_token if running else None),
        student_secret=value("STUDENT_SECRET", running.student_secret if running else None),
        sandbox_url=value("SANDBOX_URL", running.sandbox_url if running else None).rstrip("/"),
        topology=topology(
            int(bytes_) if bytes_ else defaults["history_max_bytes"].default,
            age or defaults["history_max_age"].default,
        ),
    )


def _same(environment: Mapping[str, str], running: Running) -> bool:
    told = {"SLIPWAY_URL": running.url, "AMQP_URL": running.amqp_url}
    return all(environment.get(name) in (None, "", address) for name, address in told.items())


def _env_file(path: Path) -> dict[str, str]:
    return {name: value for name, value in dotenv_values(path).items() if value}
