"""
Bodies off the wire: within a size and a time.
"""

import anyio
from starlette.requests import ClientDisconnect
from starlette.types import Receive

from odim_relay.api.http.checks import too_large
from odim_relay.api.http.errors import refusal

_PATIENCE_S = 2.0


class BodyReader:
    """
    Reads one request's body, once.
    """

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.is_complete = False

    async def read(self, *, limit: int, timeout_s: float) -> bytes:
        """
        All of it.

        Raises:
            RedfishError: 413; it is longer than `limit`. 408; it did not come in time.
            ClientDisconnect: nobody waits for an answer any more.
        """
        body = bytearray()
        try:
            with anyio.fail_after(timeout_s):
                while not self.is_complete:
                    body += await self._next()
                    if len(body) > limit:
                        raise too_large()
        except TimeoutError:
            raise refusal(408, "GeneralError") from None
        return bytes(body)

    async def discard(self, limit: int) -> None:
        """
        Read on and keep nothing: a client that is still sending does not look for an answer, and would lose it when its
        connection is closed. Gives up after a moment, and after `limit` bytes.
        """
        seen = 0
        with anyio.move_on_after(_PATIENCE_S):
            while not self.is_complete and seen < limit:
                seen += len(await self._next())

    async def _next(self) -> bytes:
        event = await self._receive()
        if event["type"] == "http.disconnect":
            raise ClientDisconnect
        self.is_complete = not event.get("more_body", False)
        chunk: bytes = event.get("body", b"")
        return chunk
