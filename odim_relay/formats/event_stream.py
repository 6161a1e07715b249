"""
Messages of a stream of events. Source: HTML, Server-sent events.
"""

KEEP_ALIVE = b": alive\n\n"
"""
A comment: it tells nothing but that the stream is open.
"""


def stream_message(data: bytes, entry_id: str = "") -> bytes:
    """
    One message.

    Args:
        data: may have line breaks, of whatever kind.
        entry_id: what a client tells as `Last-Event-ID` when it comes back; empty leaves that of the message before.
    """
    head = b"id: %b\n" % entry_id.encode() if entry_id else b""
    return head + b"".join(b"data: %b\n" % line for line in data.splitlines()) + b"\n"
