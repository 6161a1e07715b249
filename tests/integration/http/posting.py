"""
What the tests of the sender share.
"""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from odim_relay.adapters.http.sender import RequestsSender
from odim_relay.domain.outcome import Outcome
from odim_relay.domain.tls import USUAL, TlsTerms
from odim_relay.ports import OutgoingRequest


def always() -> bool:
    return True


def try_to_post(  # noqa: PLR0913 - as many as there are
    sender: RequestsSender,
    url: str,
    *,
    webhook_id: str = "delivery-1",
    body: bytes = b'{"Events": []}',
    headers: tuple[tuple[str, str], ...] = (),
    may_send: Callable[[], bool] = always,
    timeout_s: float = 10.0,
    is_repeatable: bool = True,
    tls: TlsTerms = USUAL,
) -> Outcome | None:
    request = OutgoingRequest(
        url=url, body=body, headers=(("webhook-id", webhook_id), *headers), is_repeatable=is_repeatable, tls=tls
    )
    return sender.send(request, may_send=may_send, timeout_s=timeout_s)


def post(
    sender: RequestsSender,
    url: str,
    *,
    webhook_id: str = "delivery-1",
    body: bytes = b'{"Events": []}',
    headers: tuple[tuple[str, str], ...] = (),
    timeout_s: float = 10.0,
    is_repeatable: bool = True,
    tls: TlsTerms = USUAL,
) -> Outcome:
    outcome = try_to_post(
        sender,
        url,
        webhook_id=webhook_id,
        body=body,
        headers=headers,
        timeout_s=timeout_s,
        is_repeatable=is_repeatable,
        tls=tls,
    )
    assert outcome is not None
    return outcome


@contextmanager
def scripted_server(serve: Callable[[socket.socket], None], host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """
    Serve each connection by `serve`, one after the other, then close it; gives the URL.
    """
    with socket.create_server((host, port)) as listener:

        def run() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:  # the listener was shut down: the test is over
                    return
                # The client may break off whenever it likes.
                with connection, suppress(ConnectionError):
                    connection.settimeout(10)
                    serve(connection)

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield f"http://{host}:{listener.getsockname()[1]}/hook"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def read_request(connection: socket.socket) -> bytes:
    """
    Read one request of which head and body end in the same piece, which short ones do.
    """
    return connection.recv(65_536)
