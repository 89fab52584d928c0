"""Attachments: their bytes from data URIs and http(s) URLs, their real type, their place in the app.

Each is committed under its own name, with these rules for names that mean something:
README.md stays at the top and the app's own sections follow it; LICENSE, index.html, .nojekyll and .slipway/* are
Slipway's own, so such an attachment goes to `attachments/<name>`; .github/workflows/* is committed as it is.
"""

import io
import mimetypes
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from slipway_common.data_url import DataUrlError, decode_data_url
from slipway_common.events import Attachment, AttachmentRef
from slipway_common.stage import Reject
from slipway_generator.attachments.fetching import Fetcher

README = "README.md"
_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
)
_TEXT_TYPES = {
    ".csv": "text/csv",
    ".tsv": "text/tab-separated-values",
    ".md": "text/markdown",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".yml": "application/yaml",
    ".yaml": "application/yaml",
    ".js": "text/javascript",
}
_TEXT_ENDINGS = ("json", "xml", "javascript", "yaml", "toml", "sql", "x-sh")
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True)
class Material:
    """An attachment with its bytes: `name` as the sender calls it, `path` where the app has it.

    `note` describes what cannot be shown as text.
    """

    name: str
    path: str
    media_type: str
    data: bytes
    note: str = ""

    def ref(self) -> AttachmentRef:
        return AttachmentRef(name=self.name, path=self.path, media_type=self.media_type, size=len(self.data))


async def collect(attachments: Sequence[Attachment], fetcher: Fetcher, *, max_bytes: int) -> tuple[Material, ...]:
    """All attachments with their bytes, at most `max_bytes` together.

    Raises Reject for what cannot be decoded, does not exist or is too large, Retry for what may answer later.
    """
    found: list[Material] = []
    for attachment in attachments:
        left = max_bytes - sum(len(material.data) for material in found)
        if attachment.url[:5].lower() == "data:":
            data = decode_data_uri(attachment)
        else:
            data = await fetcher.fetch(attachment, left)
        if len(data) > left:
            raise Reject(f"attachment {attachment.name}: all attachments together are over {max_bytes} bytes")
        found.append(Material(attachment.name, place(attachment.name), media_type(attachment.name, data), data))
    return tuple(found)


def place(name: str) -> str:
    """Where the app has the attachment of this name."""
    path = PurePosixPath(name)
    if name in {"LICENSE", "index.html", ".nojekyll"} or path.parts[0] == ".slipway":
        return f"attachments/{name}"
    return str(path)


def media_type(name: str, data: bytes) -> str:
    """The type by content, then by name; what the sender declares is often wrong and is not asked."""
    for signature, found in _SIGNATURES:
        if data.startswith(signature):
            return found
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    suffix = PurePosixPath(name).suffix.lower()
    if _is_workbook(data):
        return XLSX
    try:
        data.decode()
    except UnicodeDecodeError:
        return _TEXT_TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    guessed = _TEXT_TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "text/plain"
    if guessed.startswith("text/") or guessed.endswith(_TEXT_ENDINGS):
        return guessed
    return "text/csv" if suffix in {".xls", ".xlsx"} else "text/plain"


def _is_workbook(data: bytes) -> bool:
    """Whether it is an xlsx file, whatever it is called."""
    if not data.startswith(b"PK\x03\x04"):
        return False
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return "xl/workbook.xml" in archive.namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return False


def decode_data_uri(attachment: Attachment) -> bytes:
    """The bytes of a `data:` URI (RFC 2397). Raises Reject."""
    try:
        return decode_data_url(attachment.url).data
    except DataUrlError as error:
        raise Reject(f"attachment {attachment.name}: the data URI {error}") from None
