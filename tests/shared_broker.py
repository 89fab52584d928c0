"""Keeps one broker for a whole test run: `python shared_broker.py FOLDER PID` lives as long as process PID at most.

The workers of a test run end at different times and any of them may be killed: none of them can own the broker.
"""

import os
import shutil
import signal
import sys
from pathlib import Path
from threading import Event

from pydantic import BaseModel

from slipway_cli.broker import choose_broker
from slipway_cli.process_identity import ProcessIdentity
from slipway_cli.rabbitmq_access import add_vhost_over_http

VAR = Path(__file__).resolve().parent.parent / "var"


class SharedBroker(BaseModel):
    """The broker of this test run, as this program writes it down."""

    user: str
    password: str
    management_url: str
    amqp: str
    """amqp://user:password@host:port, without a vhost"""

    def url_of(self, vhost: str) -> str:
        return f"{self.amqp}/{vhost}"

    def add_vhost(self, vhost: str) -> str:
        """Adds a vhost and returns its AMQP address."""
        add_vhost_over_http(self.management_url, self.user, self.password, vhost)
        return self.url_of(vhost)


def main(folder: Path, watched: int) -> None:
    """Starts the broker, writes broker.json, and removes the broker on SIGTERM or when the watched process is gone."""
    ended = Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    owner = ProcessIdentity.of(watched)
    broker = choose_broker(folder / "broker", VAR, os.environ, print, management=True)
    broker.start()
    try:
        told = SharedBroker(
            user=broker.user,
            password=broker.password,
            management_url=str(broker.management_url),
            amqp=broker.url_of("").rstrip("/"),
        )
        (folder / "broker.new").write_text(told.model_dump_json())
        (folder / "broker.new").rename(folder / "broker.json")
        while not ended.wait(0.2) and owner and owner.alive():
            pass
    finally:
        broker.discard()
        if not (owner and owner.alive()):
            shutil.rmtree(folder, ignore_errors=True)  # nobody else is left to do it


class Host(BaseModel):
    """The process that keeps the broker."""

    pid: int
    began: str

    @property
    def identity(self) -> ProcessIdentity:
        return ProcessIdentity(self.pid, self.began)


if __name__ == "__main__":
    run = Path(sys.argv[1])
    # A child of nobody who is tested: tests that count the processes below them must not find it there.
    child = os.fork()
    if child == 0:
        main(run, int(sys.argv[2]))
    else:
        identity = ProcessIdentity.of(child)
        (run / "host.json").write_text(Host(pid=child, began=identity.began if identity else "").model_dump_json())
