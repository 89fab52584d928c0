"""The name of a project's repository, and the mark in its description that says Slipway made it.

Both follow from (email, task) alone, so that a later round finds the repository without any record of it.
"""

import hashlib
import json
import re
import unicodedata

MAX_NAME = 100
"""GitHub's limit for the name of a repository; allowed are ASCII letters, digits, `-`, `_` and `.`."""

_SHORT = 10
_LONG = 20


def repository_name(email: str, task: str) -> str:
    """A readable part of the task, then a hash of (email, task): lower case, GitHub-legal, at most MAX_NAME long."""
    return f"{_slug(email, task)[: MAX_NAME - _SHORT - 1].strip('-')}-{_digest(email, task)[:_SHORT]}"


def repository_description(email: str, task: str) -> str:
    """What the creating request says of the repository: well under 350 characters, no control characters."""
    return f"{_slug(email, task)[:100].strip('-')}: a static web app, built by Slipway [{_mark(email, task)}]"


def is_ours(description: str | None, email: str, task: str) -> bool:
    """Whether Slipway made the repository with this description, for this project."""
    return f"[{_mark(email, task)}]" in (description or "")


def _mark(email: str, task: str) -> str:
    return f"slipway:{_digest(email, task)[:_LONG]}"


def _digest(email: str, task: str) -> str:
    # JSON keeps the two apart: ("a", "bc") and ("ab", "c") differ
    return hashlib.sha256(json.dumps([email, task]).encode()).hexdigest()


def _slug(email: str, task: str) -> str:
    """The task in lower-case ASCII letters, digits and single hyphens; without the email, should it stand in it."""
    text = re.sub(re.escape(email), "", task, flags=re.IGNORECASE) if email else task
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or "task"
