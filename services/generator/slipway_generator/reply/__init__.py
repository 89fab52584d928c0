"""A model's reply, read strictly: text in, whole files, edits and removals out, or a typed error."""

from slipway_generator.reply.errors import (
    ConflictError,
    EmptyFileError,
    MalformedEditError,
    NoBlockError,
    PathError,
    PlaceholderError,
    ReplyError,
    UnterminatedBlockError,
)
from slipway_generator.reply.model import EditBlock, FileEdits, Part, Removal, Reply, WholeFile
from slipway_generator.reply.parser import parse_reply

__all__ = [
    "ConflictError",
    "EditBlock",
    "EmptyFileError",
    "FileEdits",
    "MalformedEditError",
    "NoBlockError",
    "Part",
    "PathError",
    "PlaceholderError",
    "Removal",
    "Reply",
    "ReplyError",
    "UnterminatedBlockError",
    "WholeFile",
    "parse_reply",
]
