"""
Destinations are reached through the proxy, and a proxy that fails is told apart from them.
"""

import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from odim_relay.adapters.http.resolver import AddressInfo
from odim_relay.domain.egress import EgressPolicy
from odim_relay.domain.outcome import Failure, Standing, standing_of
from odim_relay.domain.tls import TlsTerms
from tests.integration.http.conftest import MakeSender
from tests.integration.http.posting import post
from tests.support.certificates import Certificate, Certificates
from tests.support.proxy_server import Manner, ProxyServer
from tests.support.receiver import Behaviour, Mode, Receiver
from tests.support.tls_server import TlsServer

pytestmark = pytest.mark.server

SCHEMES = ("http", "https", "socks5", "socks5h")
SECRET = "pa%3Ass"
CREDENTIALS = ("alice", "pa:ss")
NOWHERE = "nowhere.invalid"

MakeProxy = Callable[..., ProxyServer]


@pytest.fixture
def make_proxy(certificates: Certificates) -> Iterator[MakeProxy]:
    with ExitStack() as servers:

        def make(scheme: str, **manner: object) -> ProxyServer:
            chain_file = certificates.chain_files[Certificate.GOOD] if scheme == "https" else None
            server = ProxyServer(manner=Manner(**manner), chain_file=chain_file)  # type: ignore[arg-type]
            return servers.enter_context(server)

        yield make


def no_lookup(name: str, port: int) -> list[AddressInfo]:
    raise OSError(socket.EAI_NONAME, f"we are not to look {name}:{port} up")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_request_arrives_as_it_would_without_a_proxy(
    make_sender: MakeSender, make_proxy: MakeProxy, receiver: Receiver, path: str, scheme: str
) -> None:
    proxy = make_proxy(scheme)
    sender = make_sender(proxy=proxy.url(scheme))
    before = receiver.connections().accepted

    for number in range(20):
        body = b"%d" % number * 3_000
        assert post(sender, receiver.url(path + "?a=b"), webhook_id=str(number), body=body).status == 200
    assert sender.accepts(receiver.url(path), timeout_s=10)

    assert receiver.counts(path) == {str(number): 1 for number in range(20)}
    assert all(body == id_.encode() * 3_000 for id_, _, body in receiver.bodies(path))
    headers = {name.lower() for _, pairs, _ in receiver.bodies(path) for name, _ in pairs}
    assert not headers & {"proxy-authorization", "proxy-connection"}
    assert receiver.connections().accepted - before <= 2  # one for all requests, one for the knock
    is_secure = receiver.ca_file is not None
    kind = "SOCKS address" if scheme.startswith("socks") else "CONNECT" if is_secure else "POST"
    assert {one[:1] + one[2:] for one in proxy.asked} == {(kind, receiver.port)}
    assert proxy.accepted_count == 2


@pytest.mark.parametrize("scheme", SCHEMES)
def test_threads_share_the_proxy(
    make_sender: MakeSender, make_proxy: MakeProxy, receiver: Receiver, path: str, scheme: str
) -> None:
    proxy = make_proxy(scheme)
    sender = make_sender(proxy=proxy.url(scheme), concurrency=4)

    with ThreadPoolExecutor(4) as threads:
        outcomes = list(
            threads.map(lambda number: post(sender, receiver.url(path), webhook_id=str(number)), range(100))
        )

    assert {outcome.status for outcome in outcomes} == {200}
    assert receiver.counts(path) == {str(number): 1 for number in range(100)}
    assert proxy.accepted_count <= 4


@pytest.mark.parametrize("scheme", SCHEMES)
def test_credentials_are_given_and_never_told(
    make_sender: MakeSender, make_proxy: MakeProxy, receiver: Receiver, path: str, scheme: str
) -> None:
    proxy = make_proxy(scheme, credentials=CREDENTIALS)

    given = post(make_sender(proxy=proxy.url(scheme, credentials=f"alice:{SECRET}")), receiver.url(path))
    refused = [
        post(make_sender(proxy=proxy.url(scheme, credentials=credentials)), receiver.url(path))
        for credentials in ("alice:wr%6Fng", "")
    ]

    assert given.status == 200
    for outcome in refused:
        assert outcome.failure is Failure.PROXY
        assert f"the proxy {scheme}://127.0.0.1:{proxy.port}" in outcome.detail
        assert not any(secret in outcome.detail for secret in ("alice", "wrong", "pa:ss", SECRET))
    assert receiver.counts(path) == {"delivery-1": 1}


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("target", ["http", "https"])
def test_a_name_that_the_proxy_knows_is_not_looked_up_here_but_for_socks5(
    make_sender: MakeSender, make_proxy: MakeProxy, certificates: Certificates, scheme: str, target: str
) -> None:
    proxy = make_proxy(scheme, names={NOWHERE: "127.0.0.1"})
    # A certificate for another name: the handshake is with the destination, and by its name.
    sender = make_sender(proxy=proxy.url(scheme), lookup=no_lookup)
    with TlsServer(certificates.chain_files[Certificate.GOOD]) as secure, Receiver.start() as plain:
        url = secure.url(host=NOWHERE) if target == "https" else plain.url("/hook", host=NOWHERE)
        outcome = post(sender, url)
        if scheme == "socks5":
            assert (outcome.failure, proxy.asked) == (Failure.DNS, [])
            return
        assert proxy.asked[0][1] == NOWHERE
        if target == "http":
            assert outcome.status == 200
        else:
            assert f"not valid for '{NOWHERE}'" in outcome.detail
            assert post(sender, url, tls=TlsTerms(is_verified=False)).status == 200


