"""`python -m slipway_sandbox`: listens until SIGTERM or SIGINT."""

import argparse
import asyncio
import json
import logging
import signal
import sys
from pathlib import Path

from aiohttp import web

from slipway_sandbox.app import make_app
from slipway_sandbox.scripts import BadExampleError
from slipway_sandbox.settings import Settings
from slipway_sandbox.world import World, make_world


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="slipway_sandbox", description=__doc__)
    parser.add_argument("--port", type=int, default=7864, help="0 = any free one; the chosen one is printed")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--data", type=Path, required=True, help="folder for the repositories; kept between runs")
    parser.add_argument("--examples", type=Path, help="folder with <project>/round-<n>/{request.json,reply-1.md,...}")
    parser.add_argument("--owner", default=Settings().owner, help="login that every good token belongs to")
    parser.add_argument("--pages-build", type=float, default=Settings().pages_build_s, help="seconds", metavar="S")
    return parser.parse_args()


async def _serve(world: World, host: str, port: int) -> None:
    stopped = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stopped.set)
    # Bodies stay as they were sent: git http-backend unpacks gzip itself.
    runner = web.AppRunner(make_app(world), access_log=None, shutdown_timeout=0.5, auto_decompress=False)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        chosen: int = runner.addresses[0][1]
        sys.stdout.write(json.dumps({"port": chosen}) + "\n")
        sys.stdout.flush()
        await stopped.wait()
    finally:
        await runner.cleanup()


def main() -> int:
    """Exit status 0 after a signal, 1 with one line on stderr when it cannot start."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    arguments = _arguments()
    try:
        settings = Settings(owner=arguments.owner, pages_build_s=arguments.pages_build)
        world = make_world(settings, arguments.data.resolve(), arguments.examples)
        asyncio.run(_serve(world, arguments.host, arguments.port))
    except (BadExampleError, OSError) as error:
        sys.stderr.write(f"sandbox: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
