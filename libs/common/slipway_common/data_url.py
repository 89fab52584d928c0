"""Bytes inside a `data:` URL, decoded by the rules that browsers follow (WHATWG Fetch, "data: URL processor")."""

import base64
import binascii
import re
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

_TO_STANDARD = bytes.maketrans(b"-_", b"+/")
_BASE64 = re.compile(r";\s*base64\s*$", re.IGNORECASE)


class DataUrlError(ValueError):
    """The URL is not a decodable `data:` URL; the message says what is wrong with it."""


@dataclass(frozen=True)
class DataUrl:
    """What a `data:` URL holds. `media_type` is lower case, without parameters."""

    media_type: str
    data: bytes


def decode_data_url(url: str) -> DataUrl:
    """The type and bytes of a `data:` URL.

    Beyond the browsers' rules, which bear white space and missing padding, the URL-safe base64 alphabet is borne too.

    Raises DataUrlError.
    """
    if url[:5].lower() != "data:":
        raise DataUrlError("does not begin with `data:`")
    head, comma, payload = url[5:].partition(",")
    if not comma:
        raise DataUrlError("has no comma between its media type and its data")
    data = unquote_to_bytes(payload)
    if encoded := _BASE64.search(head):
        head = head[: encoded.start()]
        data = _from_base64(data)
    return DataUrl(head.partition(";")[0].strip().lower() or "text/plain", data)


def _from_base64(text: bytes) -> bytes:
    text = text.translate(_TO_STANDARD, b"\t\n\f\r ")
    if not text.endswith(b"="):
        text += b"=" * (-len(text) % 4)
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise DataUrlError("is not valid base64") from None
