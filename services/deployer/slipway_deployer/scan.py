"""The last gate before a push: no credential leaves in a file, a file's name or a commit message.

Only detectors of credentials that are recognisable by their own form, and the values of our own environment; nothing
guesses by entropy or by words like "password". A finding names the place and the kind, never the value.
"""

import base64
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from detect_secrets.plugins.aws import AWSKeyDetector
from detect_secrets.plugins.azure_storage_key import AzureStorageKeyDetector
from detect_secrets.plugins.base import RegexBasedDetector
from detect_secrets.plugins.discord import DiscordBotTokenDetector
from detect_secrets.plugins.gitlab_token import GitLabTokenDetector
from detect_secrets.plugins.mailchimp import MailchimpDetector
from detect_secrets.plugins.pypi_token import PypiTokenDetector
from detect_secrets.plugins.square_oauth import SquareOAuthDetector
from detect_secrets.plugins.telegram_token import TelegramBotTokenDetector

from slipway_common.credentials import END, FORMS, START, Form

MIN_OWN_VALUE = 10
"""A shorter value of our environment is no secret worth the name, and would be found in innocent text."""

_WINDOW, _OVERLAP = 64 * 1024, 2 * 1024
_PRINTABLE = re.compile(rb"[\t\n\r\x20-\x7e]{16,}")

# Those of detect-secrets that know more than our own forms, each with what its findings cannot do without.
_DETECTORS: tuple[tuple[type[RegexBasedDetector], tuple[str, ...]], ...] = (
    (AWSKeyDetector, ("A3T", "ABIA", "ACCA", "aws", "AWS", "Aws")),
    (AzureStorageKeyDetector, ("AccountKey=",)),
    (DiscordBotTokenDetector, (".",)),
    (GitLabTokenDetector, ("gl", "GR1348941")),
    (MailchimpDetector, ("-us",)),
    (PypiTokenDetector, ("pypi-",)),
    (SquareOAuthDetector, ("sq0csp-",)),
    (TelegramBotTokenDetector, (":",)),
)
_SECRET_NAMES = re.compile(r"TOKEN|SECRET|PASSWORD|PASSWD|API_?KEY|PRIVATE_?KEY|CREDENTIAL", re.IGNORECASE)


@dataclass(frozen=True)
class Found:
    """A credential: where it stands and of which kind it looks."""

    place: str
    kind: str

    def __str__(self) -> str:
        return f"{self.place}: {self.kind}"


class SecretScan:
    """All detectors, ready to run. CPU work: call it in a thread."""

    def __init__(self, own_values: Iterable[str]) -> None:
        self._forms = [*FORMS, *(form for detector, signs in _DETECTORS for form in _forms_of(detector(), signs))]
        self._own = sorted({form for value in own_values for form in _disguises(value)}, key=len, reverse=True)

    def run(self, files: Mapping[str, bytes], message: str) -> list[Found]:
        """Every finding in the files, their names and the commit message, at most one a kind and file."""
        found = list(self._of_text("the commit message", message))
        for number, (path, data) in enumerate(files.items(), 1):
            # a finding in a name cannot be shown by that name
            in_name = list(self._of_text(f"the name of file {number} of {len(files)}", path))
            found += in_name or self._of_text(path, _text(data))
        return found

    def _of_text(self, place: str, text: str) -> Iterator[Found]:
        for value in self._own:
            if (at := text.find(value)) >= 0:
                yield Found(_line(place, text, at), "a secret of this service's own environment")
                break
        seen: set[str] = set()
        for form in self._forms:
            kind = form.kind.casefold()
            if kind not in seen and form.may_be_in(text) and (match := _search(form.pattern, text)):
                seen.add(kind)
                yield Found(_line(place, text, match.start()), form.kind)


def secrets_of_environment() -> list[str]:
    """The values of environment variables whose names say that they are secret."""
    return [value for name, value in os.environ.items() if _SECRET_NAMES.search(name)]


def _forms_of(detector: RegexBasedDetector, signs: tuple[str, ...]) -> Iterator[Form]:
    borders = (START, END) if isinstance(detector, AWSKeyDetector) else ("", "")
    for regex in detector.denylist:
        pattern = re.compile(f"{borders[0]}(?:{regex.pattern}){borders[1]}", regex.flags)
        yield Form(detector.secret_type, signs, pattern)


def _disguises(value: str) -> Iterator[str]:
    """A secret as it is, as base64 of itself, and as it stands in a URL."""
    if len(value) >= MIN_OWN_VALUE:
        yield value.encode().decode("latin-1")
        yield base64.b64encode(value.encode()).decode().rstrip("=")
        yield quote(value, safe="")


def _search(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    """`pattern.search`, a window at a time: one search over megabytes would keep all other threads from running."""
    for begin in range(0, len(text), _WINDOW):
        end = min(len(text), begin + _WINDOW + _OVERLAP)
        match = pattern.search(text, begin, end)
        # what touches the window's end is judged in the next one, where what follows is seen
        if match and (match.end() < end or end == len(text) or match.start() < begin + _WINDOW):
            return match
    return None


def _text(data: bytes) -> str:
    """Bytes as text that every pattern can read: of binary files what is printable; UTF-16 of ASCII is that ASCII."""
    try:
        if b"\0" not in data:
            data.decode()
            return data.decode("latin-1")
    except UnicodeDecodeError:
        pass
    return b"\n".join(_PRINTABLE.findall(data.replace(b"\0", b""))).decode("latin-1")


def _line(place: str, text: str, at: int) -> str:
    return f"{place} line {text.count(chr(10), 0, at) + 1}"
