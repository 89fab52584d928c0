"""Why a reply cannot be read: a small tree of errors, each with a message that the model can act upon.

ReplyError
├── NoBlockError             no file block at all
├── UnterminatedBlockError   a block's end is missing or cannot be told
├── PathError                a block names no file, or one that may not be written
├── EmptyFileError           a whole file without content
├── PlaceholderError         an elision ("... existing code ...") where content belongs
├── ConflictError            two versions of a file, or two kinds of change to it
└── MalformedEditError       SEARCH/REPLACE markers missing, doubled or out of order
"""


class ReplyError(Exception):
    """A reply that was not understood, hence not used in any part.

    `line` is the line of the reply (from 1, after unwrapping), `path` the file concerned where known. `message` says
    what is wrong and what to send instead. `others` are further errors of the same reply.
    """

    def __init__(self, message: str, *, line: int | None = None, path: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.path = path
        self.others: tuple[ReplyError, ...] = ()

    def report(self) -> str:
        """All errors of the reply as text for the model, one line each."""
        return "\n".join(f"- {error._located()}" for error in (self, *self.others))

    def _located(self) -> str:
        where = [part for part in (self.path, f"line {self.line} of the reply" if self.line else None) if part]
        return f"{', '.join(where)}: {self.message}" if where else self.message


class NoBlockError(ReplyError):
    """The reply has no file block."""


class UnterminatedBlockError(ReplyError):
    """A block is not closed, or it cannot be told which fence closes it."""


class PathError(ReplyError):
    """A block names no file, or a path that may not be written."""


class EmptyFileError(ReplyError):
    """A whole file is blank."""


class PlaceholderError(ReplyError):
    """A comment stands where content belongs."""


class ConflictError(ReplyError):
    """The reply says two different things about one file."""


class MalformedEditError(ReplyError):
    """The markers of a SEARCH/REPLACE pair are missing, doubled or out of order, or the search is blank."""
