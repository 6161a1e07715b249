"""
The duties of maintenance do not stand in each other's way (L28).
"""

import contextlib
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from celery import Celery

from odim_relay.adapters.redis.connection import Scripts
from odim_relay.adapters.redis.delivery_ledger import RedisDeliveryLedger
from odim_relay.adapters.redis.ingest_ledger import RedisIngestLedger
from odim_relay.adapters.redis.rules import LedgerRules
from odim_relay.adapters.redis.subscriptions import RedisSubscriptionStore
from odim_relay.domain.outcome import Failure, Outcome
from odim_relay.ports import Claim, LastAttempt
from tests.fakes.samples import PARTITION, START, batch, subscription
from tests.support.ledger_view import PREFIX
from tests.support.redis_server import RedisServer
from tests.support.relay_process import RelayProcess, procfile_command, start_all
from tests.support.waiting import wait_until

pytestmark = pytest.mark.server

HANGING = 1_000
LOOKS = 20
SILENT = LastAttempt(outcome=Outcome(failure=Failure.CONNECT_TIMEOUT), destination="")


@pytest.fixture
def silent_port() -> Iterator[int]:
    """
    A port that answers no connection: those that the kernel holds for it are never taken.
    """
    with contextlib.ExitStack() as sockets:
        listener = sockets.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(2):
            client = sockets.enter_context(socket.socket())
            client.setblocking(False)  # noqa: FBT003 - the standard library's signature
            client.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


def park_at_hanging_destinations(redis: RedisServer, port: int) -> None:
    with redis.client() as client:
        scripts = Scripts(client, PREFIX, LedgerRules(breaker_failures=1))
        store = RedisSubscriptionStore(scripts)
        ids = [f"subscription-{number}" for number in range(HANGING)]
        for id_ in ids:
            store.save(subscription(id_, destination=f"http://127.0.0.1:{port}/{id_}"))
        intake, ledger = RedisIngestLedger(scripts), RedisDeliveryLedger(scripts)
        assert intake.set_position(PARTITION, None, START)
        generation = int(str(client.get(f"{PREFIX}subscriptions:generation"), "ascii"))
        tickets = intake.ingest(batch(*ids, generation=generation))
        for ticket in tickets or ():
            claim = ledger.claim(ticket)
            assert isinstance(claim, Claim)
            ledger.retry(claim, 1.0, SILENT)
        assert client.hlen(f"{PREFIX}dead-letters") == HANGING


class Duties:
    """
    How often the maintenance worker has begun each.
    """

    def __init__(self, broker_url: str) -> None:
        self._app = Celery("tests", broker=broker_url)

    def begun_count(self, duty: str) -> int:
        ask = self._app.control.inspect(timeout=0.5).stats
        told = wait_until(ask, timeout_s=10, what="the worker to tell")
        return sum(worker["total"].get(f"odim_relay.{duty}", 0) for worker in told.values())

    def close(self) -> None:
        self._app.close()


def test_reaping_goes_on_while_a_thousand_destinations_that_hang_are_knocked_at(
    fresh_redis: RedisServer, silent_port: int, tmp_path: Path
) -> None:
    park_at_hanging_destinations(fresh_redis, silent_port)
    env = {
        "ODIM_RELAY_REDIS__URL": fresh_redis.url(),
        "ODIM_RELAY_EGRESS__ALLOW": '["127.0.0.0/8"]',
        "ODIM_RELAY_LEDGER__REAP_INTERVAL_S": "0.5",
        "ODIM_RELAY_DEAD_LETTERS__REPLAY_INTERVAL_S": "2",
        "ODIM_RELAY_DEAD_LETTERS__EXPIRE_INTERVAL_S": "2",
        "ODIM_RELAY_LOG__FORMAT": "json",
    }
    maintenance = RelayProcess("maintenance", procfile_command("maintenance"), tmp_path, env, ready=" ready.")
    beat = RelayProcess("beat", procfile_command("beat"), tmp_path, env, ready="beat: Starting...")
    duties = Duties(fresh_redis.url(1))
    try:
        start_all([maintenance, beat])
        with fresh_redis.client() as client:
            wait_until(lambda: client.exists(f"{PREFIX}turn:replay"), timeout_s=10, what="the replay to begin")
            began_at_s, reaped, expired = time.monotonic(), duties.begun_count("reap"), duties.begun_count("expire")
            wait_until(lambda: duties.begun_count("reap") >= reaped + LOOKS, timeout_s=20, what="reaping to go on")
            took_s = time.monotonic() - began_at_s
            is_knocking = client.pttl(f"{PREFIX}turn:replay") > 2_000
        others = duties.begun_count("expire") - expired
        print(f"{LOOKS} looks of the reaper in {took_s:.1f} s, {others} of expiry")
    finally:
        duties.close()
        maintenance.kill()
        beat.kill()

    assert "destination.not_tried" not in maintenance.log()
    assert is_knocking
    assert took_s < LOOKS * 0.5 * 1.5
    assert others > 2
