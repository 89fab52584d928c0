"""Applies the edit blocks of one file: all of them or none, each found in the original."""

from collections.abc import Sequence

from slipway_generator.edits.errors import EditFailure, EditsFailed
from slipway_generator.reply import EditBlock


def apply_edits(original: str, blocks: Sequence[EditBlock]) -> str:
    """The text with every block applied; whatever no block names stays byte for byte. Raises EditsFailed."""
    failures: list[EditFailure] = []
    hits: list[tuple[int, int, EditBlock]] = []
    for index, block in enumerate(blocks):
        count = original.count(block.search)
        if count != 1:
            reason, message = ("ambiguous", f"found {count} times") if count else ("not found", "not in the file")
            failures.append(EditFailure(index, block, reason, message))  # type: ignore[arg-type]
        else:
            start = original.index(block.search)
            hits.append((start, start + len(block.search), block))
    if failures:
        raise EditsFailed(failures, [block for _, _, block in hits])
    text = original
    for start, end, block in sorted(hits, key=lambda hit: hit[0], reverse=True):
        text = text[:start] + block.replace + text[end:]
    return text
