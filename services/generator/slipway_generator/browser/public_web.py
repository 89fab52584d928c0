"""Asks public hosts, and no others, for what a page under inspection loads (VERIFY_NETWORK=on)."""

import asyncio
import ipaddress
import socket
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

import httpx

_MAX_REDIRECTS = 5
_PASSED_ON = ("content-type", "access-control-allow-origin", "access-control-allow-credentials")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True)
class Fetched:
    """What a public host answered; of its headers those that decide what the page may do with it."""

    status: int
    headers: dict[str, str]
    body: bytes


def is_public(address: Address) -> bool:
    """Whether an address belongs to the public internet (IANA's special-purpose registries)."""
    inner = getattr(address, "ipv4_mapped", None) or getattr(address, "sixtofour", None) or address
    if address in _NAT64:
        inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return bool(inner.is_global and not inner.is_multicast and address.is_global)


async def resolve(host: str, port: int, allowed: Callable[[Address], bool]) -> Address | None:
    """The first address of `host`, if all that it has are allowed. Raises OSError for a name that has none."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    return addresses[0] if addresses and all(allowed(address) for address in addresses) else None


class PublicWeb:
    """Fetches by GET, without cookies or referrer. Every hop is resolved once, checked, and asked at that address."""

    def __init__(
        self, *, seconds: float = 8.0, max_bytes: int = 10 * 1024 * 1024, allowed: Callable[[Address], bool] = is_public
    ) -> None:
        self._seconds = seconds
        self._max_bytes = max_bytes
        self._allowed = allowed

    async def get(self, url: str) -> Fetched | None:
        """The answer, or None when there is none to be had: a private address, too slow, too large, no network."""
        try:
            async with asyncio.timeout(self._seconds), httpx.AsyncClient(trust_env=False) as client:
                for _ in range(_MAX_REDIRECTS):
                    answer = await self._hop(client, url)
                    if answer is None or answer.status not in {301, 302, 303, 307, 308}:
                        return answer
                    url = urljoin(url, answer.headers.get("location", ""))
        except (TimeoutError, OSError, httpx.HTTPError, httpx.InvalidURL, ValueError):
            pass
        return None

    async def _hop(self, client: httpx.AsyncClient, url: str) -> Fetched | None:
        parts = urlsplit(url)
        host = parts.hostname
        if parts.scheme not in {"http", "https"} or not host:
            return None
        address = await resolve(host, parts.port or (443 if parts.scheme == "https" else 80), self._allowed)
        if address is None:
            return None
        # The connection goes to the address that was checked: a name that resolves anew could be another one.
        where = httpx.URL(url).copy_with(host=str(address))
        headers = {"host": parts.netloc.rpartition("@")[2], "user-agent": "Mozilla/5.0"}
        async with client.stream("GET", where, headers=headers, extensions={"sni_hostname": host}) as response:
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > self._max_bytes:
                    return None
            names = (*_PASSED_ON, "location") if response.is_redirect else _PASSED_ON
            kept = {name: response.headers[name] for name in names if name in response.headers}
            return Fetched(response.status_code, kept, bytes(body))
