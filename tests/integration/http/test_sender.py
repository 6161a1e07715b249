"""
What goes out, and what comes back as an outcome.
"""

import socket
import threading
from pathlib import Path

import pytest

from odim_relay.adapters.http.resolver import AddressInfo
from odim_relay.adapters.http.sender import RequestsSender
from odim_relay.errors import PermanentError
from tests.integration.http.conftest import MakeSender
from tests.integration.http.posting import post, read_request, scripted_server, try_to_post
from tests.support.receiver import Behaviour, Receiver

pytestmark = pytest.mark.server


def test_bytes_and_headers_arrive_as_given(sender: RequestsSender, receiver: Receiver, path: str) -> None:
    body = bytes(range(256)) * 400

    outcome = post(sender, receiver.url(path), body=body, headers=(("OData-Version", "4.0"), ("X-Umlaut", "ü")))

    assert (outcome.status, outcome.failure, outcome.detail, outcome.retry_after_s) == (200, None, "", None)
    assert 0 < outcome.duration_s < 10
    [(webhook_id, headers, received)] = receiver.bodies(path)
    assert webhook_id == "delivery-1"
    assert received == body
    assert {"OData-Version": "4.0", "X-Umlaut": "ü", "Content-Length": str(len(body))}.items() <= dict(headers).items()
    assert dict(headers)["Host"] == f"127.0.0.1:{receiver.port}"


def test_the_last_header_of_a_name_wins_in_any_case(
    sender: RequestsSender, plain_receiver: Receiver, path: str
) -> None:
    headers = (("X-Colour", "red"), ("x-colour", "blue"), ("user-agent", "mine"))

    post(sender, plain_receiver.url(path), headers=headers)

    [(_, sent, _)] = plain_receiver.bodies(path)
    assert [value for name, value in sent if name.lower() == "x-colour"] == ["blue"]
    assert [value for name, value in sent if name.lower() == "user-agent"] == ["mine"]


def test_the_user_agent_is_ours_when_the_request_has_none(
    sender: RequestsSender, plain_receiver: Receiver, path: str
) -> None:
    post(sender, plain_receiver.url(path))

    assert ("User-Agent", "odim-relay/test") in plain_receiver.bodies(path)[0][1]


def test_framing_is_not_for_callers(sender: RequestsSender, plain_receiver: Receiver, path: str) -> None:
    headers = (
        ("Transfer-Encoding", "chunked"),
        ("content-length", "1"),
        ("Host", "elsewhere"),
        ("Connection", "close"),
    )

    assert post(sender, plain_receiver.url(path), body=b"abc", headers=headers).status == 200

    [(_, sent, body)] = plain_receiver.bodies(path)
    assert body == b"abc"
    assert "elsewhere" not in dict(sent).values()
    assert not {"Transfer-Encoding", "Connection"} & dict(sent).keys()


def test_user_info_becomes_authorization_and_the_query_stays(
    sender: RequestsSender, plain_receiver: Receiver, path: str
) -> None:
    url = plain_receiver.url(path).replace("://", "://al%20ice:s3cret@") + "?a=1&b=%20#part"

    post(sender, url)
    post(sender, url, webhook_id="delivery-2", headers=(("Authorization", "Bearer x"),))

    first, second = (dict(headers) for _, headers, _ in plain_receiver.bodies(path))
    assert first["Authorization"] == "Basic YWwgaWNlOnMzY3JldA=="
    assert second["Authorization"] == "Bearer x"
    assert "@" not in first["Host"]


def test_the_target_is_path_and_query(sender: RequestsSender) -> None:
    requests: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        requests.append(read_request(connection))
        connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

    with scripted_server(serve) as url:
        assert post(sender, f"{url}/a b?c=d e&f=%7e#part").status == 204

    assert requests[0].startswith(b"POST /hook/a%20b?c=d%20e&f=~ HTTP/1.1\r\n")


@pytest.mark.parametrize("status", [200, 202, 204, 400, 404, 410, 429, 500, 503, 599])
def test_a_status_is_reported_as_it_is(
    sender: RequestsSender, plain_receiver: Receiver, path: str, status: int
) -> None:
    plain_receiver.behave(path, Behaviour(status=status, body="secret of the server"))

    outcome = post(sender, plain_receiver.url(path))

    assert (outcome.status, outcome.failure) == (status, None)
    assert outcome.detail == ("" if status < 300 else f"answered {status}")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_reported_and_not_followed(
    sender: RequestsSender, plain_receiver: Receiver, path: str, status: int
) -> None:
    plain_receiver.behave(path, Behaviour(status=status, headers=(("Location", plain_receiver.url("/elsewhere")),)))

    outcome = post(sender, plain_receiver.url(path))

    assert outcome.status == status
    assert "not followed" in outcome.detail
    assert plain_receiver.counts("/elsewhere") == {}


