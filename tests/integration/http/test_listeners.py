"""
Simple event listeners are served too: those that know one connection at a time, no chunks, and answer with little.
"""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from odim_relay.adapters.http import pool as pool_module
from odim_relay.domain.outcome import Outcome, Verdict, verdict_of
from tests.integration.http.conftest import MakeSender
from tests.integration.http.posting import post
from tests.support.certificates import Certificate, Certificates
from tests.support.serial_listener import SerialListener

pytestmark = pytest.mark.server

EVENTS = 60
THREADS = 4


@pytest.fixture(params=["http", "https"])
def chain_file(request: pytest.FixtureRequest, certificates: Certificates) -> Path | None:
    return certificates.chain_files[Certificate.GOOD] if request.param == "https" else None


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 202 \r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200\nContent-Length: 0\n\n",
    ],
)
def test_whatever_it_answers_in_short_is_an_answer_and_keeps_the_connection(
    make_sender: MakeSender, chain_file: Path | None, answer: bytes
) -> None:
    sender = make_sender()
    with SerialListener(chain_file=chain_file, answer=answer) as listener:
        outcomes = [post(sender, listener.url, webhook_id=str(number)) for number in range(5)]
        sender.close()

    assert {verdict_of(outcome) for outcome in outcomes} == {Verdict.DELIVERED}
    assert listener.requests == ["0", "1", "2", "3", "4"]
    assert listener.connection_count == 1


@pytest.mark.parametrize("size", [0, 1, 100_000])
def test_a_body_has_its_length_and_no_chunks(make_sender: MakeSender, chain_file: Path | None, size: int) -> None:
    sender = make_sender()
    with SerialListener(chain_file=chain_file) as listener:
        # 411 is what it says to anything else.
        assert post(sender, listener.url, body=b"x" * size).status == 204
        sender.close()


def post_by_threads(make_sender: MakeSender, listener: SerialListener) -> list[Outcome]:
    sender = make_sender(concurrency=THREADS)
    with ThreadPoolExecutor(THREADS) as threads:
        outcomes = list(
            threads.map(lambda number: post(sender, listener.url, webhook_id=str(number), timeout_s=20), range(EVENTS))
        )
    sender.close()
    return outcomes


def test_one_that_serves_one_connection_at_a_time_gets_all_in_time(
    make_sender: MakeSender, chain_file: Path | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool_module, "_SLOW_AFTER_S", 0.5)
    with SerialListener(chain_file=chain_file) as listener:
        outcomes = post_by_threads(make_sender, listener)

    assert {outcome.status for outcome in outcomes} == {204}
    assert Counter(listener.requests) == {str(number): 1 for number in range(EVENTS)}


def test_a_connection_that_is_held_open_is_given_up_for_another_process_within_its_deadline() -> None:
    # Which waits for 15 s by default.
    assert pool_module._MAX_IDLE_S + 2 < 15