def test_what_is_to_be_reached_directly_is(
    make_sender: MakeSender, make_proxy: MakeProxy, receiver: Receiver, path: str
) -> None:
    proxy = make_proxy("http")
    sender = make_sender(proxy=proxy.url(), no_proxy=["127.0.0.0/8"])

    assert post(sender, receiver.url(path)).status == 200
    assert proxy.accepted_count == 0
    assert post(sender, receiver.url(path, host="localhost")).status == 200
    assert proxy.accepted_count == 1


# --- what the policy forbids ---


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("host", ["127.0.0.1", "[::ffff:127.0.0.1]", "169.254.169.254", "localhost"])
def test_a_forbidden_address_is_not_asked_of_the_proxy(
    make_sender: MakeSender, make_proxy: MakeProxy, scheme: str, host: str
) -> None:
    proxy = make_proxy(scheme)
    sender = make_sender(proxy=proxy.url(scheme), egress=EgressPolicy())

    for target in ("http", "https"):
        outcome = post(sender, f"{target}://{host}:9/")
        assert outcome.failure is Failure.FORBIDDEN
        assert "EGRESS__ALLOW does not allow" in outcome.detail
        assert not sender.accepts(f"{target}://{host}:9/", timeout_s=5)
    assert proxy.accepted_count == 0


def test_a_name_that_is_looked_up_here_is_judged_by_its_addresses(
    make_sender: MakeSender, make_proxy: MakeProxy
) -> None:
    def lookup(name: str, port: int) -> list[AddressInfo]:
        assert name == "rebound.example"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    proxy = make_proxy("socks5")
    outcome = post(
        make_sender(proxy=proxy.url("socks5"), egress=EgressPolicy(), lookup=lookup), "http://rebound.example/"
    )

    assert outcome.failure is Failure.FORBIDDEN
    assert proxy.accepted_count == 0


# --- a proxy that fails ---


def assert_it_is_the_proxy(make_sender: MakeSender, url: str, proxy_url: str, told: str) -> None:
    sender = make_sender(proxy=proxy_url)
    outcome = post(sender, url)
    assert (outcome.failure, outcome.is_unsent) == (Failure.PROXY, True)
    assert "proxy" in outcome.detail
    assert told in outcome.detail
    # What waits is not tried one by one: the way is, and when it is open again all goes.
    assert standing_of(outcome) is Standing.UNREACHABLE
    assert not sender.accepts(url, timeout_s=5)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_proxy_that_is_not_there(make_sender: MakeSender, receiver: Receiver, scheme: str) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        assert_it_is_the_proxy(make_sender, receiver.url("/"), f"{scheme}://127.0.0.1:{port}", "connection refused")


def test_a_proxy_whose_name_is_not_known(make_sender: MakeSender, receiver: Receiver) -> None:
    assert_it_is_the_proxy(make_sender, receiver.url("/"), f"http://{NOWHERE}:1", f"the proxy http://{NOWHERE}:1")


def test_a_proxy_whose_certificate_proves_nothing(
    make_sender: MakeSender, certificates: Certificates, receiver: Receiver
) -> None:
    with ProxyServer(chain_file=certificates.chain_files[Certificate.EXPIRED]) as proxy:
        assert_it_is_the_proxy(make_sender, receiver.url("/"), proxy.url("https"), "certificate has expired")


