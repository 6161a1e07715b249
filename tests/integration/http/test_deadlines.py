"""
One deadline over everything: whatever hangs or trickles, the attempt ends in time.
"""

import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from odim_relay.adapters.http.resolver import AddressInfo
from odim_relay.adapters.http.sender import RequestsSender
from odim_relay.domain.outcome import Failure, Outcome
from tests.integration.http.conftest import MakeSender
from tests.integration.http.posting import post, read_request, scripted_server
from tests.support.receiver import Behaviour, Mode, Receiver
from tests.support.waiting import wait_until

pytestmark = pytest.mark.server

TIMEOUT_S = 0.6
LATEST_S = TIMEOUT_S + 0.5
DRIP = 0.05
BEFORE_CONNECTED = {"looking up the name", "connecting", "in the TLS handshake"}


def timed(send: Callable[[], Outcome]) -> tuple[Outcome, float]:
    started_at = time.monotonic()
    outcome = send()
    return outcome, time.monotonic() - started_at


def assert_ended_in_time(outcome: Outcome, took_s: float, while_doing: str) -> None:
    failure = Failure.CONNECT_TIMEOUT if while_doing in BEFORE_CONNECTED else Failure.TIMEOUT
    assert (outcome.status, outcome.failure) == (None, failure)
    assert outcome.detail == f"not done within 0.6 s: still {while_doing}"
    assert TIMEOUT_S * 0.9 <= took_s <= LATEST_S
    assert TIMEOUT_S * 0.9 <= outcome.duration_s <= took_s


@pytest.mark.parametrize(
    ("behaviour", "while_doing"),
    [
        (Behaviour(mode=Mode.HANG), "waiting for the answer"),
        (Behaviour(mode=Mode.DRIP_HEAD, interval_s=DRIP), "reading the answer"),
        (Behaviour(mode=Mode.DRIP_BODY, interval_s=DRIP, body_bytes=1000), "reading the answer"),
        (Behaviour(mode=Mode.DRIP_BODY, interval_s=DRIP, body_bytes=1000, is_chunked=True), "reading the answer"),
        (Behaviour(delay_s=30), "waiting for the answer"),
    ],
    ids=["hang", "drip-head", "drip-body", "drip-chunks", "delay"],
)
@pytest.mark.parametrize("is_reused", [False, True], ids=["new", "kept"])
def test_an_answer_that_does_not_come_ends_in_time(
    sender: RequestsSender, receiver: Receiver, path: str, behaviour: Behaviour, while_doing: str, is_reused: bool
) -> None:
    if is_reused:
        assert post(sender, receiver.url(path), webhook_id="before").status == 200
    receiver.behave(path, behaviour)

    outcome, took_s = timed(lambda: post(sender, receiver.url(path), timeout_s=TIMEOUT_S))

    assert_ended_in_time(outcome, took_s, while_doing)
    assert receiver.counts(path)["delivery-1"] == 1


