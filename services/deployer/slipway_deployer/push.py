"""One push of one commit to `main`: `info/refs`, then `git-receive-pack` with only the new objects.

The push is a compare-and-swap: it goes through only while the branch is where the commit's parent is. The token is
sent in the Authorization header and stands nowhere else.
"""

import base64
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet

from dulwich.errors import GitProtocolError, SendPackError
from dulwich.objects import ObjectID
from dulwich.pack import UnpackedObject, pack_objects_to_data
from dulwich.refs import Ref

from slipway_common.git_http import GitHttp, GitRefusedError, GitUnreachableError
from slipway_common.repository import MAIN
from slipway_deployer.commit import NewCommit


class BranchMovedError(Exception):
    """`main` is not where the commit's parent is (None: it does not exist)."""

    def __init__(self, head: str | None) -> None:
        super().__init__(f"main is at {head}")
        self.head = head


class PushDeclinedError(Exception):
    """The server took the objects and refuses the update by a rule of its own."""


def git_authorization(token: str) -> dict[str, str]:
    """The header with which GitHub takes a token over git: basic authentication, any user name."""
    return {"Authorization": "Basic " + base64.b64encode(f"x-access-token:{token}".encode()).decode()}


def push(url: str, token: str, commit: NewCommit, timeout_s: float) -> bool:
    """Put the commit on `main`; False when it is the head already (one request).

    Raises BranchMovedError, PushDeclinedError, GitError (GitUnreachableError: the outcome is unknown).
    """
    client = GitHttp(url, deadline_s=timeout_s, headers=git_authorization(token))
    sha = ObjectID(commit.sha.encode())
    head: ObjectID | None = None

    def update(refs: dict[Ref, ObjectID]) -> dict[Ref, ObjectID]:
        nonlocal head
        head = refs.get(MAIN)
        if head == sha:
            return {}
        if (head.decode() if head else None) != commit.parent:
            raise BranchMovedError(head.decode() if head else None)
        return {MAIN: sha}

    def new_objects(
        have: AbstractSet[ObjectID],
        want: AbstractSet[ObjectID],
        *,
        ofs_delta: bool = False,
        progress: Callable[[bytes], None] | None = None,
    ) -> tuple[int, Iterator[UnpackedObject]]:
        return pack_objects_to_data(commit.objects)

    try:
        result = client.send_pack(b"", update, new_objects)
    except SendPackError as error:
        raise PushDeclinedError(_words(error.args)) from None
    except (GitProtocolError, AssertionError) as error:
        # dulwich asserts where the server's answer is cut short
        raise GitUnreachableError(f"{url}: broken answer ({type(error).__name__})") from None
    finally:
        client.close()
    if head == sha:
        return False
    report = result.ref_status or {}
    if MAIN not in report:
        raise GitUnreachableError(f"{url}: the push was not reported on")
    refusal = report[MAIN]
    if refusal is None:
        return True
    if "declined" in refusal or "missing necessary objects" in refusal:
        raise PushDeclinedError(refusal)
    # another push took the lock or moved the branch between our two requests
    raise BranchMovedError(None)


def main_head(url: str, token: str, timeout_s: float) -> str | None:
    """Where `main` is (one request); None where it, or the repository, does not exist. Raises GitError."""
    client = GitHttp(url, deadline_s=timeout_s, headers=git_authorization(token))
    try:
        head = client.get_refs(b"", protocol_version=0).refs.get(MAIN)
    except GitRefusedError as error:
        if error.status == 404:
            return None
        raise
    except (GitProtocolError, AssertionError) as error:
        raise GitUnreachableError(f"{url}: broken answer ({type(error).__name__})") from None
    finally:
        client.close()
    return head.decode() if head else None


def _words(parts: Sequence[object]) -> str:
    return " ".join(part.decode("utf-8", "replace") if isinstance(part, bytes) else str(part) for part in parts)
