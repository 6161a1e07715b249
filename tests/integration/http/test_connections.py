"""
Connections are kept, shared, and given up when they are of no use.
"""

import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from odim_relay.adapters.http.pool import DeadlinePool
from odim_relay.adapters.http.sender import RequestsSender
from tests.integration.http.conftest import MakeSender
from tests.integration.http.posting import post, read_request, scripted_server
from tests.support.receiver import Behaviour, Mode, Receiver
from tests.support.waiting import wait_until

pytestmark = pytest.mark.server

IDLE_FOR_TOO_LONG_S = 56.0


def accepted(receiver: Receiver) -> int:
    return receiver.connections().accepted


def pool_of(sender: RequestsSender) -> DeadlinePool:
    [route] = sender._routes.values()
    return route.pool


@pytest.mark.parametrize("is_chunked", [False, True], ids=["length", "chunked"])
def test_a_thousand_posts_share_one_connection(
    sender: RequestsSender, receiver: Receiver, path: str, is_chunked: bool
) -> None:
    before = receiver.connections()
    receiver.behave(path, Behaviour(body="thank you", is_chunked=is_chunked))

    for number in range(1000):
        assert post(sender, receiver.url(path), webhook_id=str(number)).status == 200

    assert receiver.counts(path) == {str(number): 1 for number in range(1000)}
    after = receiver.connections()
    assert (after.accepted - before.accepted, after.established - before.established) == (1, 1)
    assert sender._watchdog._attempts == set()


def test_sixteen_threads_share_sixteen_connections(make_sender: MakeSender, receiver: Receiver, path: str) -> None:
    before = accepted(receiver)
    sender = make_sender(concurrency=16)

    with ThreadPoolExecutor(16) as threads:
        outcomes = list(
            threads.map(
                lambda number: post(sender, receiver.url(path), webhook_id=str(number), body=b"%d" % number * 100),
                range(1600),
            )
        )

    assert {outcome.status for outcome in outcomes} == {200}
    assert receiver.counts(path) == {str(number): 1 for number in range(1600)}
    assert all(body == webhook_id.encode() * 100 for webhook_id, _, body in receiver.bodies(path))
    assert accepted(receiver) - before <= 16


def test_paths_and_users_of_one_port_share_its_connections(
    sender: RequestsSender, plain_receiver: Receiver, path: str
) -> None:
    before = accepted(plain_receiver)

    for url in (plain_receiver.url(path), plain_receiver.url("/x"), plain_receiver.url(path).replace("//", "//u:p@")):
        post(sender, url)

    assert accepted(plain_receiver) - before == 1


@pytest.mark.parametrize(
    "behaviour",
    [
        Behaviour(body_bytes=16_384),
        Behaviour(body_bytes=16_000, is_chunked=True),
        Behaviour(status=204),
        Behaviour(status=503, body="busy"),
    ],
    ids=["16-KiB", "chunked", "no-body", "error"],
)
def test_an_answer_that_was_read_to_its_end_keeps_the_connection(
    sender: RequestsSender, receiver: Receiver, path: str, behaviour: Behaviour
) -> None:
    before = accepted(receiver)
    receiver.behave(path, behaviour)

    for _ in range(3):
        assert post(sender, receiver.url(path)).status == behaviour.status

    assert accepted(receiver) - before == 1


@pytest.mark.parametrize(
    "behaviour",
    [
        Behaviour(body_bytes=16_385),
        Behaviour(body_bytes=3_000_000),
        Behaviour(body_bytes=16_385, is_chunked=True),
        Behaviour(says_close=True),
    ],
    ids=["16-KiB-and-one", "3-MB", "chunked", "close"],
)
def test_an_answer_that_is_too_long_or_the_last_closes_the_connection(
    sender: RequestsSender, receiver: Receiver, path: str, behaviour: Behaviour
) -> None:
    before = accepted(receiver)
    receiver.behave(path, behaviour)

    for _ in range(3):
        outcome = post(sender, receiver.url(path))
        assert (outcome.status, outcome.failure) == (200, None)

    assert accepted(receiver) - before == 3
    wait_until(lambda: not pool_of(sender)._idle, timeout_s=1, what="no connection to be kept")


