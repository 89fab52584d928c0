"""Applies the edit blocks of one file: all of them or none, each found in the original."""

from collections.abc import Sequence

from slipway_generator.edits.errors import EditFailure, EditsFailed
from slipway_generator.edits.locate import Hit, locate
from slipway_generator.edits.original import Original
from slipway_generator.reply import EditBlock


def apply_edits(original: str, blocks: Sequence[EditBlock], path: str = "") -> str:
    """The text with every block applied.

    Every block is looked up in the original, at exactly one place; the order of the blocks does not matter, and a
    block given twice counts once. Whatever no block names stays byte for byte: line ends, byte order mark and the end
    of the file included. An empty replacement deletes the lines found. `path` only tells the kind of file.

    Raises EditsFailed, with a reason for each block that cannot be applied.
    """
    text = Original(original)
    hits, failures = find_all(text, blocks, path)
    if failures:
        raise EditsFailed(failures, [hit.block for hit in hits])
    changes: list[tuple[int, int, str]] = []
    for hit in hits:
        start, end = text.with_line_end(hit.start, hit.end) if hit.lines else (hit.start, hit.end)
        changes.append((max(start, changes[-1][1] if changes else 0), end, hit.new))
    return text.replaced(changes)


def find_all(text: Original, blocks: Sequence[EditBlock], path: str = "") -> tuple[list[Hit], list[EditFailure]]:
    """The places of the blocks that can be applied together, in the file's order, and the failures of all others."""
    hits: list[Hit] = []
    failures: list[EditFailure] = []
    for index, block in enumerate(blocks):
        if block in blocks[:index]:
            continue
        found = locate(text, index, block, path)
        if isinstance(found, Hit):
            hits.append(found)
        else:
            failures.append(found)
    hits.sort(key=lambda hit: (hit.start, hit.end))
    clashing = {hit.index: other for other in hits for hit in hits if hit is not other and _overlap(hit, other)}
    failures += [_overlapping(text, hit, clashing[hit.index]) for hit in hits if hit.index in clashing]
    failures.sort(key=lambda failure: failure.index)
    return [hit for hit in hits if hit.index not in clashing], failures


def _overlap(one: Hit, other: Hit) -> bool:
    return one.start < other.end and other.start < one.end


def _overlapping(text: Original, hit: Hit, other: Hit) -> EditFailure:
    first, last = text.line_at(max(hit.start, other.start)) + 1, text.line_at(min(hit.end, other.end) - 1) + 1
    begins = next(line.strip() for line in other.block.search.split("\n") if line.strip())
    message = (
        f"it names line {first if first == last else f'{first} to {last}'}, and so does the edit whose SEARCH part "
        f"begins with `{begins[:80]}`; make one edit of the two, or let each name only its own lines"
    )
    return EditFailure(hit.index, hit.block, "overlap", message, tuple(range(first, last + 1)))
