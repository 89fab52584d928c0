"""Search/replace edits: pure functions from a file and edit blocks to the new file, all or nothing."""

from slipway_generator.edits.application import Applied, apply_reply
from slipway_generator.edits.apply import apply_edits
from slipway_generator.edits.errors import ChangeRefused, EditFailure, EditsFailed, Problem
from slipway_generator.edits.report import failure_report
from slipway_generator.edits.staging import Staging

__all__ = [
    "Applied",
    "ChangeRefused",
    "EditFailure",
    "EditsFailed",
    "Problem",
    "Staging",
    "apply_edits",
    "apply_reply",
    "failure_report",
]
