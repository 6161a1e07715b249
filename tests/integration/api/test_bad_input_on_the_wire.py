"""
What only a broken or hostile client sends: it is answered in time or cut off, and the service goes on.
"""

import base64
import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest

from tests.integration.api.bad_input import GOOD
from tests.integration.api.raw import connection, exchange
from tests.support.api_process import ApiProcess
from tests.support.redfish_client import SUBSCRIPTIONS, members, open_client
from tests.support.redis_server import RedisServer

pytestmark = pytest.mark.server

BODY_TIMEOUT_S = 1


@pytest.fixture(scope="module")
def api(redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiProcess]:
    redis_server.empty()
    settings = {"API__BODY_TIMEOUT_S": BODY_TIMEOUT_S}
    with ApiProcess(tmp_path_factory.mktemp("api"), redis=redis_server, settings=settings) as api:
        yield api


@pytest.fixture(autouse=True)
def _goes_on_and_changed_nothing(api: ApiProcess) -> Iterator[None]:
    yield
    with open_client(api.url, api.ca_file, credentials=(api.user, api.password)) as client:
        assert members(client) == []
    assert not api.lines("api.failed")


def head(api: ApiProcess, *headers: str, method: str = "POST", path: str = SUBSCRIPTIONS) -> bytes:
    credentials = base64.b64encode(f"{api.user}:{api.password}".encode()).decode()
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Authorization: Basic {credentials}", *headers, "", ""]
    return "\r\n".join(lines).encode()


JSON = "Content-Type: application/json"
CHUNKED = "Transfer-Encoding: chunked"
_POST = b"POST /redfish/v1/EventService/Subscriptions HTTP/1.1\r\nHost: x\r\n"


def test_a_chunked_body_without_an_end_is_given_up_in_time(api: ApiProcess) -> None:
    started_at = time.monotonic()

    status, _ = exchange(api, head(api, JSON, CHUNKED) + b'5\r\n{"Des\r\n')

    assert status == 408
    assert BODY_TIMEOUT_S <= time.monotonic() - started_at < BODY_TIMEOUT_S + 5


def test_a_body_that_never_comes_is_given_up_in_time(api: ApiProcess) -> None:
    status, _ = exchange(api, head(api, JSON, "Content-Length: 100"))

    assert status == 408


def test_a_body_that_trickles_in_does_not_get_more_time_with_each_byte(api: ApiProcess) -> None:
    started_at = time.monotonic()
    with connection(api, timeout_s=0.1) as wrapped:
        wrapped.sendall(head(api, JSON, "Content-Length: 100000"))
        answer = b""
        while not answer:
            assert time.monotonic() - started_at < BODY_TIMEOUT_S + 5
            wrapped.sendall(b" ")
            try:
                answer = wrapped.recv(65_536)
            except TimeoutError:
                continue

    assert answer.startswith(b"HTTP/1.1 408 ")


def test_a_chunked_body_that_is_too_long_is_refused_before_its_end(api: ApiProcess) -> None:
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"

    status, answer = exchange(api, head(api, JSON, CHUNKED) + chunk * 32)

    assert status == 413
    assert b"PayloadTooLarge" in answer


def test_a_body_that_is_said_to_be_too_long_is_refused_before_it_comes(api: ApiProcess) -> None:
    status, answer = exchange(api, head(api, JSON, "Content-Length: 1000000000000"))

    assert status == 413
    assert b"PayloadTooLarge" in answer


def test_a_body_that_ends_too_soon_changes_nothing(api: ApiProcess) -> None:
    body = json.dumps(GOOD).encode()
    with connection(api) as wrapped:
        wrapped.sendall(head(api, JSON, f"Content-Length: {len(body) + 10}") + body)
        wrapped.unwrap()


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\r\n\r\n\r\n",
        b"hello\r\n\r\n",
        b"\x00\x01\x02\x03" * 100 + b"\r\n\r\n",
        b"GET /redfish HTTP/1.1\r\n\r\n",
        b"GET /redfish HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
        b"GET /redfish HTTP/1.1\r\nHost: x\r\nno colon here\r\n\r\n",
        b"GET  /redfish  HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /redfish\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /redfish HTTP/1.1\r\nHost: x\r\nX-Long: " + b"x" * 1_000_000 + b"\r\n\r\n",
        b"GET /" + b"x" * 1_000_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /redfish HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X-%d: 1\r\n" % n for n in range(20_000)) + b"\r\n",
        _POST + b"Content-Length: -1\r\n\r\n",
        _POST + b"Content-Length: ten\r\n\r\n",
        _POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
        _POST + b"Transfer-Encoding: gzip\r\n\r\n",
        _POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
    ids=lambda value: repr(value[:50]),
)
def test_what_is_no_http_is_refused(api: ApiProcess, request_bytes: bytes) -> None:
    status, answer = exchange(api, request_bytes)

    assert status == 0 or 400 <= status < 500 or status in {501, 505}, answer[:500]


def test_a_body_with_two_lengths_is_refused(api: ApiProcess) -> None:
    """
    Else a proxy before us may see another request than we do.
    """
    body = json.dumps(GOOD).encode()
    framing = (CHUNKED, f"Content-Length: {len(body)}")

    status, _ = exchange(api, head(api, JSON, *framing) + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))

    assert status == 400


def test_a_connection_on_which_nothing_is_asked_does_not_keep_others_waiting(api: ApiProcess) -> None:
    with ExitStack() as stack:
        for _ in range(50):
            stack.enter_context(connection(api))

        status, _ = exchange(api, head(api, "Connection: close", method="GET"))

    assert status == 200


def test_a_path_with_a_zero_byte_is_not_there(api: ApiProcess) -> None:
    for path in (
        "/redfish/v1/EventService/Subscriptions/%00",
        "/redfish/v1/%ff%fe",
        "/redfish/v1/../v1/EventService/x",
    ):
        status, answer = exchange(api, head(api, "Connection: close", method="GET", path=path))

        assert status == 404, answer


def test_plain_http_to_the_tls_port_is_cut_off(api: ApiProcess) -> None:
    url = urlsplit(api.url)
    with socket.create_connection((url.hostname, url.port), 10) as plain:
        plain.sendall(b"GET /redfish HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = plain.recv(65_536)

    assert b"200" not in answer