def test_an_answer_without_end_ends_in_time(sender: RequestsSender) -> None:
    stop = threading.Event()

    def serve(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n")
        while not stop.wait(DRIP):
            connection.sendall(b".")

    with scripted_server(serve) as url:
        outcome, took_s = timed(lambda: post(sender, url, timeout_s=TIMEOUT_S))
        stop.set()

    assert_ended_in_time(outcome, took_s, "reading the answer")


def test_a_request_that_is_not_read_ends_in_time(sender: RequestsSender, receiver: Receiver, path: str) -> None:
    receiver.behave(path, Behaviour(mode=Mode.NEVER_READ))

    outcome, took_s = timed(lambda: post(sender, receiver.url(path), body=bytes(30_000_000), timeout_s=TIMEOUT_S))

    assert_ended_in_time(outcome, took_s, "sending the request")


def test_a_request_that_is_read_by_drops_ends_in_time(make_sender: MakeSender) -> None:
    # Under TLS each record has a timeout of its own, so the socket's would never come.
    with Receiver.start(scheme="https") as receiver, socket.create_server(("127.0.0.1", 0)) as listener:
        # Some kernels would take in tens of megabytes before it reads.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        stop = threading.Event()
        url = f"https://127.0.0.1:{listener.getsockname()[1]}/"
        relay = threading.Thread(target=relay_by_drops, args=(listener, receiver.port, stop))
        relay.start()
        try:
            receiver.behave("/", Behaviour(mode=Mode.HANG))
            sender = make_sender(ca_file=receiver.ca_file)
            outcome, took_s = timed(lambda: post(sender, url, body=bytes(30_000_000), timeout_s=TIMEOUT_S))
        finally:
            stop.set()
            relay.join()

    assert_ended_in_time(outcome, took_s, "sending the request")


def relay_by_drops(listener: socket.socket, port: int, stop: threading.Event) -> None:
    connection, _ = listener.accept()
    with connection, socket.create_connection(("127.0.0.1", port)) as server:
        connection.settimeout(DRIP)
        server.settimeout(DRIP)
        while not stop.is_set():
            for source, sink in ((connection, server), (server, connection)):
                try:
                    sink.sendall(source.recv(16_000))
                except TimeoutError:
                    continue
                except ConnectionError:
                    return
            stop.wait(DRIP / 10)


def test_a_tls_handshake_that_hangs_ends_in_time(sender: RequestsSender, plain_receiver: Receiver) -> None:
    # It speaks no TLS and waits for a request that never comes.
    url = plain_receiver.url("/").replace("http:", "https:")

    outcome, took_s = timed(lambda: post(sender, url, timeout_s=TIMEOUT_S))

    assert_ended_in_time(outcome, took_s, "in the TLS handshake")


def test_a_connection_that_is_not_accepted_ends_in_time(sender: RequestsSender, unanswering_port: int) -> None:
    outcome, took_s = timed(lambda: post(sender, f"http://127.0.0.1:{unanswering_port}/", timeout_s=TIMEOUT_S))

    assert_ended_in_time(outcome, took_s, "connecting")


def test_an_address_that_does_not_answer_leaves_time_for_the_next(
    make_sender: MakeSender, plain_receiver: Receiver, path: str, unanswering_port: int
) -> None:
    def lookup(name: str, port: int) -> list[AddressInfo]:
        del name
        return [(2, 1, 6, "", ("127.0.0.1", unanswering_port)), (2, 1, 6, "", ("127.0.0.1", port))]

    sender = make_sender(lookup=lookup)

    assert post(sender, plain_receiver.url(path, host="two.example"), timeout_s=1).status == 200


def test_a_name_that_is_not_resolved_ends_in_time_and_holds_nobody_up(
    make_sender: MakeSender, plain_receiver: Receiver, path: str
) -> None:
    answered = threading.Event()
    asked: list[str] = []

    def lookup(name: str, port: int) -> list[AddressInfo]:
        asked.append(name)
        if name == "hangs.example":
            answered.wait(30)
        return [(2, 1, 6, "", ("127.0.0.1", port))]

    sender = make_sender(lookup=lookup)

    def send_to(name: str) -> tuple[Outcome, float]:
        return timed(lambda: post(sender, plain_receiver.url(path, host=name), timeout_s=TIMEOUT_S))

    with ThreadPoolExecutor(16) as threads:
        hanging = [threads.submit(send_to, "hangs.example") for _ in range(15)]
        other, _ = threads.submit(send_to, "other.example").result()
        for future in hanging:
            assert_ended_in_time(*future.result(), "looking up the name")
    answered.set()

    assert other.status == 200
    # All 15 waited for one lookup.
    assert asked.count("hangs.example") == 1


def test_names_that_hang_take_a_bounded_number_of_threads(
    make_sender: MakeSender, plain_receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("odim_relay.adapters.http.resolver._MAX_LOOKUPS", 2)
    answered = threading.Event()

    def lookup(name: str, port: int) -> list[AddressInfo]:
        answered.wait(30)
        return [(2, 1, 6, "", ("127.0.0.1", port))] if name else []

    sender = make_sender(lookup=lookup)
    urls = [plain_receiver.url(host=f"hangs-{number}.example") for number in range(3)]

    first, second, third = (post(sender, url, timeout_s=0.1) for url in urls)
    answered.set()

    assert (first.failure, second.failure) == (Failure.CONNECT_TIMEOUT, Failure.CONNECT_TIMEOUT)
    assert third.failure is Failure.DNS
    assert third.detail == "the name cannot be resolved: too many names are being looked up"
    # What was left behind comes to its end, and the names can be asked for again.
    wait_until(lambda: post(sender, urls[2]).status == 200, timeout_s=5, what="a free thread")


def test_many_attempts_end_in_time_at_once(make_sender: MakeSender, receiver: Receiver, path: str) -> None:
    receiver.behave(path, Behaviour(mode=Mode.DRIP_HEAD, interval_s=DRIP))
    sender = make_sender(concurrency=32)

    with ThreadPoolExecutor(32) as threads:
        futures = [
            threads.submit(timed, lambda: post(sender, receiver.url(path), timeout_s=TIMEOUT_S)) for _ in range(32)
        ]

    for future in futures:
        assert_ended_in_time(*future.result(), "reading the answer")


def test_an_attempt_after_an_overdue_one_is_not_affected(sender: RequestsSender, receiver: Receiver, path: str) -> None:
    receiver.behave(path, Behaviour(mode=Mode.HANG))
    assert post(sender, receiver.url(path), timeout_s=0.2).failure is Failure.TIMEOUT
    receiver.behave(path, Behaviour(delay_s=0.4))

    # Longer than the watchdog's tick, so that a cut meant for the first would come.
    assert post(sender, receiver.url(path), timeout_s=5).status == 200


def test_the_deadline_of_an_attempt_ends_with_it(sender: RequestsSender, receiver: Receiver, path: str) -> None:
    assert post(sender, receiver.url(path), webhook_id="before", timeout_s=0.3).status == 200
    receiver.behave(path, Behaviour(delay_s=0.6))

    # Over the same connection, while the deadline of the first one passes.
    assert post(sender, receiver.url(path), timeout_s=5).status == 200

    assert receiver.counts(path) == {"before": 1, "delivery-1": 1}
