"""Applies a whole reply to the files of an app: everything in it or nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from slipway_generator.edits.apply import apply_edits
from slipway_generator.edits.errors import ChangeRefused, EditsFailed, Problem
from slipway_generator.edits.original import Original
from slipway_generator.edits.report import failure_report
from slipway_generator.invariants import Invariants, compare
from slipway_generator.reply import FileEdits, Part, Removal, Reply, WholeFile

_BOM = "\ufeff"


@dataclass(frozen=True)
class Applied:
    """What a reply did: files with new bytes, new files, removed paths.

    `rewritten` are existing files that came as a whole instead of as edits. `invariants` measure each changed text
    file.
    """

    changed: Mapping[str, bytes] = field(default_factory=dict)
    added: Mapping[str, bytes] = field(default_factory=dict)
    removed: tuple[str, ...] = ()
    rewritten: tuple[str, ...] = ()
    invariants: Mapping[str, Invariants] = field(default_factory=dict)

    @property
    def rewrite(self) -> bool:
        """Whether an existing file was replaced as a whole."""
        return bool(self.rewritten)

    def violations(self) -> list[str]:
        """What goes beyond a surgical edit, over all changed files."""
        return [violation for measured in self.invariants.values() for violation in measured.violations()]

    def over(self, files: Mapping[str, bytes]) -> dict[str, bytes]:
        """The app's files after the change, by path."""
        merged = {**files, **self.changed, **self.added}
        return {path: merged[path] for path in sorted(merged) if path not in self.removed}


def apply_reply(files: Mapping[str, bytes], reply: Reply, *, guarded: bool = True, keeping: bool = False) -> Applied:
    """What a reply makes of the files; no part is used when any part cannot be.

    `guarded`: an existing file may come as a whole only if `Invariants.violations` finds nothing; without, any whole
    file is taken, which is right while the app is still being built. `keeping` only words a refusal: that what is
    good of the reply is kept (see Staging).

    Raises ChangeRefused.
    """
    change = _Change(files, guarded, keeping)
    for part in reply.parts:
        change.take(part)
    if not change.problems and not (change.changed or change.added or change.removed):
        change.refuse(reply.parts[0].path, "the reply changes nothing; send what the brief asks for")
    if change.problems:
        bad = {problem.path for problem in change.problems}
        raise ChangeRefused(change.problems, [path for path in reply.paths if path not in bad] if keeping else [])
    return Applied(change.changed, change.added, tuple(change.removed), tuple(change.rewritten), change.invariants)


class _Change:
    """A change in the making."""

    def __init__(self, files: Mapping[str, bytes], guarded: bool, keeping: bool) -> None:
        self._files = files
        self._guarded = guarded
        self._keeping = keeping
        self.changed: dict[str, bytes] = {}
        self.added: dict[str, bytes] = {}
        self.removed: list[str] = []
        self.rewritten: list[str] = []
        self.invariants: dict[str, Invariants] = {}
        self.problems: list[Problem] = []

    def refuse(self, path: str, message: str) -> None:
        self.problems.append(Problem(path, message, f"## {path}: not changed\nWhy: {message}."))

    def take(self, part: Part) -> None:
        old = self._files.get(part.path)
        if old is None:
            self._take_new(part)
        elif isinstance(part, Removal):
            if part.path == "index.html":
                self.refuse(part.path, "an app cannot be without its page; send edits instead of removing it")
            else:
                self.removed.append(part.path)
        elif (text := _decoded(old)) is None:
            self.refuse(part.path, "it is not a text file, so it cannot be written; leave it as it is")
        elif isinstance(part, FileEdits):
            self._edit(part, text)
        else:
            self._rewrite(part, text)

    def _take_new(self, part: Part) -> None:
        clash = next((path for path in self._files if path.lower() == part.path.lower()), None)
        clash = clash or next((path for path in self._files if path.startswith(f"{part.path}/")), None)
        clash = clash or next((path for path in self._files if part.path.startswith(f"{path}/")), None)
        if clash or not isinstance(part, WholeFile):
            have = (
                f"do you mean {clash}?" if clash else f"the app's files are {', '.join(sorted(self._files)) or 'none'}"
            )
            self.refuse(part.path, f"the app has no file of this name; {have}")
        else:
            self.added[part.path] = part.text.encode()

    def _edit(self, part: FileEdits, old: str) -> None:
        try:
            new = apply_edits(old, part.blocks, part.path)
        except EditsFailed as error:
            report = failure_report(part.path, old, error.failures, error.good if self._keeping else ())
            self.problems.append(Problem(part.path, str(error), report, error.failures, error.good))
            return
        if not new.strip(_BOM + " \t\r\n"):
            self.refuse(part.path, "the edits leave the file empty; list it in a `remove` block to delete it")
            return
        self.changed[part.path] = new.encode()
        self.invariants[part.path] = compare(old, new, part.path)

    def _rewrite(self, part: WholeFile, old: str) -> None:
        new = (_BOM if old.startswith(_BOM) else "") + part.text.replace("\n", Original(old).newline)
        if new == old:
            return
        measured = compare(old, new, part.path)
        violations = measured.violations() if self._guarded else []
        if violations:
            self.refuse(
                part.path,
                "the whole file was sent where edits were asked for, and it is not the old file with a change: "
                + "; ".join(violations)
                + ". Send SEARCH/REPLACE edits",
            )
            return
        self.changed[part.path] = new.encode()
        self.rewritten.append(part.path)
        self.invariants[part.path] = measured


def _decoded(data: bytes) -> str | None:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None
