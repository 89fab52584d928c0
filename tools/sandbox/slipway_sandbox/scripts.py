"""Which reply a prompt gets: a test's script, an example's, or the plain page for a brief that nobody scripted."""

import re
import time
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from pydantic import BaseModel, ValidationError

from slipway_sandbox import plain

_SERIAL = "{{serial}}"
_ROUND = re.compile(r"round-(\d+)")
_REPLY = re.compile(r"reply-(\d+)\.md")


class BadExampleError(ValueError):
    """An example cannot be played: names its file and what is wrong."""


class _Request(BaseModel):
    """What the sandbox needs of an example's request.json."""

    brief: str
    round: int


@dataclass(frozen=True)
class Script:
    """What the model says to one brief, turn after turn; the last reply repeats. `brief` has single spaces."""

    name: str
    brief: str
    round: int
    replies: tuple[str, ...]


@dataclass(frozen=True)
class Scripted:
    """A chosen reply: who wrote it (`plain` = nobody), which turn it is, and the text."""

    script: str
    turn: int
    text: str


class Scripts:
    """The examples' scripts and those that tests add; a later test script wins over an earlier one."""

    def __init__(self, examples: list[Script]) -> None:
        self._examples = examples
        self._added: list[Script] = []
        self._numbers = count(1)
        self._run = f"{time.time_ns() // 1_000_000:x}"  # so that a restarted sandbox does not repeat itself

    @classmethod
    def load(cls, folder: Path | None) -> "Scripts":
        """Read `<project>/round-<n>/request.json` and `reply-<k>.md`; raises BadExampleError."""
        return cls([] if folder is None else [_read(path) for path in sorted(folder.glob("*/round-*/request.json"))])

    def add(self, brief: str, replies: list[str]) -> None:
        self._added.append(Script(f"added-{len(self._added) + 1}", _spaced(brief), 0, tuple(replies)))

    def forget_added(self) -> None:
        self._added.clear()

    def reply(self, prompt: str, turns: int) -> Scripted:
        """The reply to a prompt (all its text) that already has `turns` replies of the model in it."""
        serial = f"{self._run}-{next(self._numbers)}"
        script = self._find(prompt)
        if script is None:
            return Scripted("plain", turns + 1, plain.reply(prompt, serial))
        turn = min(turns + 1, len(script.replies))
        return Scripted(script.name, turn, script.replies[turn - 1].replace(_SERIAL, serial))

    def _find(self, prompt: str) -> Script | None:
        text = _spaced(prompt)
        for script in reversed(self._added):
            if script.brief in text:
                return script
        found = [script for script in self._examples if script.brief in text]
        if not found:
            return None
        newest = max(found, key=lambda script: (script.round, len(script.brief)))
        # The scripted revision edits the page of the round before; without that page there is nothing to edit.
        return None if newest.round > 1 and not plain.shows_files(prompt) else newest


def _spaced(text: str) -> str:
    return " ".join(text.split())


def _read(path: Path) -> Script:
    try:
        request = _Request.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise BadExampleError(f"{path}: {error}") from error
    number = _ROUND.fullmatch(path.parent.name)
    if number is None or int(number[1]) != request.round:
        raise BadExampleError(f"{path}: its round is {request.round}, its folder is {path.parent.name}")
    replies = sorted(
        (int(match[1]), file) for file in path.parent.iterdir() if (match := _REPLY.fullmatch(file.name)) is not None
    )
    if [index for index, _ in replies] != list(range(1, len(replies) + 1)) or not replies:
        raise BadExampleError(f"{path.parent}: replies must be reply-1.md, reply-2.md and so on, without a gap")
    texts = tuple(file.read_text("utf-8") for _, file in replies)
    return Script(f"{path.parent.parent.name}/{path.parent.name}", _spaced(request.brief), request.round, texts)
