"""
How a receiver answers the requests at one path.
"""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Mode(StrEnum):
    """
    What happens to a request.

    Every mode but NEVER_READ reads the whole request and counts it first.
    """

    ANSWER = "answer"
    # Keep the connection open and say nothing.
    HANG = "hang"
    # Send the head, or the body after a whole head, byte by byte.
    DRIP_HEAD = "drip_head"
    DRIP_BODY = "drip_body"
    # Close without a byte of answer.
    CLOSE = "close"
    # The same, but only to requests that are not the first of their connection: what a client sees whose
    # connection was closed as idle while its request was on its way.
    CLOSE_REUSED = "close_reused"
    # Close in the middle of the response's head, or of its body.
    CUT_HEAD = "cut_head"
    CUT_BODY = "cut_body"
    # Answer as if to keep the connection, and close it.
    ANSWER_AND_CLOSE = "answer_and_close"
    # Read the head and no byte of the body; nothing is counted.
    NEVER_READ = "never_read"
    # Answer with something that is not HTTP.
    NOT_HTTP = "not_http"


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """
    How requests are answered from now on.

    Attributes:
        first: statuses of the first requests, one each; then `status`. Counted per worker process.
        headers: of every answer.
        body_bytes: pads the answer's body to this many bytes.
        is_chunked: the body comes in chunks, without a `Content-Length`.
        says_close: answers with `Connection: close`, and closes.
        delay_s: between the request's last byte and the answer's first.
        interval_s: between two bytes of a drip.
    """

    mode: Mode = Mode.ANSWER
    status: int = 200
    first: tuple[int, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""
    body_bytes: int = 0
    is_chunked: bool = False
    says_close: bool = False
    delay_s: float = 0.0
    interval_s: float = 1.0

    def to_json(self) -> dict[str, Any]:
        """
        Give what `from_json` takes.
        """
        return asdict(self)

    @classmethod
    def from_json(cls, members: dict[str, Any]) -> "Behaviour":
        """
        Read what `to_json` gave, after a way through JSON.
        """
        return cls(
            **{
                **members,
                "mode": Mode(members["mode"]),
                "first": tuple(members["first"]),
                "headers": tuple((name, value) for name, value in members["headers"]),
            }
        )

    def status_of(self, index: int) -> int:
        """
        Tell the status of the request that is the `index`-th (from 0) since this behaviour began.
        """
        return self.first[index] if index < len(self.first) else self.status

    def answer(self, status: int) -> tuple[bytes, bytes]:
        """
        Give the head and the body of an answer, as they go over the wire.
        """
        body = self.body.encode().ljust(self.body_bytes, b"x")
        lines = [f"HTTP/1.1 {status} Status", "Content-Type: text/plain"]
        if self.is_chunked:
            lines.append("Transfer-Encoding: chunked")
            body = (f"{len(body):x}\r\n".encode() + body + b"\r\n" if body else b"") + b"0\r\n\r\n"
        else:
            lines.append(f"Content-Length: {len(body)}")
        if self.says_close:
            lines.append("Connection: close")
        lines.extend(f"{name}: {value}" for name, value in self.headers)
        return "\r\n".join([*lines, "", ""]).encode(), body
