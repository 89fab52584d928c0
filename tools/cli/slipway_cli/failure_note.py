"""A note that something could not be had, so that the next start does not spend its time on it again."""

import time
from pathlib import Path

GOOD_FOR_S = 3600.0


def read_failure(note: Path) -> str:
    """Why it could not be had within the last hour, and how to have it tried again; empty if it may be tried."""
    try:
        fresh = time.time() - note.stat().st_mtime < GOOD_FOR_S
        return f"{note.read_text().strip()}; remove {note} to have it tried again" if fresh else ""
    except FileNotFoundError:
        return ""


def write_failure(note: Path, reason: str) -> None:
    """Leaves the note."""
    note.parent.mkdir(parents=True, exist_ok=True)
    note.write_text(reason + "\n")
