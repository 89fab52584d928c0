"""What a page may load from outside, with real servers on loopback addresses."""

import asyncio
import ipaddress
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from slipway_generator.browser.public_web import Address, PublicWeb, is_public

# 127.0.0.2 plays the public internet, every other address is private.
OUTSIDE = ipaddress.ip_address("127.0.0.2")


def _allowed(address: Address) -> bool:
    return address == OUTSIDE


@dataclass
class Server:
    """A server on all loopback addresses that counts what reaches it."""

    port: int = 0
    paths: list[str] = field(default_factory=list)

    def url(self, host: str, path: str = "/") -> str:
        return f"http://{host}:{self.port}{path}"


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    state = Server()

    async def answer(request: web.Request) -> web.StreamResponse:
        state.paths.append(request.path)
        match request.path:
            case "/in":
                raise web.HTTPFound(state.url("127.0.0.1", "/private"))
            case "/round":
                raise web.HTTPFound("/round")
            case "/once":
                raise web.HTTPFound("/")
            case "/slow":
                await asyncio.sleep(5)
            case "/large":
                return web.Response(body=b"x" * 5000)
        return web.Response(text="hello", headers={"Access-Control-Allow-Origin": "*", "Set-Cookie": "a=b"})

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "0.0.0.0", 0)
    await site.start()
    state.port = runner.addresses[0][1]
    yield state
    await runner.cleanup()


@pytest.mark.parametrize("path", ["/", "/once"])
async def test_a_public_host_is_asked_and_its_cors_header_passed_on(server: Server, path: str) -> None:
    answer = await PublicWeb(allowed=_allowed).get(server.url("127.0.0.2", path))
    assert answer is not None
    assert (answer.status, answer.body) == (200, b"hello")
    assert set(answer.headers) == {"content-type", "access-control-allow-origin"}


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "0.0.0.0", "127.1", "2130706433", "[::1]", "[::ffff:127.0.0.1]"]
)
async def test_a_private_host_is_not_asked(server: Server, host: str) -> None:
    assert await PublicWeb().get(server.url(host)) is None
    assert server.paths == []


async def test_a_public_host_cannot_send_the_request_to_a_private_one(server: Server) -> None:
    assert await PublicWeb(allowed=_allowed).get(server.url("127.0.0.2", "/in")) is None
    assert server.paths == ["/in"]


@pytest.mark.parametrize("path", ["/round", "/slow", "/large"])
async def test_what_has_no_end_is_given_up(server: Server, path: str) -> None:
    web_ = PublicWeb(allowed=_allowed, seconds=0.5, max_bytes=1000)
    assert await web_.get(server.url("127.0.0.2", path)) is None
    assert len(server.paths) < 10


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://example.com/", "http://", "https://[", "about:blank"])
async def test_other_addresses_answer_nothing(url: str) -> None:
    assert await PublicWeb().get(url) is None


@pytest.mark.parametrize(
    "address",
    "10.0.0.1 172.16.0.1 192.168.1.1 169.254.169.254 100.64.0.1 127.0.0.1 0.0.0.0 224.0.0.1 ::1 fe80::1 fd00::1 "
    "::ffff:10.0.0.1 2002:7f00:1:: 64:ff9b::7f00:1 255.255.255.255".split(),
)
def test_special_purpose_addresses_are_not_public(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700::1111"])
def test_others_are(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))
