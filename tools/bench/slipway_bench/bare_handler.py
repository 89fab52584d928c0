"""`python -m slipway_bench.bare_handler PORT`: an aiohttp handler that reads a JSON body and answers 200, no more."""

import json
import sys

from aiohttp import web


async def ready(request: web.Request) -> web.Response:
    """Read, parse, answer."""
    asked = await request.json()
    return web.json_response(text=json.dumps({"status": "accepted", "task": asked["task"]}))


async def health(_: web.Request) -> web.Response:
    return web.Response(text="ok")


def main(port: int) -> None:
    """Serve on loopback until SIGTERM."""
    app = web.Application()
    app.router.add_post("/ready", ready)
    app.router.add_get("/health/ready", health)
    web.run_app(app, host="127.0.0.1", port=port, access_log=None, print=None)


if __name__ == "__main__":
    main(int(sys.argv[1]))
