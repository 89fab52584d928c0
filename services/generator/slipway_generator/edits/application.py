"""Applies a whole reply to the files of an app: everything in it or nothing."""

from collections.abc import Mapping
from dataclasses import dataclass

from slipway_generator.edits.apply import apply_edits
from slipway_generator.edits.errors import ChangeRefused, EditsFailed, Problem
from slipway_generator.reply import FileEdits, Removal, Reply


@dataclass(frozen=True)
class Applied:
    """What a reply did: files with new bytes, new files, removed paths; `rewritten` are files replaced as a whole."""

    changed: Mapping[str, bytes]
    added: Mapping[str, bytes]
    removed: tuple[str, ...]
    rewritten: tuple[str, ...] = ()

    @property
    def rewrite(self) -> bool:
        """Whether an existing file was replaced as a whole instead of edited."""
        return bool(self.rewritten)

    def over(self, files: Mapping[str, bytes]) -> dict[str, bytes]:
        """The app's files after the change, sorted by path."""
        merged = {**files, **self.changed, **self.added}
        return {path: merged[path] for path in sorted(merged) if path not in self.removed}


def apply_reply(files: Mapping[str, bytes], reply: Reply) -> Applied:
    """What the reply makes of the files. Raises ChangeRefused."""
    changed: dict[str, bytes] = {}
    added: dict[str, bytes] = {}
    removed: list[str] = []
    rewritten: list[str] = []
    problems: list[Problem] = []
    for part in reply.parts:
        old = files.get(part.path)
        if isinstance(part, Removal):
            removed.append(part.path)
        elif isinstance(part, FileEdits):
            if old is None:
                problems.append(Problem(part.path, "there is no such file", f"{part.path}: there is no such file"))
                continue
            try:
                changed[part.path] = apply_edits(old.decode(), part.blocks).encode()
            except EditsFailed as error:
                problems.append(Problem(part.path, str(error), f"{part.path}: {error}", error.failures))
        elif old is None:
            added[part.path] = part.text.encode()
        elif old != part.text.encode():
            changed[part.path] = part.text.encode()
            rewritten.append(part.path)
    if problems:
        raise ChangeRefused(problems)
    return Applied(changed, added, tuple(removed), tuple(rewritten))
