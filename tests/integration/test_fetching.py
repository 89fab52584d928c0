"""Attachments by URL, from a real server on loopback addresses: 127.0.0.2 plays the public internet."""

import ipaddress
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from slipway_common.events import Attachment
from slipway_common.stage import Outcome, Reject, Retry
from slipway_generator.attachments import collect
from slipway_generator.attachments.fetching import Fetcher

OUTSIDE = ipaddress.ip_address("127.0.0.2")


@dataclass
class Server:
    """A server on all loopback addresses that counts what reaches it."""

    port: int = 0
    paths: list[str] = field(default_factory=list)

    def attachment(self, path: str, host: str = "127.0.0.2") -> Attachment:
        return Attachment(name="data.csv", url=f"http://{host}:{self.port}{path}")


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    state = Server()

    async def answer(request: web.Request) -> web.StreamResponse:
        state.paths.append(request.path)
        match request.path:
            case "/in":
                raise web.HTTPFound(f"http://127.0.0.1:{state.port}/private")
            case "/round":
                raise web.HTTPFound("/round")
            case "/once":
                raise web.HTTPFound("/")
            case "/gone":
                raise web.HTTPNotFound
            case "/busy":
                raise web.HTTPServiceUnavailable
            case "/large":
                return web.Response(body=b"x" * 5000)
        return web.Response(text="a,b\n1,2\n", content_type="image/png")

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "0.0.0.0", 0).start()
    state.port = runner.addresses[0][1]
    yield state
    await runner.cleanup()


@pytest.fixture
async def fetcher() -> AsyncIterator[Fetcher]:
    found = Fetcher(2, lambda address: address == OUTSIDE)
    yield found
    await found.aclose()


@pytest.mark.parametrize("path", ["/", "/once"])
async def test_its_bytes_come_and_its_type_is_told_by_them(server: Server, fetcher: Fetcher, path: str) -> None:
    [material] = await collect([server.attachment(path)], fetcher, max_bytes=1000)
    assert (material.data, material.media_type) == (b"a,b\n1,2\n", "text/csv")


@pytest.mark.parametrize(
    ("path", "outcome", "says"),
    [
        ("/in", Reject, "127.0.0.1 is no public host"),
        ("/round", Reject, "more than 5 redirects"),
        ("/gone", Reject, "its server answered 404"),
        ("/busy", Retry, "its server answered 503"),
        ("/large", Reject, "over 1000 bytes"),
    ],
)
async def test_what_does_not_come_ends_clearly(
    server: Server, fetcher: Fetcher, path: str, outcome: type[Outcome], says: str
) -> None:
    with pytest.raises(outcome, match=f"attachment data.csv: {says}"):
        await collect([server.attachment(path)], fetcher, max_bytes=1000)
    assert "/private" not in server.paths


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0", "127.1", "2130706433"])
async def test_an_address_that_is_not_public_is_not_asked(server: Server, host: str) -> None:
    fetcher = Fetcher(2)
    with pytest.raises(Reject, match="no public host"):
        await collect([server.attachment("/", host)], fetcher, max_bytes=1000)
    await fetcher.aclose()
    assert server.paths == []


@pytest.mark.parametrize("url", ["ftp://127.0.0.2/x", "http://", "https:///x", "file:///etc/passwd", "x"])
async def test_what_is_no_address_of_the_web_is_rejected(fetcher: Fetcher, url: str) -> None:
    with pytest.raises(Reject, match=r"attachment data\.csv"):
        await collect([Attachment(name="data.csv", url=url)], fetcher, max_bytes=1000)


async def test_a_name_that_nobody_has_may_be_there_later(fetcher: Fetcher) -> None:
    with pytest.raises(Retry):
        await collect([Attachment(name="data.csv", url="http://nobody.invalid/x")], fetcher, max_bytes=1000)
