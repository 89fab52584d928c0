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
from detect_secrets.plugins.discord import DiscordBotTokenDetector
from detect_secrets.plugins.github_token import GitHubTokenDetector
from detect_secrets.plugins.gitlab_token import GitLabTokenDetector
from detect_secrets.plugins.mailchimp import MailchimpDetector
from detect_secrets.plugins.openai import OpenAIDetector
from detect_secrets.plugins.pypi_token import PypiTokenDetector
from detect_secrets.plugins.sendgrid import SendGridDetector
from detect_secrets.plugins.slack import SlackDetector
from detect_secrets.plugins.square_oauth import SquareOAuthDetector
from detect_secrets.plugins.stripe import StripeDetector
from detect_secrets.plugins.telegram_token import TelegramBotTokenDetector
from detect_secrets.plugins.twilio import TwilioKeyDetector

MIN_OWN_VALUE = 10
"""A shorter value of our environment is no secret worth the name, and would be found in innocent text."""

_WINDOW, _OVERLAP = 64 * 1024, 2 * 1024
_PRINTABLE = re.compile(rb"[\t\n\r\x20-\x7e]{16,}")

_DETECTORS = (
    AWSKeyDetector,
    AzureStorageKeyDetector,
    DiscordBotTokenDetector,
    GitHubTokenDetector,
    GitLabTokenDetector,
    MailchimpDetector,
    OpenAIDetector,
    PypiTokenDetector,
    SendGridDetector,
    SlackDetector,
    SquareOAuthDetector,
    StripeDetector,
    TelegramBotTokenDetector,
    TwilioKeyDetector,
)
# letters and digits alone also occur in base64 and hashes: there a credential must stand by itself
_START, _END = r"(?<![A-Za-z0-9+/_-])", r"(?![A-Za-z0-9+/_-])"
_NEEDS_BORDERS = (AWSKeyDetector, TwilioKeyDetector)
_OWN_PATTERNS = {
    "Google API key": rf"{_START}AIza[0-9A-Za-z_-]{{35}}(?![0-9A-Za-z_-])",
    "Google OAuth secret": r"GOCSPX-[0-9A-Za-z_-]{28}",
    "GitHub fine-grained token": r"github_pat_[A-Za-z0-9_]{50}",
    "OpenAI or Anthropic key": (
        r"(?<![A-Za-z0-9])sk-(?:(?:proj|svcacct|admin|ant-[a-z]+\d\d)-[A-Za-z0-9_-]{40}|[A-Za-z0-9]{48})"
    ),
    "Hugging Face token": rf"{_START}hf_[A-Za-z]{{34}}{_END}",
    "npm token": r"npm_[A-Za-z0-9]{36}",
    "private key": r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----(?:\\[rn]|[\s\"'+,])*[A-Za-z0-9+/]{20}",
}
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
        self._patterns = [(kind, re.compile(pattern)) for kind, pattern in _OWN_PATTERNS.items()]
        for detector in _DETECTORS:
            plugin = detector()
            borders = (_START, _END) if detector in _NEEDS_BORDERS else ("", "")
            self._patterns += [
                (plugin.secret_type, re.compile(f"{borders[0]}(?:{regex.pattern}){borders[1]}", regex.flags))
                for regex in plugin.denylist
            ]
        self._own = sorted({form for value in own_values for form in _forms(value)}, key=len, reverse=True)

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
        for kind, pattern in self._patterns:
            if kind not in seen and (match := _search(pattern, text)):
                seen.add(kind)
                yield Found(_line(place, text, match.start()), kind)


def secrets_of_environment() -> list[str]:
    """The values of environment variables whose names say that they are secret."""
    return [value for name, value in os.environ.items() if _SECRET_NAMES.search(name)]


def _forms(value: str) -> Iterator[str]:
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
