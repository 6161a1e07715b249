"""
Messages of a stream of events. Source: HTML, Server-sent events.
"""


def sign_of_life(entry_id: str) -> bytes:
    """
    Tells that the stream is open, and how far it was read: a client that comes back goes on from there, also when none
    of what was read was for it. Clients make no event of it, for it has no data.
    """
    return b"id: %b\n: alive\n\n" % entry_id.encode()


def stream_message(data: bytes, entry_id: str = "") -> bytes:
    """
    One message.

    Args:
        data: may have line breaks, of whatever kind.
        entry_id: what a client tells as `Last-Event-ID` when it comes back; empty leaves that of the message before.
    """
    head = b"id: %b\n" % entry_id.encode() if entry_id else b""
    return head + b"".join(b"data: %b\n" % line for line in data.splitlines()) + b"\n"