@pytest.mark.parametrize(
    ("status", "value", "seconds"),
    [
        (429, "7", 7),
        (503, "Thu, 01 Jan 2026 00:01:00 GMT", 60),
        (503, "999999", 86_400),
        (503, "soon", None),
        (500, "7", None),
        (200, "7", None),
    ],
)
def test_retry_after_is_reported_for_429_and_503(
    sender: RequestsSender, plain_receiver: Receiver, path: str, status: int, value: str, seconds: float | None
) -> None:
    plain_receiver.behave(path, Behaviour(status=status, headers=(("Retry-After", value),)))

    assert post(sender, plain_receiver.url(path)).retry_after_s == seconds


def test_cookies_are_not_kept(sender: RequestsSender, plain_receiver: Receiver, path: str) -> None:
    plain_receiver.behave(path, Behaviour(headers=(("Set-Cookie", "session=1; Path=/"),)))

    post(sender, plain_receiver.url(path))
    post(sender, plain_receiver.url(path))

    assert all("Cookie" not in dict(headers) for _, headers, _ in plain_receiver.bodies(path))


def test_the_environment_has_no_say(
    make_sender: MakeSender, plain_receiver: Receiver, path: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login alice password s3cret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    assert post(make_sender(), plain_receiver.url(path)).status == 200

    assert "Authorization" not in dict(plain_receiver.bodies(path)[0][1])


@pytest.mark.parametrize(
    "url",
    [
        "ftp://al:s3cret@127.0.0.1/x",
        "s3cret",
        "http://",
        "http://127.0.0.1:s3cret/",
        "http://127.0.0.1:99999/?s3cret",
        "file:///etc/passwd?s3cret",
        "",
    ],
)
def test_a_url_that_cannot_be_used_is_our_own_fault(sender: RequestsSender, url: str) -> None:
    with pytest.raises(PermanentError) as raised:
        post(sender, url)

    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize(
    "header", [("X-A", "a\r\nX-B: b"), ("X-A", "a\nb"), ("X-A", "a\rb"), ("X\r\n", ""), ("X", "€")]
)
def test_a_header_that_cannot_be_sent_is_our_own_fault(
    sender: RequestsSender, plain_receiver: Receiver, path: str, header: tuple[str, str]
) -> None:
    with pytest.raises(PermanentError):
        post(sender, plain_receiver.url(path), headers=(header,))

    assert plain_receiver.counts(path) == {}


def test_nothing_is_asked_when_connecting_was_quick(
    sender: RequestsSender, plain_receiver: Receiver, path: str
) -> None:
    outcome = try_to_post(sender, plain_receiver.url(path), may_send=lambda: pytest.fail("was asked"))

    assert outcome is not None


@pytest.mark.parametrize("may_send", [True, False])
def test_the_right_to_send_is_asked_for_again_when_connecting_took_long(
    make_sender: MakeSender, plain_receiver: Receiver, path: str, may_send: bool
) -> None:
    def lookup(name: str, port: int) -> list[AddressInfo]:
        threading.Event().wait(3.1)
        return [(2, 1, 6, "", ("127.0.0.1", port))] if name else []

    asked: list[int] = []

    def ask() -> bool:
        asked.append(plain_receiver.request_count(path))
        return may_send

    outcome = try_to_post(make_sender(lookup=lookup), plain_receiver.url(path, host="slow.example"), may_send=ask)

    assert asked == [0]
    assert (outcome is not None) is may_send
    assert plain_receiver.counts(path) == ({"delivery-1": 1} if may_send else {})


def test_a_sender_starts_no_thread_before_it_sends(make_sender: MakeSender) -> None:
    before = threading.active_count()

    make_sender()

    assert threading.active_count() == before


def test_the_session_still_works_as_requests_own(sender: RequestsSender, receiver: Receiver, path: str) -> None:
    answer = sender._session.post(receiver.url(path), data=b"{}", timeout=5)

    assert answer.status_code == 200
