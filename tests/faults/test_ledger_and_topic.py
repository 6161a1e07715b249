"""
A topic that is another than before, a ledger that is not there, a record that kills (L10 to L12, L16).
"""

import re
from functools import partial
from pathlib import Path

import pytest

from tests.faults.conftest import MakeRelay
from tests.support.events import events
from tests.support.kafka_server import KafkaServer
from tests.support.receiver import Receiver
from tests.support.redis_server import RedisServer
from tests.support.relay import Relay
from tests.support.relay_process import RelayProcess, wait_for_end
from tests.support.waiting import wait_until

pytestmark = pytest.mark.server

UNREACHABLE = 3
BRIDGE_PROGRAM = ("-m", "tests.support.bridge_program")


def bodies_of(relay: Relay, path: str) -> set[str]:
    """
    The digests of all bodies: across two topics of one name, ids cannot be told in advance.
    """
    return {digest for digests in relay.receiver.digests(path).values() for digest in digests}


@pytest.mark.parametrize(
    ("is_running", "count"),
    [
        pytest.param(True, 100, id="under a running bridge, with fewer records"),
        pytest.param(True, 500, id="under a running bridge, with more records"),
        pytest.param(False, 100, id="while the bridge is down"),
    ],
)
def test_a_recreated_topic_is_read_from_its_start_and_nothing_crashes(
    make_relay: MakeRelay, receiver: Receiver, *, is_running: bool, count: int
) -> None:
    with make_relay(partitions=2) as relay:
        subscriber = relay.subscribe()
        relay.publish(events(300))
        assert relay.settle().is_perfect
        if not is_running:
            assert relay.bridge.terminate() == 0
        relay.recreate_topic()
        relay.publish(events(count, first=1_000))
        if not is_running:
            relay.bridge.start()
        wait_until(
            lambda: len(bodies_of(relay, subscriber.path)) == 300 + count,
            timeout_s=30,
            what="every event of both topics",
        )
        account = relay.settle()
        twice = sum(receiver.accepted(subscriber.path).values()) - 300 - count
        print(f"{account}; under two ids: {twice}")
        assert account.lost == 0, str(account)
        assert account.doubled == 0, str(account)
        # A running bridge may read on where the old topic was, before it notices and begins at the start.
        assert twice <= (max(count - 300, 0) if is_running else 0)
        assert relay.bridge.lines("topic.recreated")
        relay.check_health()


def test_a_bridge_without_its_ledger_ends_with_3_and_a_message_and_reads_nothing(
    make_relay: MakeRelay, fresh_redis: RedisServer
) -> None:
    with make_relay() as relay:
        relay.subscribe()
        relay.publish(events(50))
        assert relay.settle().is_perfect
        assert relay.bridge.terminate() == 0
        fresh_redis.empty()
        relay.subscribe()
        for _ in range(2):  # a supervisor starts it again
            relay.bridge.launch()
            assert wait_for_end(relay.bridge) == UNREACHABLE
            assert "odim-relay offsets reset" in relay.bridge.log(since_start=True)
            assert "Traceback" not in relay.bridge.log(since_start=True)
        assert relay.ledger.positions(relay.topic) == {}
        assert relay.ledger.counters() == {}


def test_a_ledger_that_is_emptied_under_a_running_bridge_ends_it_with_3_and_nothing_is_read_anew(
    make_relay: MakeRelay, fresh_redis: RedisServer
) -> None:
    with make_relay() as relay:
        relay.subscribe()
        relay.publish(events(50))
        assert relay.settle().is_perfect
        fresh_redis.empty()
        relay.subscribe()
        relay.publish(events(1))
        assert wait_for_end(relay.bridge) == UNREACHABLE
        assert "odim-relay offsets reset" in relay.bridge.log()
        assert relay.ledger.positions(relay.topic) == {}


def test_after_offsets_reset_a_bridge_without_its_ledger_starts_again(
    make_relay: MakeRelay, fresh_redis: RedisServer
) -> None:
    with make_relay() as relay:
        relay.subscribe()
        relay.publish(events(50))
        assert relay.settle().is_perfect
        assert relay.bridge.terminate() == 0
        fresh_redis.empty()
        subscriber = relay.subscribe()
        reset = relay.command("offsets", "reset", "earliest", "--yes")
        reset.launch()
        assert wait_for_end(reset) == 0, reset.log()
        relay.bridge.start()
        relay.receiver.wait_for_accepted(subscriber.path, 50, timeout_s=30)
        assert set(relay.receiver.accepted(subscriber.path).values()) == {1}