def test_an_answer_that_ends_with_the_connection_is_an_answer(sender: RequestsSender) -> None:
    def serve(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.0 200 OK\r\n\r\nthe end is when I hang up")

    with scripted_server(serve) as url:
        assert post(sender, url).status == 200
        assert post(sender, url).status == 200


def test_a_connection_that_was_idle_for_long_is_not_used_again(
    sender: RequestsSender, receiver: Receiver, path: str
) -> None:
    before = accepted(receiver)
    post(sender, receiver.url(path))
    pool_of(sender)._idle[0].idle_since -= IDLE_FOR_TOO_LONG_S

    assert post(sender, receiver.url(path)).status == 200

    assert accepted(receiver) - before == 2


def test_connections_that_are_idle_for_long_are_closed(make_sender: MakeSender, receiver: Receiver, path: str) -> None:
    sender = make_sender(concurrency=2)
    barrier = threading.Barrier(2)
    receiver.behave(path, Behaviour(delay_s=0.2))

    def post_with_another() -> None:
        barrier.wait(5)
        post(sender, receiver.url(path))

    with ThreadPoolExecutor(2) as threads:
        for future in [threads.submit(post_with_another) for _ in range(2)]:
            future.result()
    older, newer = pool_of(sender)._idle
    older.idle_since -= IDLE_FOR_TOO_LONG_S

    sender._close_idle()

    assert list(pool_of(sender)._idle) == [newer]
    assert older.sock is None


def test_no_more_connections_are_kept_than_threads_send(make_sender: MakeSender, receiver: Receiver, path: str) -> None:
    sender = make_sender(concurrency=2)
    receiver.behave(path, Behaviour(delay_s=0.2))

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(lambda _: post(sender, receiver.url(path)), range(6)))

    assert len(pool_of(sender)._idle) == 2


def test_closing_closes_every_connection_and_ends_the_watchdog(make_sender: MakeSender, path: str) -> None:
    with Receiver.start() as receiver:
        sender = make_sender()
        for _ in range(2):
            post(sender, receiver.url(path))
        assert receiver.connections().open == 1

        sender.close()
        sender.close()

        wait_until(lambda: receiver.connections().open == 0, timeout_s=5, what="the connection to be closed")
    assert "http-watchdog" not in {thread.name for thread in threading.enumerate()}


def test_a_connection_that_was_in_use_at_closing_is_closed_after_it(make_sender: MakeSender, path: str) -> None:
    with Receiver.start() as receiver:
        sender = make_sender()
        receiver.behave(path, Behaviour(delay_s=0.5))
        with ThreadPoolExecutor(1) as threads:
            running = threads.submit(post, sender, receiver.url(path))
            receiver.wait_for(path, 1, timeout_s=5)
            sender.close()
            assert running.result().status == 200

        wait_until(lambda: receiver.connections().open == 0, timeout_s=5, what="the connection to be closed")


def test_destinations_beyond_the_limit_are_reached_too(
    sender: RequestsSender, receiver: Receiver, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("odim_relay.adapters.http.sender._MAX_ROUTES", 3)

    for number in range(10):
        assert post(sender, receiver.url(f"{path}/{number}")).status == 200

    assert len(sender._routes) <= 3


@pytest.mark.parametrize(
    "behaviour",
    [
        Behaviour(says_close=True),
        Behaviour(says_close=True, status=204),
        Behaviour(mode=Mode.ANSWER_AND_CLOSE),
        Behaviour(mode=Mode.ANSWER_AND_CLOSE, body="thank you", is_chunked=True),
    ],
    ids=["says-close", "says-close-204", "just-closes", "just-closes-chunked"],
)
def test_a_receiver_that_closes_after_each_answer_gets_everything_once(
    make_sender: MakeSender, receiver: Receiver, path: str, behaviour: Behaviour
) -> None:
    receiver.behave(path, behaviour)
    sender = make_sender(concurrency=8)

    with ThreadPoolExecutor(8) as threads:
        outcomes = list(
            threads.map(lambda number: post(sender, receiver.url(path), webhook_id=str(number)), range(400))
        )

    assert {outcome.status for outcome in outcomes} == {behaviour.status}
    assert receiver.counts(path) == {str(number): 1 for number in range(400)}


def test_a_receiver_that_drops_idle_connections_gets_everything_once(
    make_sender: MakeSender, receiver: Receiver, path: str
) -> None:
    sender = make_sender(concurrency=4)
    statuses = set()
    for turn in range(10):
        with ThreadPoolExecutor(4) as threads:
            ids = [f"{turn}-{number}" for number in range(40)]
            statuses |= {
                one.status for one in threads.map(lambda id_: post(sender, receiver.url(path), webhook_id=id_), ids)
            }
        receiver.drop_connections()

    assert statuses == {200}
    assert receiver.counts(path) == {f"{turn}-{number}": 1 for turn in range(10) for number in range(40)}


def test_a_thousand_events_of_sixteen_slots_take_at_most_sixteen_handshakes(
    make_sender: MakeSender, secure_receiver: Receiver, path: str
) -> None:
    before = secure_receiver.connections()
    sender = make_sender(concurrency=16)

    with ThreadPoolExecutor(16) as threads:
        outcomes = list(
            threads.map(lambda number: post(sender, secure_receiver.url(path), webhook_id=str(number)), range(1_000))
        )

    assert {outcome.status for outcome in outcomes} == {200}
    assert secure_receiver.counts(path) == {str(number): 1 for number in range(1_000)}
    assert secure_receiver.connections().established - before.established <= 16
