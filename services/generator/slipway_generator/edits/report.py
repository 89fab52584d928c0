"""Tells the model why its edits could not be applied: the failed block, the reason, the file's real lines there."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from slipway_generator.edits.errors import EditFailure
from slipway_generator.edits.original import Original, fold
from slipway_generator.reply import EditBlock

_AROUND = 3
_MOST_PLACES = 3
_LONGEST_BLOCK = 40
_LONGEST_LINE = 240
_ALIKE = 0.6


def failure_report(path: str, original: str, failures: Sequence[EditFailure], good: Sequence[EditBlock] = ()) -> str:
    """The report on one file's failed edits, as text for the model. `good` are the blocks that are kept."""
    text = Original(original)
    parts = [f"## {path}: {_count(len(failures), 'edit')} could not be applied, so nothing was changed"]
    if good:
        parts.append(
            f"{_count(len(good), 'edit')} of this file {'is' if len(good) == 1 else 'are'} good and kept for you. "
            f"Do not send {'it' if len(good) == 1 else 'them'} again; send only the failed ones, corrected, "
            f"in a block for {path}. The file is as it was shown to you: none of your edits is in it yet."
        )
    else:
        parts.append(f"Send them again, corrected, in a block for {path}. The file is as it was shown to you.")
    parts += [_failure(text, failure) for failure in failures]
    return "\n\n".join(parts)


def _failure(text: Original, failure: EditFailure) -> str:
    block = failure.block
    parts = [
        f"### {failure.reason.capitalize()}",
        f"Why: {failure.message}.",
        "The edit was:",
        "\n".join(["<<<<<<< SEARCH", *_cut(block.search), "=======", *_cut(block.replace), ">>>>>>> REPLACE"]),
    ]
    places = [(line - 1, 1) for line in failure.lines]
    if failure.reason in ("overlap", "indentation") and places:
        places = [(places[0][0], len(places))]
    if not places and (nearest := _nearest(text, block.search.split("\n"))):
        places = [(nearest.line, nearest.lines)]
        if nearest.difference:
            parts.append(nearest.difference)
    if places:
        parts.append("The file's real lines there (the numbers and bars are not part of the text):")
        parts += [_numbered(text, line, lines) for line, lines in places[:_MOST_PLACES]]
    return "\n".join(parts)


@dataclass(frozen=True)
class _Nearest:
    line: int
    lines: int
    difference: str


def _nearest(text: Original, search: Sequence[str]) -> _Nearest | None:
    """The place that most of the search lines speak for; rare lines speak louder."""
    wanted = [fold(line).strip() for line in search]
    votes: Counter[int] = Counter()
    for number, line in enumerate(wanted):
        places = text.folded_at.get(line, []) if line else []
        for at in places:
            votes[at - number] += min(len(line), 60) * 100 // len(places)
    if votes:
        start = max(votes.most_common(1)[0][0], 0)
    else:
        start = _most_alike(text, wanted)
        if start < 0:
            return None
    for number, line in enumerate(wanted):
        at = start + number
        if at < len(text.lines) and text.folded[at] != line:
            difference = (
                f"Line {number + 1} of the SEARCH part is `{search[number].strip()[:_LONGEST_LINE]}`, "
                f"but line {at + 1} of the file is `{text.lines[at].strip()[:_LONGEST_LINE]}`."
            )
            return _Nearest(start, len(search), difference)
    return _Nearest(start, len(search), "")


def _most_alike(text: Original, wanted: Sequence[str]) -> int:
    number, longest = max(enumerate(wanted), key=lambda item: len(item[1]))
    best, best_at = _ALIKE, -1
    matcher = SequenceMatcher(None, autojunk=False)
    matcher.set_seq2(longest[:_LONGEST_LINE])
    for at, line in enumerate(text.folded):
        matcher.set_seq1(line[:_LONGEST_LINE])
        if matcher.real_quick_ratio() > best and matcher.quick_ratio() > best and (ratio := matcher.ratio()) > best:
            best, best_at = ratio, at
    return max(best_at - number, 0) if best_at >= 0 else -1


def _numbered(text: Original, line: int, lines: int) -> str:
    first, last = max(line - _AROUND, 0), min(line + min(lines, _LONGEST_BLOCK) + _AROUND, len(text.lines))
    return "\n".join(f"{number + 1:>5} | {text.lines[number][:_LONGEST_LINE]}" for number in range(first, last))


def _cut(text: str) -> list[str]:
    lines = text.split("\n") if text else []
    if len(lines) <= _LONGEST_BLOCK:
        return lines
    return [*lines[: _LONGEST_BLOCK // 2], f"({len(lines) - _LONGEST_BLOCK} lines)", *lines[-_LONGEST_BLOCK // 2 :]]


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"
