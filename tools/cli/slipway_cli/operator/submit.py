"""What `slipway submit` sends: a request from a file, with what belongs to this system filled in."""

import json
import uuid
from pathlib import Path

from slipway_cli.operator.errors import OperatorError
from slipway_cli.operator.reach import Reach


def request_body(file: Path, reach: Reach, *, as_is: bool) -> bytes:
    """The request to send. Raises OperatorError.

    Unless `as_is`: the secret of this system, a fresh nonce (so that it is a new job) and, where a sandbox runs, its
    evaluator; without one the file's `evaluation_url` is notified.
    """
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise OperatorError(f"{file}: {error.strerror}") from None
    if as_is:
        return raw
    try:
        request = json.loads(raw)
    except ValueError as error:
        raise OperatorError(f"{file}: not JSON ({error}); --as-is sends it all the same") from None
    if not isinstance(request, dict):
        raise OperatorError(f"{file}: not a JSON object; --as-is sends it all the same")
    if not reach.student_secret:
        raise OperatorError("STUDENT_SECRET is not set and no `./run up` is running here; set it, or use --as-is")
    filled = {**request, "secret": reach.student_secret, "nonce": str(uuid.uuid4())}
    if reach.sandbox_url:
        filled["evaluation_url"] = f"{reach.sandbox_url}/notify"
    return json.dumps(filled).encode()
