"""
What a handler answers.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

JSON = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """
    An answer; the framework adds what every answer has.

    Attributes:
        body: a JSON object; None is no body, or `content`.
        headers: further ones.
        etag: empty is the body's `@odata.etag`, if it has one.
        content: a body that is no JSON, of `media_type`.
    """

    status: int = 200
    body: dict[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    etag: str = ""
    content: bytes = b""
    media_type: str = JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamReply:
    """
    An answer that goes on, as `text/event-stream`.

    Attributes:
        chunks: each is sent at once. Closed (`aclose`) when the client leaves or the process stops.
        headers: further ones.
    """

    chunks: AsyncGenerator[bytes, None]
    headers: Mapping[str, str] = field(default_factory=dict)


def with_messages(body: dict[str, Any], messages: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """
    The resource, with what is to be said of it; without messages the resource itself.
    """
    return {**body, "@Message.ExtendedInfo": list(messages)} if messages else body
