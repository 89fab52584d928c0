"""What the doctor says of one part."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "not seen", "problem"]


@dataclass(frozen=True)
class Finding:
    """One line. `way_out` says how to mend a problem, or where to look for what could not be seen from here."""

    level: Level
    part: str
    said: str
    way_out: str = ""


def ok(part: str, said: str) -> Finding:
    return Finding("ok", part, said)


def problem(part: str, said: str, way_out: str) -> Finding:
    return Finding("problem", part, said, way_out)


def not_seen(part: str, said: str, way_out: str = "") -> Finding:
    return Finding("not seen", part, said, way_out)
