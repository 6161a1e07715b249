"""
The body of a response, for the few requests whose answer is read.
"""

import re
from dataclasses import dataclass

from odim_relay.adapters.http.response import Head
from odim_relay.domain.outcome import Outcome

_CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,8})[^\n]*\r?\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """
    What came back, with its body: at most 16 KiB of it, empty without one.
    """

    outcome: Outcome
    body: bytes


def body_of(head: Head, received: bytes) -> bytes:
    """
    The body in what was received, which begins with `head`: as much of it as came.
    """
    if not head.is_chunked:
        return received[head.end : None if head.body_length is None else head.end + head.body_length]
    parts = []
    at = head.end
    while (line := _CHUNK_LINE.match(received, at)) is not None and (size := int(line[1], 16)):
        parts.append(received[line.end() : line.end() + size])
        at = line.end() + size
        at += 2 if received[at : at + 2] == b"\r\n" else 1
    return b"".join(parts)
