"""Keeps the good parts of a reply that failed, so that the model sends only the failed ones again."""

from collections.abc import Mapping

from slipway_generator.edits.application import Applied, apply_reply
from slipway_generator.edits.apply import find_all
from slipway_generator.edits.errors import ChangeRefused
from slipway_generator.edits.original import Original
from slipway_generator.reply import EditBlock, FileEdits, Part, Reply


class Staging:
    """One change to an app, collected over repair turns; every edit is meant against the files given here.

    After a refusal the parts without a problem stay staged; the next reply is put on top of them. A newer part of a
    file takes the place of the staged one; newer edits join the staged edits of the same file, and a staged edit that
    names the same lines as a newer one gives way to it. Once `offer` has returned, the change is complete.
    """

    def __init__(self, files: Mapping[str, bytes], *, guarded: bool = True) -> None:
        self._files = files
        self._guarded = guarded
        self._staged: dict[str, Part] = {}

    @property
    def files(self) -> Mapping[str, bytes]:
        """The files as they were given."""
        return self._files

    @property
    def staged(self) -> tuple[Part, ...]:
        """What is kept for the next turn."""
        return tuple(self._staged.values())

    def offer(self, reply: Reply) -> Applied:
        """The change, if staged parts and reply can be applied together as a whole.

        Raises ChangeRefused; what of the two is good is then staged.
        """
        merged = dict(self._staged)
        for part in reply.parts:
            merged[part.path] = self._joined(merged.get(part.path), part)
        try:
            whole = Reply(tuple(merged.values()), reply.notes)
            return apply_reply(self._files, whole, guarded=self._guarded, keeping=True)
        except ChangeRefused as refused:
            good = {problem.path: problem.good for problem in refused.problems}
            self._staged = {}
            for path, part in merged.items():
                if path not in good:
                    self._staged[path] = part
                elif isinstance(part, FileEdits) and good[path]:
                    self._staged[path] = FileEdits(path, good[path], part.line)
            raise

    def _joined(self, staged: Part | None, part: Part) -> Part:
        if not isinstance(staged, FileEdits) or not isinstance(part, FileEdits):
            return part
        kept = tuple(block for block in staged.blocks if not self._replaced(part.path, block, part.blocks))
        return FileEdits(part.path, tuple(dict.fromkeys((*kept, *part.blocks))), part.line)

    def _replaced(self, path: str, staged: EditBlock, newer: tuple[EditBlock, ...]) -> bool:
        original = Original(self._files.get(path, b"").decode(errors="replace"))
        for block in newer:
            _, failures = find_all(original, (staged, block), path)
            if block.search == staged.search or any(failure.reason == "overlap" for failure in failures):
                return True
        return False
