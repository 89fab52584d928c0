"""Giving a job back to the generator, when the branch moved after its app was made."""

import base64
from datetime import UTC, datetime

from slipway_common.events import Attachment, AttachmentRef, Generated, Received
from slipway_common.repository import App
from slipway_common.stage import Reject


def hand_back(event: Generated, app: App | None, limit: int) -> Received:
    """The request as it came, with its attachments inline again; `app` has those that the event knows by sha only.

    Raises Reject after `limit` times, or when an attachment's bytes are nowhere left.
    """
    if event.hand_backs >= limit:
        raise Reject(f"the branch moved {limit} times while this job was built; replay it when the others are done")
    return Received(
        job=event.job,
        at=datetime.now(UTC),
        brief=event.request.brief,
        checks=event.request.checks,
        attachments=tuple(_attachment(ref, event, app) for ref in event.request.attachments),
        hand_backs=event.hand_backs + 1,
        spent=event.report.usage,
    )


def _attachment(ref: AttachmentRef, event: Generated, app: App | None) -> Attachment:
    data = _bytes_at(ref.path, event, app)
    if data is None or len(data) < ref.size:
        raise Reject(f"attachment {ref.name!r}: its bytes are not in the repository any more; send the task again")
    encoded = base64.b64encode(data[: ref.size]).decode()
    return Attachment(name=ref.name, url=f"data:{ref.media_type};base64,{encoded}")


def _bytes_at(path: str, event: Generated, app: App | None) -> bytes | None:
    for file in event.files:
        if file.path == path:
            return file.data
    if app is None:
        return None
    return next((app.blob(kept.sha) for kept in event.kept if kept.path == path), None)
