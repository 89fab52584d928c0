"""What every test may use: one real broker for the whole run, shared by its workers, and vhosts on it."""

import fcntl
import os
import shutil
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest
from shared_broker import Host, SharedBroker

from slipway_cli.cdn import ensure_mirror
from slipway_cli.chromium import find_or_install
from slipway_cli.examples import replies
from slipway_cli.node import node_for_driver
from slipway_cli.stack import EXAMPLES, VAR

ROOT = Path(__file__).resolve().parent.parent
RUN = "SLIPWAY_TEST_RUN"
CONTROLLER = "SLIPWAY_TEST_CONTROLLER"


def pytest_configure() -> None:
    # Only the process that was started by hand; xdist's workers inherit what it sets.
    if CONTROLLER not in os.environ:
        os.environ[CONTROLLER] = str(os.getpid())
        os.environ[RUN] = str(ROOT / "var" / "tests" / uuid.uuid4().hex[:12])
        _bring_browser()


def _bring_browser() -> None:
    """Chromium and the mirror of CDN libraries, for all workers. Without a browser, tests that need one are skipped."""
    browser = find_or_install(VAR, os.environ, print)
    if browser.path:
        os.environ["CHROMIUM_PATH"] = str(browser.path)
        node = node_for_driver(VAR)
        if node:
            os.environ["PLAYWRIGHT_NODEJS_PATH"] = str(node)
    elif os.environ.get("CI"):
        pytest.exit(f"no browser: {browser.reason}", 3)
    mirror = ensure_mirror(VAR, replies(EXAMPLES), print)
    if mirror:
        os.environ["CDN_DIR"] = str(mirror)


def pytest_unconfigure() -> None:
    if os.environ.get(CONTROLLER) != str(os.getpid()):
        return
    folder = Path(os.environ[RUN])
    host = folder / "host.json"
    if host.exists():
        Host.model_validate_json(host.read_text()).identity.end(grace_s=15)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def run_folder() -> Path:
    """A folder that all workers of this run share; removed at its end."""
    folder = Path(os.environ[RUN])
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def broker(run_folder: Path) -> SharedBroker:
    """A RabbitMQ with the management plugin, started by whoever asks first, for all workers."""
    ready, host = run_folder / "broker.json", run_folder / "host.json"
    with (run_folder / "broker.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not host.exists():
            with (run_folder / "host.log").open("w") as log:
                subprocess.run(
                    [sys.executable, ROOT / "tests" / "shared_broker.py", run_folder, os.environ[CONTROLLER]],
                    stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, check=True,
                )  # fmt: skip
            identity = Host.model_validate_json(host.read_text()).identity
            until = time.monotonic() + 180
            while not ready.exists():
                if not identity.alive() or time.monotonic() > until:
                    pytest.exit(f"no broker for the tests: {(run_folder / 'host.log').read_text()[-2000:]}", 3)
                time.sleep(0.05)
        if not ready.exists():
            pytest.exit("no broker for the tests: another worker could not start it", 3)
    return SharedBroker.model_validate_json(ready.read_text())


@pytest.fixture(scope="session")
def vhost_url(broker: SharedBroker, worker_id: str) -> str:
    """The AMQP address of a vhost that this worker has for itself, for all its tests."""
    return broker.add_vhost(f"worker-{worker_id}")


@pytest.fixture
def fresh_vhost_url(broker: SharedBroker) -> str:
    """The AMQP address of an empty vhost, for this test alone."""
    return broker.add_vhost(f"test-{uuid.uuid4().hex[:12]}")
