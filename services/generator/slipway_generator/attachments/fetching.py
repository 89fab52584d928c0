"""Attachments that come by URL: fetched from public hosts, so that nobody can have an address of ours published."""

from collections.abc import Callable
from urllib.parse import urljoin, urlsplit

import httpx

from slipway_common.events import Attachment
from slipway_common.stage import Reject, Retry
from slipway_generator.browser.public_web import Address, is_public, resolve

_MAX_REDIRECTS = 5
_REDIRECTS = {301, 302, 303, 307, 308}
_LATER = {408, 425, 429}


class Fetcher:
    """Gets by http(s), without cookies. Every hop is resolved once, checked, and asked at that very address."""

    def __init__(self, timeout_s: float, allowed: Callable[[Address], bool] = is_public) -> None:
        self._http = httpx.AsyncClient(timeout=timeout_s, trust_env=False)
        self._allowed = allowed

    async def aclose(self) -> None:
        await self._http.aclose()

    async def fetch(self, attachment: Attachment, max_bytes: int) -> bytes:
        """Its bytes. Raises Reject for what will not come, Retry for what may answer later."""
        url = attachment.url
        try:
            for _ in range(_MAX_REDIRECTS + 1):
                found = await self._hop(attachment.name, url, max_bytes)
                if isinstance(found, bytes):
                    return found
                url = found
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, ValueError) as error:
            raise Reject(f"attachment {attachment.name}: {error}") from None
        except (httpx.HTTPError, OSError) as error:
            raise Retry(f"attachment {attachment.name}: {type(error).__name__}") from None
        raise Reject(f"attachment {attachment.name}: more than {_MAX_REDIRECTS} redirects")

    async def _hop(self, name: str, url: str, max_bytes: int) -> bytes | str:
        """The bytes, or where they are said to be."""
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise Reject(f"attachment {name}: it has no http(s) address")
        address = await resolve(parts.hostname, parts.port or (443 if parts.scheme == "https" else 80), self._allowed)
        if address is None:
            raise Reject(f"attachment {name}: {parts.hostname} is no public host (ATTACHMENT_HOSTS)")
        # to the address that was checked: a name that resolves anew could be another one
        where = httpx.URL(url).copy_with(host=str(address), username="", password="")
        headers = {"host": parts.netloc.rpartition("@")[2]}
        extensions = {"sni_hostname": parts.hostname}
        async with self._http.stream("GET", where, headers=headers, extensions=extensions) as response:
            status = response.status_code
            if status in _REDIRECTS:
                return urljoin(url, str(response.headers.get("location", "")))
            if status in _LATER or status >= 500:
                raise Retry(f"attachment {name}: its server answered {status}")
            if status != 200:
                raise Reject(f"attachment {name}: its server answered {status}")
            data = bytearray()
            async for chunk in response.aiter_bytes():
                data += chunk
                if len(data) > max_bytes:
                    raise Reject(f"attachment {name}: over {max_bytes} bytes")
            return bytes(data)
