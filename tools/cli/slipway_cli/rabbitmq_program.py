"""Where RabbitMQ comes from: installed, installed now with apt, or unpacked under var/ without root."""

import fcntl
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from slipway_cli import apt

Say = Callable[[str], None]

DEBIAN = Path("/usr/lib/rabbitmq/bin")
ERLANG = re.compile(r"erlang-.*")


@dataclass(frozen=True)
class RabbitmqProgram:
    """The programs of one RabbitMQ installation and the environment that they need on top of ours."""

    origin: str
    server: Path
    control: Path
    epmd: Path
    environment: dict[str, str] = field(default_factory=dict)


class NoRabbitmqError(Exception):
    """No way led to a RabbitMQ; the message lists the ways and why each failed."""


def find_or_install(var: Path, say: Say) -> RabbitmqProgram:
    """The first of: installed; installed with apt (as root); unpacked from apt's packages under var/.

    Raises NoRabbitmqError.
    """
    program = installed()
    if program:
        return program
    with _one_at_a_time(var):
        program = installed() or unpacked(var)
        if program:
            return program
        if not apt.available():
            raise NoRabbitmqError("no rabbitmq-server is installed and there is no apt to get one with")
        reasons = []
        if os.geteuid() == 0:
            say("installing rabbitmq-server with apt (once)")
            try:
                return install_with_apt()
            except (apt.AptError, OSError) as error:
                reasons.append(str(error))
        say("unpacking rabbitmq-server under var/ (once, 60 MB)")
        try:
            return unpack(var)
        except (apt.AptError, OSError) as error:
            reasons.append(str(error))
        raise NoRabbitmqError("no rabbitmq-server is installed and apt did not bring one: " + "; ".join(reasons))


def installed() -> RabbitmqProgram | None:
    """RabbitMQ as this machine has it."""
    found = shutil.which("rabbitmq-server", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if not found and not (DEBIAN / "rabbitmq-server").exists():
        return None
    # Distributions put a wrapper into /usr/sbin that insists on root and drops the environment.
    folder = DEBIAN if (DEBIAN / "rabbitmq-server").exists() or not found else Path(found).resolve().parent
    epmd = shutil.which("epmd") or next((str(path) for path in Path("/usr").glob("lib*/erlang/erts-*/bin/epmd")), None)
    if not epmd:
        return None
    return RabbitmqProgram("installed", folder / "rabbitmq-server", folder / "rabbitmqctl", Path(epmd))


def install_with_apt() -> RabbitmqProgram:
    """Installs RabbitMQ with apt as root; no service is left running. Raises AptError."""
    apt.install(["rabbitmq-server"], services=["rabbitmq-server", "epmd.service", "epmd.socket"])
    program = installed()
    if not program:
        raise apt.AptError("apt-get install rabbitmq-server: it installed no rabbitmq-server")
    return program


def unpacked(var: Path) -> RabbitmqProgram | None:
    """RabbitMQ as an earlier run unpacked it under var/."""
    root = var / "programs" / "rabbitmq"
    folder = root / DEBIAN.relative_to("/")
    erlang = root / "usr/lib/erlang"
    if not (folder / "rabbitmq-server").exists():
        return None
    environment = {
        "ERLANG_ROOT": str(erlang),
        "PATH": f"{erlang / 'bin'}:{os.environ.get('PATH', os.defpath)}",
    }
    libraries = [str(path) for path in apt.library_folders(root)]
    if libraries:
        environment["LD_LIBRARY_PATH"] = ":".join([*libraries, *filter(None, [os.environ.get("LD_LIBRARY_PATH")])])
    epmd = next(erlang.glob("erts-*/bin/epmd"))
    return RabbitmqProgram("unpacked", folder / "rabbitmq-server", folder / "rabbitmqctl", epmd, environment)


def unpack(var: Path) -> RabbitmqProgram:
    """Unpacks RabbitMQ and Erlang from apt's packages under var/, without root. Raises AptError."""
    root = var / "programs" / "rabbitmq"
    shutil.rmtree(root, ignore_errors=True)
    apt.unpack("rabbitmq-server", root, family=ERLANG, finish=_free_erlang)
    program = unpacked(var)
    if not program:
        raise apt.AptError("apt-get download rabbitmq-server: its package holds no rabbitmq-server")
    return program


def _free_erlang(root: Path) -> None:
    """Debian's `erl` knows only /usr/lib/erlang; let it ask the environment, so that the folder may lie anywhere."""
    for script in [root / "usr/lib/erlang/bin/erl", *root.glob("usr/lib/erlang/erts-*/bin/erl")]:
        if script.exists():
            script.write_text(re.sub(r"(?m)^(\s*ROOTDIR=).*$", r'\1"$ERLANG_ROOT"', script.read_text()))


@contextmanager
def _one_at_a_time(var: Path) -> Iterator[None]:
    var.mkdir(parents=True, exist_ok=True)
    with (var / "programs.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
