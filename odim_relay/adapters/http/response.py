"""
The bytes of an HTTP/1 response: where they end, what we want of them, whether another may follow. No I/O.

Only what a sender needs is understood. What is unusual but harmless is read leniently and the connection is not used
again. Source: RFC 9112, 2 to 9.
"""

import re
from dataclasses import dataclass

_HEAD_END = re.compile(rb"\n\r?\n")
_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-5][0-9]{2})(?![0-9])")
_CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\n]*)?\r?\n")
_TRAILERS = re.compile(rb"(?:[^\r\n][^\n]*\n)*\r?\n")
_SWITCHING_PROTOCOLS = 101
_FIRST_FINAL_STATUS = 200
_STATUSES_WITHOUT_BODY = frozenset({101, 204, 304})


class NotHttpError(Exception):
    """
    These bytes are no HTTP/1 response; the message says why, without quoting them.
    """


@dataclass(frozen=True, slots=True)
class Head:
    """
    A response's head.

    Attributes:
        end: index of the first byte after it.
        body_length: None when the body is chunked or lasts until the connection closes.
        is_persistent: the connection may be used again when the body has been read to its end.
    """

    end: int
    status: int
    body_length: int | None
    is_chunked: bool
    is_persistent: bool
    retry_after: str | None

    @property
    def is_interim(self) -> bool:
        """
        Tell whether the response proper is still to come.
        """
        return self.status < _FIRST_FINAL_STATUS and self.status != _SWITCHING_PROTOCOLS


def parse_head(received: bytes) -> Head | None:
    """
    Read the head that `received` begins with; None while it is not all there.

    Raises:
        NotHttpError: it is no head.
    """
    blank_line = _HEAD_END.search(received)
    if blank_line is None:
        return None
    head = received[: blank_line.start()]
    status_line = _STATUS_LINE.match(head)
    if status_line is None:
        raise NotHttpError("the answer is not HTTP/1")
    status = int(status_line[2])
    lower = head.lower()
    retry_after = _field(head, lower, b"\nretry-after:")
    connection = _field(lower, lower, b"\nconnection:") or b""
    # HTTP/1.0 closes unless it says otherwise.
    is_persistent = b"keep-alive" in connection if status_line[1] == b"0" else b"close" not in connection
    length: int | None = None
    is_chunked = False
    if status in _STATUSES_WITHOUT_BODY:
        length = 0
        is_persistent = is_persistent and status != _SWITCHING_PROTOCOLS
    elif b"\ntransfer-encoding:" in lower:
        is_chunked = _field(lower, lower, b"\ntransfer-encoding:") == b"chunked"
        # Both kinds of framing in one head: somebody on the way may see the end elsewhere (RFC 9112, 6.3).
        is_persistent = is_persistent and is_chunked and b"\ncontent-length:" not in lower
    elif lower.count(b"\ncontent-length:") == 1:
        value = _field(lower, lower, b"\ncontent-length:") or b""
        length = int(value) if value.isdigit() and len(value) < 19 else None  # noqa: PLR2004 - fits 64 bits
    return Head(
        end=blank_line.end(),
        status=status,
        body_length=length,
        is_chunked=is_chunked,
        is_persistent=is_persistent and (is_chunked or length is not None),
        retry_after=None if retry_after is None else retry_after.decode("latin-1"),
    )


def _field(head: bytes, lower: bytes, name: bytes) -> bytes | None:
    start = lower.find(name)
    if start < 0:
        return None
    start += len(name)
    end = lower.find(b"\n", start)
    return head[start : end if end >= 0 else None].strip()


def response_end(head: Head, received: bytes) -> int | None:
    """
    Find where the response ends in `received`, which begins with `head`; None while its end has not come.

    A body that lasts until the connection closes has no end here.

    Raises:
        NotHttpError: the chunks cannot be read.
    """
    if head.body_length is not None:
        end = head.end + head.body_length
        return end if end <= len(received) else None
    if not head.is_chunked:
        return None
    at = head.end
    while (line := _CHUNK_LINE.match(received, at)) is not None:
        size = int(line[1], 16)
        if size == 0:
            trailers = _TRAILERS.match(received, line.end())
            return trailers.end() if trailers else None
        at = line.end() + size
        line_end = received[at : at + 2]
        if line_end == b"\r\n":
            at += 2
        elif line_end[:1] == b"\n":
            at += 1
        elif line_end in {b"", b"\r"}:
            return None
        else:
            raise NotHttpError("the answer's chunks cannot be read")
    if b"\n" in received[at:]:
        raise NotHttpError("the answer's chunks cannot be read")
    return None
