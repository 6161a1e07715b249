"""
Trace context: what a record says of the trace that it belongs to.

Source: W3C Trace Context, Level 1, section 3.2.
"""

import re
from collections.abc import Iterable

TRACEPARENT = "traceparent"

_FORM = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.DOTALL)
_NO_VERSION = "ff"
_LONGEST = 512
_SAMPLED = 1


def traceparent_of(headers: Iterable[tuple[str, bytes | str | None]]) -> str:
    """
    Find a record's `traceparent`, in a form that may be passed on: 55 characters.

    Of a later version what is known of this one is kept; the only flag that is known is `sampled`.

    Returns:
        empty where there is none, more than one, or something else: who gets it starts a trace of its own then.
    """
    found = [value for name, value in headers if name.lower() == TRACEPARENT]
    if len(found) != 1 or found[0] is None or len(found[0]) > _LONGEST:
        return ""
    text = found[0].decode("latin-1") if isinstance(found[0], bytes) else found[0]
    parts = _FORM.fullmatch(text)
    if parts is None:
        return ""
    version, trace_id, parent_id, flags, more = parts.groups()
    if version == _NO_VERSION or (version == "00" and more is not None):
        return ""
    if not trace_id.strip("0") or not parent_id.strip("0"):
        return ""
    return f"00-{trace_id}-{parent_id}-{int(flags, 16) & _SAMPLED:02x}"