def test_a_record_that_kills_the_bridge_is_quarantined_unparsed_and_the_others_are_delivered(
    make_relay: MakeRelay,
) -> None:
    deadly = b"\x00 this kills \x00"
    with make_relay(KAFKA__SESSION_TIMEOUT_S=1) as relay:
        relay.subscribe()
        assert relay.bridge.terminate() == 0
        relay.publish(events(40))
        [place] = relay.publish([deadly], wrapped=False, wanted_by=())
        relay.publish(events(60, first=40))
        bridge = relay.make_bridge("bridge-with-a-fault", [*BRIDGE_PROGRAM, "--dies-of", "this kills"])
        starts = 0
        with bridge:
            while relay.unread_count() and starts < 12:
                starts += 1
                if starts > 1:
                    bridge.launch()
                wait_until(
                    lambda: not bridge.running or not relay.unread_count(),
                    timeout_s=30,
                    what="the bridge to die or end",
                )
            account = relay.settle()
        entries = relay.ledger.quarantine()
        print(f"{starts} starts; {account}")
        assert [entry["reason"] for entry in entries.values()] == ["unparsed"]
        assert entries[f"{relay.topic}/0/{place.offset}"]["value"] == deadly
        assert account.delivered == account.published == 100
        assert account.doubled == 0


def test_a_bridge_waits_for_a_kafka_that_is_not_there_and_goes_on_when_it_appears(
    fresh_redis: RedisServer, fresh_kafka: KafkaServer, receiver: Receiver, tmp_path: Path
) -> None:
    with Relay(tmp_path / "relay", redis=fresh_redis, kafka=fresh_kafka.bootstrap_servers, receiver=receiver) as relay:
        relay.subscribe()
        assert relay.bridge.terminate() == 0
        fresh_kafka.kill()
        relay.bridges = [relay.make_bridge("impatient-bridge", [*BRIDGE_PROGRAM, "--answer-s", "1"])]
        relay.bridge.launch()
        wait_until(lambda: relay.bridge.lines("bridge.waiting"), timeout_s=30, what="the bridge to say that it waits")
        fresh_kafka.start()
        relay.bridge.wait_ready()
        relay.publish(events(10))
        account = relay.settle()
        assert account.published == 10
        assert account.is_perfect, str(account)
        relay.check_health()


def pauses_s(process: RelayProcess) -> list[float]:
    """
    How long it waited, or waits, between its tries to connect to the broker.
    """
    return [float(pause) for pause in re.findall(r"Trying again in ([\d.]+) seconds", process.log(since_start=True))]


def has_tried_often(process: RelayProcess) -> bool:
    return len(pauses_s(process)) > 3


def test_all_processes_wait_for_a_redis_that_is_not_there_and_go_on_when_it_appears(
    make_relay: MakeRelay, fresh_redis: RedisServer
) -> None:
    with make_relay() as relay:
        relay.subscribe()
        for process in relay.processes:
            process.kill()
        relay.publish(events(100))
        fresh_redis.wait_until_written()
        fresh_redis.kill()
        for process in relay.processes:
            process.launch()
        wait_until(lambda: relay.bridge.lines("bridge.waiting"), timeout_s=30, what="the bridge to say that it waits")
        wait_until(lambda: relay.worker.lines("worker.waiting"), timeout_s=30, what="the worker to say that it waits")
        # Beat asks for its turn every few seconds, and for the broker only when it has it.
        wait_until(lambda: relay.beat.lines("beat.standing_by"), timeout_s=30, what="beat to say that it waits")
        # Celery's own pauses grow to half a minute, which is too long when Redis comes back (S14).
        for process in (relay.worker, relay.maintenance):
            wait_until(partial(has_tried_often, process), timeout_s=30, what="more tries to connect")
            assert max(pauses_s(process)) <= 5
        fresh_redis.start()
        account = relay.settle()
        assert account.published == 100
        assert account.is_perfect, str(account)
        relay.check_health()


@pytest.mark.parametrize("store", ["REDIS__URL", "KAFKA__BOOTSTRAP_SERVERS"])
def test_a_bridge_ends_with_3_and_a_message_when_a_store_stays_away(
    apache_kafka: KafkaServer, fresh_redis: RedisServer, tmp_path: Path, store: str
) -> None:
    nobody = {"REDIS__URL": "redis://127.0.0.1:1/0", "KAFKA__BOOTSTRAP_SERVERS": "127.0.0.1:1"}
    settings = {
        "REDIS__URL": fresh_redis.url(),
        "KAFKA__BOOTSTRAP_SERVERS": apache_kafka.bootstrap_servers,
        store: nobody[store],
    }
    bridge = RelayProcess(
        "bridge",
        [*BRIDGE_PROGRAM, "--waits-s", "3", "--answer-s", "1"],
        tmp_path,
        {f"ODIM_RELAY_{name}": value for name, value in settings.items()},
        ready="bridge.started",
    )
    try:
        bridge.launch()
        assert wait_for_end(bridge) == UNREACHABLE
    finally:
        bridge.kill()
    assert ("Redis" if store == "REDIS__URL" else "Kafka") in bridge.log().splitlines()[-1]
    assert "Traceback" not in bridge.log()
