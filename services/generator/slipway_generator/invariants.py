"""Measures how surgical a change is: what of the old file is still there, and what was lost."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from slipway_generator.markup import Markup

_PAGES = (".html", ".htm")
_CONTROLS = ("input", "select", "textarea", "button", "option", "form")
_VERSION = re.compile(r"@v?\d[\w.+-]*|(?<=/)v?\d+(?:\.\d+)+(?=/)")


@dataclass(frozen=True)
class Limits:
    """What a revision may do to a file before it counts as more than an edit."""

    min_untouched: float = 0.6
    """Share of the old lines that must be kept in order."""
    min_size: float = 0.7
    """New size over old size, in characters."""
    max_size: float = 3.0
    slack: int = 12_000
    """Characters by which a file may grow whatever its size: a small page takes on its first features."""


LIMITS = Limits()


@dataclass(frozen=True)
class Invariants:
    """What a change kept and lost. `untouched` = share (0..1) of the old file's lines that are kept in order."""

    path: str
    untouched: float
    old_size: int
    new_size: int
    lost_ids: tuple[str, ...] = ()
    lost_names: tuple[str, ...] = ()
    lost_controls: tuple[str, ...] = ()
    lost_resources: tuple[str, ...] = ()
    """Scripts and links that the old page loaded and the new one does not, whatever their version."""

    def violations(self, limits: Limits = LIMITS) -> list[str]:
        """What goes beyond a surgical edit, each as a sentence that the model can act upon."""
        found = [
            f"{self.path}: {what} {', '.join(lost)} of the old page {'are' if len(lost) > 1 else 'is'} gone; "
            "keep what the brief does not ask to remove"
            for what, lost in (
                ("id", self.lost_ids),
                ("name", self.lost_names),
                ("form control", self.lost_controls),
                ("script or link", self.lost_resources),
            )
            if lost
        ]
        if self.untouched < limits.min_untouched:
            found.append(
                f"{self.path}: only {self.untouched:.0%} of the old lines are kept, under {limits.min_untouched:.0%}; "
                "change only the lines that the brief needs changed"
            )
        if self.new_size < limits.min_size * self.old_size:
            found.append(
                f"{self.path}: it shrank from {self.old_size} to {self.new_size} characters; keep all earlier features"
            )
        if self.new_size > max(limits.max_size * self.old_size, self.old_size + limits.slack):
            found.append(
                f"{self.path}: it grew from {self.old_size} to {self.new_size} characters; add only what the brief asks"
            )
        return found


def compare(old: str, new: str, path: str) -> Invariants:
    """What of a file's old text the new one keeps. Only HTML pages have ids, names, controls, scripts and links."""
    if not path.lower().endswith(_PAGES):
        return Invariants(path, untouched_share(old, new), len(old), len(new))
    before, after = _Inventory(Markup(old)), _Inventory(Markup(new))
    return Invariants(
        path,
        untouched_share(old, new),
        len(old),
        len(new),
        lost_ids=tuple(name for name in before.ids if name not in after.ids and not after.makes("id", name)),
        lost_names=tuple(name for name in before.names if name not in after.names and not after.makes("name", name)),
        lost_controls=_lost(before.controls, after.controls),
        lost_resources=tuple(url for key, url in before.resources.items() if key not in after.resources),
    )


def untouched_share(old: str, new: str) -> float:
    """The share of the old text's lines that the new text has in the same order: 1.0 where there are none."""
    old_lines, new_lines = old.split("\n"), new.split("\n")
    if old_lines and not old_lines[-1]:
        old_lines.pop()
    if not old_lines:
        return 1.0
    first = 0
    while first < min(len(old_lines), len(new_lines)) and old_lines[first] == new_lines[first]:
        first += 1
    last = 0
    while last < min(len(old_lines), len(new_lines)) - first and old_lines[-1 - last] == new_lines[-1 - last]:
        last += 1
    middle = _common_in_order(old_lines[first : len(old_lines) - last], new_lines[first : len(new_lines) - last])
    return (first + middle + last) / len(old_lines)


def _common_in_order(old: list[str], new: list[str]) -> int:
    """The length of the longest common subsequence, one bit of an integer for each old line.

    Source of the method: H. Hyyro, "Bit-parallel LCS-length computation revisited" (2004).
    """
    if not old or not new:
        return 0
    masks: dict[str, int] = {}
    for number, line in enumerate(old):
        masks[line] = masks.get(line, 0) | 1 << number
    full = (1 << len(old)) - 1
    row = full
    for line in new:
        matches = row & masks.get(line, 0)
        row = ((row + matches) | (row - matches)) & full
    return len(old) - row.bit_count()


class _Inventory:
    """What of a page others may rely on."""

    def __init__(self, page: Markup) -> None:
        tags = page.start_tags
        self.ids = page.ids
        self.names = tuple(dict.fromkeys(name for tag in tags if tag.name != "meta" and (name := tag.get("name"))))
        self.controls = Counter(_control(tag.name, tag.get("type")) for tag in tags if tag.name in _CONTROLS)
        urls = (
            tag.get("src") if tag.name == "script" else tag.get("href")
            for tag in tags
            if tag.name in ("script", "link")
        )
        self.resources: Mapping[str, str] = {_VERSION.sub("", url): url for url in urls if url}
        self._scripts = "\n".join(raw.text for raw in page.scripts())

    def makes(self, attribute: str, value: str) -> bool:
        """Whether a script makes an element with this attribute: `x.id = "a"`, `{ id: "a" }`, `<p id="a">`."""
        made = rf"""\b{attribute}["'`]?\s*(?:[=:,]|\\u003d)\s*\\?["'`]?{re.escape(value)}(?![\w-])"""
        return re.search(made, self._scripts) is not None


def _control(tag: str, kind: str | None) -> str:
    return f'{tag}[type="{kind.lower()}"]' if tag == "input" and kind else tag


def _lost(before: Counter[str], after: Counter[str]) -> tuple[str, ...]:
    return tuple(f"{control} ({count} fewer)" for control, count in (before - after).items())
