"""
Terms of TLS and a proxy, over every process.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.certificates import Certificate, make_certificates
from tests.support.events import event, events
from tests.support.kafka_mock import KafkaMock
from tests.support.kafka_server import KafkaServer
from tests.support.proxy_server import ProxyServer
from tests.support.receiver import Receiver
from tests.support.redis_server import RedisBinary, RedisServer
from tests.support.relay import Relay, Subscriber
from tests.support.tls_server import TlsServer
from tests.support.waiting import wait_until

pytestmark = pytest.mark.server

ARRIVES_S = 45.0
SECRET = "proxy-pass-7261"


@pytest.fixture(scope="module")
def proxy() -> Iterator[ProxyServer]:
    with ProxyServer() as proxy:
        proxy.manner.credentials = ("relay", SECRET)
        yield proxy


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """
    What `DELIVERY__TLS_DIR` names. What verifies others is not in it.
    """
    return tmp_path_factory.mktemp("tls")


@pytest.fixture(scope="module")
def relay(
    kafka: KafkaServer | KafkaMock,
    redis_binary: RedisBinary,
    tmp_path_factory: pytest.TempPathFactory,
    proxy: ProxyServer,
    folder: Path,
) -> Iterator[Relay]:
    """
    A relay that reaches 127.0.0.1 directly, and localhost through a proxy.
    """
    if isinstance(kafka, KafkaMock):
        pytest.skip("needs Apache Kafka, but there is only librdkafka's mock broker")
    home = tmp_path_factory.mktemp("relay")
    settings = {
        "DELIVERY__TLS_DIR": folder,
        "EGRESS__PROXY": proxy.url(credentials=f"relay:{SECRET}"),
        "EGRESS__NO_PROXY": '["127.0.0.0/8"]',
    }
    with (
        RedisServer(home / "redis", binary=redis_binary) as redis,
        Receiver.start(scheme="https") as receiver,
        Relay(home, redis=redis, kafka=kafka.bootstrap_servers, receiver=receiver, settings=settings) as relay,
    ):
        yield relay


def last_failure(relay: Relay, subscriber: Subscriber) -> str:
    kept = [*relay.ledger.deliveries().values(), *relay.ledger.dead_letters().values()]
    lasts = [one.get("last") or {} for one in kept if one["subscription"] == subscriber.id]
    found = [json.loads(last) if isinstance(last, str) else last for last in lasts]
    return " ".join(f"{last.get('failure')}: {last.get('detail')}" for last in found if last)


def test_terms_of_a_subscription_reach_the_workers_and_so_do_files_that_come_late(
    relay: Relay, folder: Path, tmp_path: Path
) -> None:
    own = make_certificates(tmp_path)
    with TlsServer(own.chain_files[Certificate.GOOD], client_ca=own.ca_file) as server:
        subscriber = relay.subscribe(destination=server.url())
        relay.change(
            subscriber, ca_file="own/ca.pem", client_certificate_file="own/client.pem", retry_policy="RetryForever"
        )
        relay.publish([event(1)], wanted_by=())

        wait_until(lambda: last_failure(relay, subscriber), timeout_s=ARRIVES_S, what="the attempt to fail")
        assert "tls: no TLS: the file own/ca.pem cannot be read: no such file" in last_failure(relay, subscriber)
        assert server.accepted_count == 0
        (folder / "own").mkdir()
        (folder / "own" / "client.pem").write_bytes(own.chain_files[Certificate.CLIENT].read_bytes())
        (folder / "own" / "ca.pem").write_bytes(own.ca_file.read_bytes())

        wait_until(lambda: server.requests, timeout_s=ARRIVES_S, what="the event to arrive")
        assert len(server.requests) == 1
        assert "relay.example" in server.shown[-1]


def test_events_go_through_the_proxy_and_wait_while_it_lets_nothing_through(relay: Relay, proxy: ProxyServer) -> None:
    subscriber = relay.subscribe(destination=relay.receiver.url("/proxied", host="localhost"))
    relay.publish([event(1)], wanted_by=())
    relay.receiver.wait_for("/proxied", 1, timeout_s=ARRIVES_S)
    assert ("CONNECT", "localhost", relay.receiver.port) in proxy.asked

    proxy.manner.refuses = 503
    proxy.drop_connections()
    relay.publish(events(20), wanted_by=())
    wait_until(lambda: last_failure(relay, subscriber), timeout_s=ARRIVES_S, what="an attempt to fail")
    assert "proxy: no way through the proxy" in last_failure(relay, subscriber)
    assert "it answered 503 to CONNECT" in last_failure(relay, subscriber)
    proxy.manner.refuses = None

    found = relay.receiver.wait_for("/proxied", 21, timeout_s=ARRIVES_S)
    assert set(found.values()) == {1}
    for process in relay.processes:
        assert SECRET not in process.log()


def test_a_thousand_events_take_no_more_handshakes_than_there_may_be_in_flight(relay: Relay) -> None:
    relay.subscribe()
    before = relay.receiver.connections().established

    relay.publish(events(1_000))

    account = relay.settle()
    assert (account.lost, account.doubled) == (0, 0)
    assert relay.receiver.connections().established - before <= 16