@pytest.mark.parametrize(
    ("scheme", "manner", "told"),
    [
        ("http", {"refuses": 502}, "it answered 502 to CONNECT"),
        ("http", {"refuses": 403}, "it answered 403 to CONNECT"),
        ("http", {"credentials": CREDENTIALS}, "it asks for credentials (407)"),
        ("http", {"raw": b""}, "it closed the connection"),
        ("http", {"raw": b"\x05\x00"}, "it closed the connection"),
        ("http", {"raw": b"what?\r\n\r\n"}, "is not HTTP/1"),
        ("http", {"raw": b"HTTP/1.1 200 OK\r\n\r\nmore"}, "before the destination can have"),
        ("http", {"raw": b"HTTP/1.1 200 OK\r\nX: " + b"x" * 40_000}, "has no end"),
        ("https", {"refuses": 504}, "it answered 504 to CONNECT"),
        ("socks5", {"refuses": 2}, "not allowed by ruleset"),
        ("socks5h", {"refuses": 4}, "host unreachable"),
        ("socks5h", {"raw": b"HTTP/1.1 400 No\r\n\r\n"}, "SOCKS"),
        ("socks5h", {"raw": b""}, "SOCKS"),
        ("socks5h", {"raw": b"\x05\x02"}, "SOCKS"),
        ("socks5h", {"raw": b"\x05\x00\x05\x00\x00\x09"}, "SOCKS"),
    ],
)
def test_a_proxy_that_does_not_let_us_through(
    make_sender: MakeSender,
    make_proxy: MakeProxy,
    secure_receiver: Receiver,
    path: str,
    scheme: str,
    manner: dict[str, object],
    told: str,
) -> None:
    proxy = make_proxy(scheme, **manner)

    assert_it_is_the_proxy(make_sender, secure_receiver.url(path), proxy.url(scheme), told)
    assert secure_receiver.counts(path) == {}


@pytest.mark.parametrize(
    ("scheme", "manner"),
    [
        ("http", {"hangs": True}),
        ("http", {"drips": True}),
        ("https", {"hangs": True}),
        ("socks5h", {"hangs": True}),
        ("socks5h", {"drips": True}),
    ],
)
def test_a_proxy_that_takes_its_time_has_no_more_than_the_deadline(
    make_sender: MakeSender, make_proxy: MakeProxy, secure_receiver: Receiver, scheme: str, manner: dict[str, bool]
) -> None:
    proxy = make_proxy(scheme, **manner)
    sender = make_sender(proxy=proxy.url(scheme))
    started_at = time.monotonic()

    outcome = post(sender, secure_receiver.url("/"), timeout_s=0.6)

    assert time.monotonic() - started_at <= 1.6
    assert outcome.failure is Failure.PROXY
    if manner.get("hangs"):
        assert "still waiting for the proxy" in outcome.detail


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_destination_that_drips_behind_a_proxy_has_no_more_than_the_deadline(
    make_sender: MakeSender, make_proxy: MakeProxy, receiver: Receiver, path: str, scheme: str
) -> None:
    receiver.behave(path, Behaviour(mode=Mode.DRIP_BODY, body_bytes=10_000, interval_s=0.05))
    sender = make_sender(proxy=make_proxy(scheme).url(scheme))
    started_at = time.monotonic()

    outcome = post(sender, receiver.url(path), timeout_s=0.6)

    assert time.monotonic() - started_at <= 1.6
    assert outcome.failure is Failure.TIMEOUT


@pytest.mark.parametrize("scheme", ["socks5", "https"])
def test_a_destination_whose_handshake_drips_behind_a_proxy_has_no_more_than_the_deadline(
    make_sender: MakeSender, make_proxy: MakeProxy, plain_receiver: Receiver, scheme: str
) -> None:
    sender = make_sender(proxy=make_proxy(scheme).url(scheme))
    started_at = time.monotonic()

    outcome = post(sender, plain_receiver.url("/").replace("http:", "https:"), timeout_s=0.6)

    assert time.monotonic() - started_at <= 1.6
    assert outcome.failure in {Failure.CONNECT_TIMEOUT, Failure.TLS}


def test_credentials_that_a_forwarding_proxy_refuses_are_the_proxys_affair(
    make_sender: MakeSender, make_proxy: MakeProxy, plain_receiver: Receiver, path: str
) -> None:
    proxy = make_proxy("http")
    plain_receiver.behave(path, Behaviour(status=407))

    assert post(make_sender(proxy=proxy.url()), plain_receiver.url(path)).failure is Failure.PROXY
    # Who says so without a proxy before it is the destination.
    assert post(make_sender(), plain_receiver.url(path)).status == 407


@pytest.mark.parametrize("scheme", SCHEMES)
def test_what_a_destination_answers_is_its_own(
    make_sender: MakeSender, make_proxy: MakeProxy, secure_receiver: Receiver, path: str, scheme: str
) -> None:
    secure_receiver.behave(path, Behaviour(first=(503, 407, 502), status=200))
    sender = make_sender(proxy=make_proxy(scheme).url(scheme))

    assert [post(sender, secure_receiver.url(path)).status for _ in range(4)] == [503, 407, 502, 200]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_terms_of_tls_hold_behind_a_proxy_too(
    make_sender: MakeSender, make_proxy: MakeProxy, certificates: Certificates, scheme: str
) -> None:
    sender = make_sender(proxy=make_proxy(scheme).url(scheme))
    with TlsServer(certificates.chain_files[Certificate.OTHER_CA]) as server:
        assert post(sender, server.url()).failure is Failure.TLS
        pinned = TlsTerms(is_verified=False, fingerprint="ab" * 32)
        assert "not the pinned one" in post(sender, server.url(), tls=pinned).detail

    assert server.requests == []
