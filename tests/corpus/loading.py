"""Reads the corpus: one directory for each case, with what the model said and what must become of it.

cases/<name>/case.toml      what the case shows and its outcome (see Case)
cases/<name>/reply.md       the reply, byte for byte; reply-2.md is what was said after the refusal
cases/<name>/expected.diff  for edits: the difference that the replies must make, without line numbers
cases/<name>/expected/      for whole files: their text where it is not simply lines of the reply
pages/<name>/               the app that edits are made to
"""

import hashlib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from corpus.installed_pages import installed_page
from pydantic import BaseModel, ConfigDict

HERE = Path(__file__).resolve().parent
INSTALLED = "installed/"


class Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Refusal(Model):
    """How a reply is refused: the error, the reasons of failed edits, a part of the report to the model."""

    error: str
    reasons: tuple[str, ...] = ()
    says: str = ""


class ExpectedFinding(Model):
    """An error that the static inspection must tell of the result."""

    file: str
    line: int
    says: str


class ExpectedFile(Model):
    """A file of the result: its hash, and where it is simply lines of the last reply, which (from 1)."""

    sha256: str
    lines: tuple[int, int] | None = None


class Case(Model):
    """One case. `shows` are the things that models get wrong; `variant` changes the line ends of the pages.

    Outcomes: `applied` as it stands; `mended`: transport or a known habit was undone, and `notes` say so; `repaired`:
    refused first, applied after the next reply; `refused`: not applied in any part.
    """

    name: str
    about: str
    shows: tuple[str, ...] = ()
    pages: str = ""
    variant: str = ""
    outcome: Literal["applied", "mended", "repaired", "refused"]
    rewrite: bool = False
    notes: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    findings: tuple[ExpectedFinding, ...] = ()
    files: Mapping[str, ExpectedFile] = {}

    @property
    def directory(self) -> Path:
        return HERE / "cases" / self.name

    @property
    def installed(self) -> bool:
        """Whether the page was not written for the corpus."""
        return self.pages.startswith(INSTALLED)

    def base(self) -> dict[str, bytes]:
        """The app before the replies."""
        if not self.pages:
            return {}
        if self.installed:
            return installed_page(self.pages.removeprefix(INSTALLED))
        files = {path.name: path.read_bytes() for path in sorted((HERE / "pages" / self.pages).iterdir())}
        if "crlf" in self.variant:
            files = {path: data.replace(b"\n", b"\r\n") for path, data in files.items()}
        if "bom" in self.variant:
            files = {path: b"\xef\xbb\xbf" + data for path, data in files.items()}
        if "open end" in self.variant:
            files = {path: data.rstrip(b"\r\n") for path, data in files.items()}
        return files

    def replies(self) -> list[str]:
        """What the model said, turn by turn."""
        paths = [self.directory / "reply.md", *sorted(self.directory.glob("reply-*.md"))]
        return [path.read_bytes().decode() for path in paths]

    def diff(self) -> str:
        """The difference that edits must make; empty where there is none."""
        path = self.directory / "expected.diff"
        return path.read_bytes().decode() if path.exists() else ""

    def text_of(self, path: str) -> str | None:
        """The text that a whole file must have, where the case holds it."""
        stored = self.directory / "expected" / path
        if stored.exists():
            return stored.read_bytes().decode()
        lines = self.files[path].lines if path in self.files else None
        if lines is None:
            return None
        return "\n".join(self.replies()[-1].split("\n")[lines[0] - 1 : lines[1]]) + "\n"


def load_cases() -> list[Case]:
    """All cases, by name."""
    return [
        Case.model_validate({"name": path.parent.name, **tomllib.loads(path.read_text())})
        for path in sorted((HERE / "cases").glob("*/case.toml"))
    ]


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
