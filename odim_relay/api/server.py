"""
uvicorn, as we want it: a head that does not come is not waited for, and a signal is an order, not a failure.
"""

import asyncio
import json
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from odim_relay.api.http.errors import error_body
from odim_relay.api.http.reply import JSON
from odim_relay.api.http.sending import common_headers
from odim_relay.formats.base_messages import message

_FAREWELL_S = 0.5


class ImpatientProtocol(H11Protocol):
    """
    Closes a connection whose request's head takes too long to come: byte by byte it could take for ever.
    """

    head_within_s = 15.0
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """
        The first head is awaited from here on, TLS included.
        """
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """
        Nothing is awaited any more.
        """
        self._forget()
        super().connection_lost(exc)

    def handle_events(self) -> None:
        """
        A further head is awaited from its first byte on; an idle connection is uvicorn's to close.
        """
        super().handle_events()
        if self.conn.their_state is not h11.IDLE:
            self._forget()
        elif self.conn.trailing_data[0] and self._deadline is None:
            self._await_head()

    def send_400_response(self, msg: str) -> None:
        """
        Say in Redfish's words that this is no HTTP.
        """
        body = json.dumps(error_body([message("GeneralError")])).encode()
        headers = {
            **common_headers("https", {}),
            "Content-Type": JSON,
            "Content-Length": str(len(body)),
            "Connection": "close",
        }
        self.logger.info(msg)
        for event in (
            h11.Response(status_code=400, headers=list(headers.items()), reason=b"Bad Request"),
            h11.Data(data=body),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()
        self._see_off()

    def shutdown(self) -> None:
        """
        Close it now, or after the answer that is under way.
        """
        super().shutdown()
        self._see_off()

    def on_response_complete(self) -> None:
        """
        Go on with the next request, if there is to be one.
        """
        super().on_response_complete()
        self._see_off()

    def _see_off(self) -> None:
        # TLS waits for the other side's farewell, which many clients do not say while they do nothing.
        if self.transport.is_closing():
            self.loop.call_later(_FAREWELL_S, self.transport.abort)

    def _await_head(self) -> None:
        self._deadline = self.loop.call_later(self.head_within_s, self.transport.abort)

    def _forget(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def impatient(head_within_s: float) -> type[ImpatientProtocol]:
    """
    The protocol that waits for a head so long.
    """
    return type("Protocol", (ImpatientProtocol,), {"head_within_s": head_within_s})


class Server(uvicorn.Server):
    """
    Ends with 0 when it is told to: streams are ended at once, other requests may finish.
    """

    def __init__(self, config: uvicorn.Config, *, started: Callable[[], None], stopping: Callable[[], None]) -> None:
        """
        Args:
            started: called when connections are accepted.
            stopping: called, in the event loop, when no more are.
        """
        super().__init__(config)
        self._tell_started = started
        self._tell_stopping = stopping

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """
        Listen, and tell.
        """
        await super().startup(sockets)
        self._tell_started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """
        Tell, and end.
        """
        self._tell_stopping()
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """
        SIGTERM and SIGINT end the server; they are not raised again afterwards.
        """
        numbers = (signal.SIGTERM, signal.SIGINT)
        before: dict[int, Any] = {number: signal.signal(number, self.handle_exit) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
