"""What a model's reply says, as data: whole files, edits and removals, in the order in which they were written."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class WholeFile:
    """The full text of a file, lines ended by LF. `line` is where its block begins in the reply, from 1."""

    path: str
    text: str
    line: int = field(default=0, compare=False)


@dataclass(frozen=True)
class EditBlock:
    """One SEARCH/REPLACE pair: whole lines joined by LF, without the last line's end.

    `search` is never blank. An empty `replace` deletes the lines found. `line` is where the pair begins in the reply.
    """

    search: str
    replace: str
    line: int = field(default=0, compare=False)


@dataclass(frozen=True)
class FileEdits:
    """The edits of one existing file; each is meant against the file as it was shown to the model."""

    path: str
    blocks: tuple[EditBlock, ...]
    line: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Removal:
    """A file to be removed."""

    path: str
    line: int = field(default=0, compare=False)


Part = WholeFile | FileEdits | Removal


@dataclass(frozen=True)
class Reply:
    """A reply: at most one part for each path. `notes` say what was mended to make it readable."""

    parts: tuple[Part, ...]
    notes: tuple[str, ...] = ()

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths that the reply touches, in order."""
        return tuple(part.path for part in self.parts)
