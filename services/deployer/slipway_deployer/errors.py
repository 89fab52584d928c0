"""What GitHub's REST interface can answer, as a small tree, and which outcome of the stage each error is.

    ForgeError
    ├── UnreachableError        no usable answer (connection, timeout, 5xx): the outcome is unknown    -> Retry
    ├── BusyError               a rate limit, GitHub's or our own budget: `after` seconds              -> Wait
    ├── TokenError              401: the token is not valid                                            -> Pause
    ├── PermissionDeniedError   403: the token may not do this                                         -> Pause
    ├── NotThereError           404: not there, not there yet, or hidden from this token               -> Retry
    ├── ConflictError           409: already there, or not settled yet                                 -> Retry
    ├── NameTakenError          422: the owner has a repository of this name                           -> Retry
    └── InvalidError            422 and any other refusal of what was sent                             -> Reject

The errors of the git protocol (slipway_common.git_http) are mapped likewise. Everything that the stage does is
idempotent, so an unknown outcome is met by doing it again.
"""

from slipway_common.git_http import GitBusyError, GitError, GitRefusedError, GitTooLargeError
from slipway_common.stage import Outcome, Pause, Reject, Retry, Wait

GIT_BUSY_WAIT_S = 60.0


class ForgeError(Exception):
    """GitHub did not do what was asked."""


class UnreachableError(ForgeError):
    """No usable answer: what was asked may or may not be done."""


class BusyError(ForgeError):
    """Not before `after` seconds."""

    def __init__(self, message: str, after: float) -> None:
        super().__init__(message)
        self.after = after


class TokenError(ForgeError):
    """GITHUB_TOKEN is not valid."""


class PermissionDeniedError(ForgeError):
    """GITHUB_TOKEN lacks a permission."""


class NotThereError(ForgeError):
    """What was asked for is not there, or not there yet."""


class ConflictError(ForgeError):
    """It is already there, or not settled yet."""


class NameTakenError(ForgeError):
    """The owner already has a repository of this name."""


class InvalidError(ForgeError):
    """GitHub refuses what was sent."""


def outcome_of(error: ForgeError | GitError) -> Outcome:
    """What the stage says when it ends with this error."""
    reason = str(error)
    match error:
        case BusyError():
            return Wait(reason, error.after)
        case GitBusyError():
            return Wait(reason, GIT_BUSY_WAIT_S if error.retry_after is None else error.retry_after)
        case TokenError():
            return Pause(f"{reason}; put a valid token into GITHUB_TOKEN")
        case PermissionDeniedError():
            return Pause(f"{reason}; GITHUB_TOKEN needs Administration, Contents, Pages and Workflows: read and write")
        case InvalidError() | GitTooLargeError():
            return Reject(reason)
        case GitRefusedError() if error.status == 401:
            return Pause(f"{reason}: git does not take GITHUB_TOKEN; put a valid token into it")
        case _:
            return Retry(reason)
