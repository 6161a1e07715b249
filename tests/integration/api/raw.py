"""
Requests byte by byte, as no client library sends them.
"""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

from tests.support.api_process import ApiProcess


@contextmanager
def connection(api: ApiProcess, *, timeout_s: float = 10.0) -> Iterator[ssl.SSLSocket]:
    """
    A connection over TLS that nothing was sent on.
    """
    url = urlsplit(api.url)
    context = ssl.create_default_context(cafile=str(api.ca_file))
    with (
        socket.create_connection((url.hostname, url.port), timeout_s) as plain,
        context.wrap_socket(plain, server_hostname=url.hostname) as wrapped,
    ):
        yield wrapped


def read_to_end(wrapped: ssl.SSLSocket) -> bytes:
    """
    All that comes until the other side ends it; raises TimeoutError when nothing comes any more and it does not end.
    """
    received = bytearray()
    with suppress(ConnectionError, ssl.SSLError):  # an end without a word is an end
        while chunk := wrapped.recv(65_536):
            received += chunk
    return bytes(received)


def exchange(api: ApiProcess, request: bytes) -> tuple[int, bytes]:
    """
    Send this, and return the status and all of the answer; 0 for an end without an answer.
    """
    with connection(api) as wrapped:
        with suppress(ConnectionError, ssl.SSLError):  # it may answer before it has everything
            wrapped.sendall(request)
        answer = read_to_end(wrapped)
    line = answer.split(b"\r\n", 1)[0].split()
    return (int(line[1]) if len(line) > 1 else 0), answer
