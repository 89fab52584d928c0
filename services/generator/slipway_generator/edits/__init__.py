"""Search/replace edits: pure functions from a file and edit blocks to the new file, all or nothing."""

from slipway_generator.edits.application import Applied, apply_reply
from slipway_generator.edits.apply import apply_edits
from slipway_generator.edits.errors import ChangeRefused, EditFailure, EditsFailed, Problem

__all__ = [
    "Applied",
    "ChangeRefused",
    "EditFailure",
    "EditsFailed",
    "Problem",
    "apply_edits",
    "apply_reply",
]
