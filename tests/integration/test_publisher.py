"""
Delivery tasks out, by many threads, to a broker of either kind that is restarted, hangs, or is away (S14).
"""

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeAlias

import pytest
from celery import Celery
from redis.connection import AbstractConnection

from odim_relay.adapters.celery.app import make_app
from odim_relay.adapters.celery.publisher import CeleryPublisher
from odim_relay.errors import TransientError
from odim_relay.ports import TaskTicket, Turn
from tests.support.celery_nodes import CeleryWorker
from tests.support.rabbitmq_server import RabbitMQServer
from tests.support.redis_server import RedisServer
from tests.support.waiting import wait_until

pytestmark = pytest.mark.server

THREADS = 16
TICKET = TaskTicket(delivery_id="d" * 36, seq=1)
Broker: TypeAlias = RedisServer | RabbitMQServer


@pytest.fixture(params=["redis", "rabbitmq"])
def broker(request: pytest.FixtureRequest) -> Broker:
    server: Broker = request.getfixturevalue(f"fresh_{request.param}")
    return server


@pytest.fixture
def app(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> Iterator[Celery]:
    """
    The product's own, with this broker.
    """

    def no_turn() -> Turn:
        raise AssertionError("of beat alone")

    monkeypatch.setenv("ODIM_RELAY_BROKER__URL", broker.url())
    monkeypatch.delitem(sys.modules, "celeryconfig", raising=False)
    app = make_app(beat_turn=no_turn, note_alive=lambda: None)
    assert app.conf.broker_url == broker.url()
    yield app
    app.close()
    sys.modules.pop("celeryconfig")


@pytest.fixture
def publisher(app: Celery) -> Iterator[CeleryPublisher]:
    publisher = CeleryPublisher(app)
    yield publisher
    publisher.close()


def outcome_of(ask: Callable[[], object]) -> tuple[str, float]:
    """
    What came of it, and after how many seconds.
    """
    began_at_s = time.monotonic()
    try:
        ask()
    except TransientError:
        return "failed", time.monotonic() - began_at_s
    return "done", time.monotonic() - began_at_s


def by_all_threads(ask: Callable[[], object]) -> tuple[Counter[str], float]:
    """
    What came of it in each of sixteen threads, and how long the slowest needed.
    """
    with ThreadPoolExecutor(THREADS) as pool:
        outcomes = list(pool.map(lambda _: outcome_of(ask), range(THREADS)))
    return Counter(name for name, _ in outcomes), max(seconds for _, seconds in outcomes)


def test_threads_share_one_connection_and_lose_nothing(publisher: CeleryPublisher, app: Celery) -> None:
    opened: list[object] = []
    connect = app.connection_for_write

    def connect_and_tell() -> object:
        opened.append(None)
        return connect()

    app.connection_for_write = connect_and_tell
    assert publisher.queue_depth() == 0

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda _: publisher.publish([TICKET] * 100), range(THREADS)))

    wait_until(lambda: publisher.queue_depth() == THREADS * 100, timeout_s=10, what="all tasks in the queue")
    assert len(opened) == 1


def test_a_restart_of_the_broker_costs_no_failure(publisher: CeleryPublisher, broker: Broker) -> None:
    publisher.publish([TICKET])
    wait_until(lambda: publisher.queue_depth() == 1, timeout_s=10, what="the task")
    broker.kill()
    broker.start()

    outcomes, _ = by_all_threads(lambda: publisher.publish([TICKET]))

    assert outcomes == {"done": THREADS}
    # The first may be gone: without confirms nobody waited until RabbitMQ had it on its disk.
    wait_until(lambda: publisher.queue_depth() >= THREADS, timeout_s=10, what="all tasks in the queue")


def test_a_broker_that_hangs_holds_up_no_thread_for_long(publisher: CeleryPublisher, broker: Broker) -> None:
    publisher.publish([TICKET])
    broker.stop()

    _, took_s = by_all_threads(lambda: publisher.publish([TICKET]))  # to RabbitMQ tasks go without an answer
    outcomes, asking_took_s = by_all_threads(publisher.queue_depth)
    broker.cont()

    print(f"publishing took at most {took_s:.1f} s, asking {asking_took_s:.1f} s")
    assert outcomes == {"failed": THREADS}
    assert max(took_s, asking_took_s) < 8
    wait_until(lambda: outcome_of(publisher.queue_depth)[0] == "done", timeout_s=5, what="the broker")
    publisher.publish([TICKET])


def test_a_broker_that_is_away_is_left_alone_for_a_moment(publisher: CeleryPublisher, broker: Broker) -> None:
    publisher.publish([TICKET])
    broker.kill()
    assert outcome_of(lambda: publisher.publish([TICKET]))[0] == "failed"

    with pytest.raises(TransientError, match="failed a moment ago"):
        publisher.publish([TICKET])


@pytest.mark.parametrize("broker", ["rabbitmq"], indirect=True)
def test_a_queue_that_somebody_deleted_is_empty_and_comes_back(
    publisher: CeleryPublisher, app: Celery, broker: Broker
) -> None:
    publisher.publish([TICKET])
    wait_until(lambda: publisher.queue_depth() == 1, timeout_s=10, what="the task")
    with app.connection_for_write() as connection:
        connection.default_channel.queue_delete("deliveries")

    assert publisher.queue_depth() == 0
    publisher.publish([TICKET])
    wait_until(lambda: publisher.queue_depth() == 1, timeout_s=10, what="the task")
    assert broker.running


def test_a_ticket_that_is_to_wait_is_begun_when_its_time_has_come(
    publisher: CeleryPublisher, app: Celery, broker: Broker, redis_server: RedisServer, tmp_path: Path
) -> None:
    wait_s = 3.0
    env = {"ODIM_RELAY_REDIS__URL": redis_server.url(), "ODIM_RELAY_BROKER__URL": broker.url()}

    def begun_count() -> int:
        told = app.control.inspect(timeout=0.3).stats() or {}
        return sum(worker["total"].get("odim_relay.deliver", 0) for worker in told.values())

    with CeleryWorker(tmp_path, env=env):
        publisher.publish([TaskTicket(delivery_id="e" * 36, seq=1, wait_s=wait_s), TICKET])
        began_at_s = time.monotonic()
        wait_until(lambda: begun_count() == 1, timeout_s=wait_s - 0.5, what="the one that need not wait")
        wait_until(lambda: begun_count() == 2, timeout_s=10, what="the other one")
        assert wait_s - 0.2 < time.monotonic() - began_at_s < wait_s + 3


@pytest.mark.parametrize("broker", ["redis"], indirect=True)
def test_many_tasks_go_in_few_round_trips(publisher: CeleryPublisher, monkeypatch: pytest.MonkeyPatch) -> None:
    publisher.publish([TICKET])  # the connection stands
    sent: list[object] = []
    send: Callable[..., object] = AbstractConnection.send_packed_command

    def counted(self: AbstractConnection, command: object, *arguments: object, **options: object) -> object:
        sent.append(command)
        return send(self, command, *arguments, **options)

    monkeypatch.setattr(AbstractConnection, "send_packed_command", counted)

    publisher.publish([TICKET] * 1_000)

    assert publisher.queue_depth() == 1_001
    assert len(sent) <= 10
