"""W3C Trace Context: one trace per job, one span per event (https://www.w3.org/TR/trace-context/)."""

import re
import secrets

_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")


def child_traceparent(parent: str) -> str:
    """A new span in the trace of `parent`; a new trace where `parent` is empty or malformed."""
    match = _TRACEPARENT.fullmatch(parent)
    trace = match[1] if match else secrets.token_hex(16)
    return f"00-{trace}-{secrets.token_hex(8)}-01"
