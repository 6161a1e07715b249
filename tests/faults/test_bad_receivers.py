"""
One bad destination beside nineteen healthy ones: they do not notice, and it gets everything once it is mended (S2, S4,
S5, S9, S18; L18, L30).
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.support.certificates import Certificate, make_certificates
from tests.support.kafka_mock import KafkaMock
from tests.support.kafka_server import KafkaServer
from tests.support.receiver import Behaviour, Mode, Receiver
from tests.support.redis_server import RedisBinary, RedisServer
from tests.support.relay import Relay, Subscriber
from tests.support.relay_settings import SHORT_OUTAGES
from tests.support.waiting import wait_until

pytestmark = pytest.mark.server

HEALTHY = 19
PER_S = 20
LOAD_S = 1.5
# Without a cap one that hangs would have all eight slots until then: the healthy ones would be later than they may.
TIMEOUT_S = 5.0
HEALTHY_LATE_S = 3.0
# A quarter of the slots is for one destination that does not answer fast.
MOST_IN_FLIGHT = 2
MENDED_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """
    A relay, the receiver of the healthy, and receivers for the bad one.
    """

    relay: Relay
    bad: Receiver
    impostor: Receiver


@pytest.fixture(scope="module")
def world(
    kafka: KafkaServer | KafkaMock, redis_binary: RedisBinary, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    if isinstance(kafka, KafkaMock):
        pytest.skip("needs Apache Kafka, but there is only librdkafka's mock broker")
    folder = tmp_path_factory.mktemp("bad-receivers")
    certificates = make_certificates(folder)
    with (
        RedisServer(folder / "redis", binary=redis_binary) as redis,
        Receiver.start(scheme="https", certificates=certificates, keep_bodies=False) as receiver,
        Receiver.start(scheme="http", keep_bodies=False) as bad,
        Receiver.start(scheme="https", certificates=certificates, certificate=Certificate.WRONG_HOST) as impostor,
        Relay(
            folder,
            redis=redis,
            kafka=kafka.bootstrap_servers,
            receiver=receiver,
            settings={**SHORT_OUTAGES, "DELIVERY__TIMEOUT_S": TIMEOUT_S},
        ) as relay,
    ):
        yield World(relay=relay, bad=bad, impostor=impostor)


@pytest.fixture
def bad(world: World) -> Iterator[Receiver]:
    """
    The receiver of the bad one, which listens, has no connections, and answers 200 unless told otherwise.
    """
    world.bad.drop_connections()
    wait_until(lambda: world.bad.connections().open == 0, timeout_s=5, what="the end of the connections")
    yield world.bad
    world.bad.listen()


@pytest.fixture(autouse=True)
def _end_subscriptions(world: World) -> Iterator[None]:
    yield
    for subscriber in tuple(world.relay.subscribers.values()):
        world.relay.unsubscribe(subscriber)
    world.relay.tell()
    world.relay.forget()


def delays(relay: Relay, healthy: list[Subscriber], ended_at: float) -> float:
    """
    How long after the load's end the last event came to a healthy one.
    """
    return max(at for subscriber in healthy for _, at in relay.receiver.arrivals(subscriber.path)) - ended_at


def run_beside(world: World, destination: str) -> Subscriber:
    """
    Send events to nineteen healthy ones and to a bad one; returns the bad one when the healthy ones have all of theirs.
    """
    relay = world.relay
    healthy = [relay.subscribe() for _ in range(HEALTHY)]
    the_bad = relay.subscribe(destination=destination)
    with relay.under_load(per_s=PER_S):
        until = time.monotonic() + LOAD_S
        wait_until(lambda: time.monotonic() >= until, timeout_s=2 * LOAD_S, what="the end of the load")
    ended_at = time.time()
    count = len(relay.expected()) // (HEALTHY + 1)
    for subscriber in healthy:
        accepted = relay.receiver.wait_for_accepted(subscriber.path, count, timeout_s=HEALTHY_LATE_S)
        assert set(accepted.values()) == {1}
    print(
        f"the last of {count} events came to the healthy ones {delays(relay, healthy, ended_at):.2f} s after the load"
    )
    assert not relay.receiver.counts(the_bad.path)
    return the_bad


def mend(world: World, subscriber: Subscriber) -> None:
    """
    Give the bad one a destination that is well; it gets everything, once.
    """
    relay = world.relay
    relay.change(subscriber, destination=relay.receiver.url(subscriber.path))
    if relay.ledger.flow(subscriber.id).get("suspended"):
        relay.operate("resume", subscriber.id)
    account = relay.wait_for_all(MENDED_S)
    assert account.is_perfect, str(account)
    relay.check_health()


SLOW = {
    "hangs": Behaviour(mode=Mode.HANG),
    "drips one byte a second": Behaviour(mode=Mode.DRIP_HEAD, interval_s=1),
}
FAILING = {
    "answers 500": Behaviour(status=500),
    "answers 503 with Retry-After": Behaviour(status=503, headers=(("Retry-After", "1"),)),
    "answers 301": Behaviour(status=301, headers=(("Location", "/elsewhere"),)),
    "closes in the middle": Behaviour(mode=Mode.CUT_HEAD),
}


@pytest.mark.parametrize("name", SLOW)
def test_the_others_get_everything_once_and_in_time_beside_one_that(world: World, bad: Receiver, name: str) -> None:
    path = "/" + name.replace(" ", "-")
    bad.behave(path, SLOW[name])
    subscriber = run_beside(world, bad.url(path))
    assert bad.connections().open == MOST_IN_FLIGHT
    mend(world, subscriber)


@pytest.mark.parametrize("name", FAILING)
def test_the_others_get_everything_once_and_in_time_beside_one_that_fails(
    world: World, bad: Receiver, name: str
) -> None:
    path = "/" + name.replace(" ", "-")
    bad.behave(path, FAILING[name])
    subscriber = run_beside(world, bad.url(path))
    wait_until(lambda: world.relay.ledger.breaker(subscriber.id) != "closed", timeout_s=15, what="its breaker to open")
    assert 1 <= bad.request_count(path) <= 20
    assert bad.request_count("/elsewhere") == 0
    mend(world, subscriber)


def test_the_others_get_everything_once_and_in_time_beside_one_that_refuses_connections(
    world: World, bad: Receiver
) -> None:
    bad.refuse()
    subscriber = run_beside(world, bad.url("/refuses"))
    assert world.relay.ledger.breaker(subscriber.id) != "closed"
    mend(world, subscriber)


def test_the_others_get_everything_once_and_in_time_beside_one_that_is_gone(world: World, bad: Receiver) -> None:
    bad.behave("/gone", Behaviour(status=410))
    subscriber = run_beside(world, bad.url("/gone"))
    # Those that were on their way when the first answer came.
    assert 1 <= bad.request_count("/gone") <= 8
    assert world.relay.ledger.flow(subscriber.id)["suspended"] == "gone"
    mend(world, subscriber)


def test_the_others_get_everything_once_and_in_time_beside_one_with_a_wrong_certificate(world: World) -> None:
    impostor = world.impostor
    subscriber = run_beside(world, impostor.url("/impostor"))
    assert impostor.request_count("/impostor") == 0
    assert impostor.connections().accepted > 0
    wait_until(lambda: world.relay.ledger.breaker(subscriber.id) != "closed", timeout_s=10, what="its breaker to open")
    mend(world, subscriber)
