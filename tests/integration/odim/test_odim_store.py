"""
ODIM's own Redis, as it is read: all of it, and nothing but read.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from odim_relay.adapters.redis.connection import TlsFiles, connect
from odim_relay.adapters.redis.odim import RedisOdimStore
from odim_relay.errors import PermanentError, TransientError
from tests.support.certificates import Certificate, make_certificates
from tests.support.odim_redis import OdimRedis, OdimSubscription
from tests.support.redis_sentinel import Watched
from tests.support.redis_server import RedisServer
from tests.support.tls_proxy import TlsProxy
from tests.support.waiting import wait_until

pytestmark = pytest.mark.server

SYSTEM = "/redfish/v1/Systems/6d4a0a66-7efa-578e-83cf-44dc68d2874e.1"
AGGREGATES = "/redfish/v1/AggregationService/Aggregates/"
THEIRS = OdimSubscription(id="3ce177bf-42a4-4335-b1c1-41540a4b65d7", destination="https://s.example/d?a=1&b=2")
READS = {"zrange", "scan", "mget", "zcard"}
AROUND_READING = {"multi", "exec", "psubscribe", "ping", "select", "hello", "auth", "client|setinfo", "client"}


@pytest.fixture
def store(fresh_redis: RedisServer) -> Iterator[RedisOdimStore]:
    with connect(fresh_redis.url()) as client:
        store = RedisOdimStore(client)
        yield store
        store.close()


@pytest.fixture
def odim(fresh_redis: RedisServer) -> OdimRedis:
    return OdimRedis(fresh_redis)


def test_every_table_is_read_as_it_stands_there(odim: OdimRedis, store: RedisOdimStore) -> None:
    odim.put_devices({"10.24.0.4": [SYSTEM]})
    odim.put_aggregate("a", [SYSTEM], ["10.24.0.4"])
    odim.subscribe(THEIRS)
    tables = store.read()
    assert tables.subscriptions == [THEIRS.row()]
    (device,) = tables.devices
    assert device.startswith("10.24.0.4||https://10.24.0.4/")
    assert device.endswith(f"||[{SYSTEM}]")
    assert tables.aggregate_hosts == ["a||[10.24.0.4]"]
    assert tables.aggregates == {
        f"{AGGREGATES}a": json.dumps({"Elements": [{"@odata.id": SYSTEM}]}, separators=(",", ":"))
    }


def test_nothing_is_read_from_an_empty_server(store: RedisOdimStore) -> None:
    tables = store.read()
    assert (tables.subscriptions, tables.devices, tables.aggregate_hosts, tables.aggregates) == ([], [], [], {})
    assert list(store.undelivered()) == []


def test_all_aggregates_are_found_among_many_keys_however_the_server_walks_them(
    fresh_redis: RedisServer, store: RedisOdimStore
) -> None:
    with fresh_redis.client() as client:
        client.mset({f"System:{number}": "{}" for number in range(20_000)})
        client.mset({f"Aggregate:{AGGREGATES}{number}": "{}" for number in range(3_000)})
        client.sadd("Aggregate:no-string", "x")
    assert store.read().aggregates == {f"{AGGREGATES}{number}": "{}" for number in range(3_000)}


@pytest.mark.parametrize("count", [1, 2_500])
def test_every_event_that_was_not_delivered_is_walked_once(
    fresh_redis: RedisServer, store: RedisOdimStore, count: int
) -> None:
    with fresh_redis.client() as client:
        events = {
            f"UndeliveredEvents:https://[fe80::1]:1/?a=1&b=2:{number}": b'{"a":"\\"\xff"}' for number in range(count)
        }
        client.mset(events)
        client.mset({f"ReadInProgress:{number}": '"true"' for number in range(5_000)})
    assert sorted(store.undelivered()) == sorted(events.items())
    some = sorted(events)[:3]
    assert store.undelivered_values([*some, "UndeliveredEvents:gone"]) == [*(events[key] for key in some), None]
    assert store.undelivered_values([]) == []


def test_what_is_no_utf8_keeps_nothing_else_from_being_read(fresh_redis: RedisServer, store: RedisOdimStore) -> None:
    with fresh_redis.client() as client:
        client.zadd("Subscription", {b"\xff\xfe": 0, "{}": 0})
        client.set(b"Aggregate:\xff", b"\xff")
    tables = store.read()
    assert sorted(tables.subscriptions) == ["\udcff\udcfe", "{}"][::-1]
    assert tables.aggregates == {"\udcff": "\udcff"}


def test_it_may_be_a_user_who_can_only_read_and_listen_and_does_nothing_else(
    fresh_redis: RedisServer, odim: OdimRedis
) -> None:
    odim.turn_on_notifications()
    odim.subscribe(THEIRS)
    odim.put_aggregate("a", [SYSTEM])
    with fresh_redis.client() as admin:
        allowed = " ".join(f"+{command}" for command in ("@read", "multi", "exec", "psubscribe", "ping", "select"))
        admin.execute_command("ACL", "SETUSER", "relay", "on", ">secret", "~*", "&*", "-@all", *allowed.split())
        admin.config_resetstat()
    url = fresh_redis.url().replace("redis://", "redis://relay:secret@")
    with connect(url) as client:
        store = RedisOdimStore(client)
        store.ping()
        assert store.wait_for_change(0)
        assert len(store.read().subscriptions) == 1
        assert list(store.undelivered()) == []
        assert store.undelivered_values(["UndeliveredEvents:x"]) == [None]
        facts = store.examine()
        assert (facts.role, facts.notifications) == (None, None)
        assert facts.counts == {"Subscription": 1, "DeviceSubscription": 0, "AggregateToHost": 1}
        odim.put_devices({"10.24.0.4": [SYSTEM]})
        wait_until(lambda: store.wait_for_change(0.1), timeout_s=30, what="a hint of the change")
        store.close()
    with fresh_redis.client() as admin:
        called = {name.removeprefix("cmdstat_") for name in admin.info("commandstats")}
    ours = called - {"zadd", "config", "config|set", "config|resetstat", "info", "acl", "acl|setuser"}
    assert ours - {"role", "config|get"} <= READS | AROUND_READING
    assert ours >= READS


def test_who_may_not_even_read_is_told_so(fresh_redis: RedisServer) -> None:
    with fresh_redis.client() as admin:
        admin.execute_command("ACL", "SETUSER", "relay", "on", ">secret", "~*", "-@all", "+ping")
    url = fresh_redis.url().replace("redis://", "redis://relay:secret@")
    with connect(url) as client:
        store = RedisOdimStore(client)
        with pytest.raises(PermanentError, match="reading ODIM's tables"):
            store.read()
        with pytest.raises(PermanentError, match="waiting for a change"):
            [store.wait_for_change(0.5) for _ in range(10)]


def test_the_server_says_what_it_is(odim: OdimRedis, store: RedisOdimStore) -> None:
    odim.turn_on_notifications()
    odim.put_devices({"10.24.0.4": [SYSTEM], "10.24.0.5": [SYSTEM]})
    facts = store.examine()
    assert facts.role == "master"
    assert sorted(facts.notifications or "") == ["K", "z"]
    assert facts.counts == {"Subscription": 0, "DeviceSubscription": 2, "AggregateToHost": 0}


# --- hints ---


def test_a_change_of_each_table_is_heard_of(odim: OdimRedis, store: RedisOdimStore) -> None:
    odim.turn_on_notifications()
    assert store.wait_for_change(0), "whoever begins to listen does not know what was before"
    changes: tuple[Callable[[], object], ...] = (
        lambda: odim.subscribe(THEIRS),
        lambda: odim.put_devices({"10.24.0.4": [SYSTEM]}),
        lambda: odim.put_aggregate("a", [SYSTEM]),
        lambda: odim.unsubscribe(THEIRS.id),
    )
    for change in changes:
        change()
        wait_until(lambda: store.wait_for_change(0.1), timeout_s=30, what="a hint of the change")
        while store.wait_for_change(0.2):
            pass


def test_without_notifications_nothing_is_heard_and_that_is_no_fault(odim: OdimRedis, store: RedisOdimStore) -> None:
    assert store.wait_for_change(0)
    odim.subscribe(THEIRS)
    assert not store.wait_for_change(0.5)


def test_very_many_changes_are_one(odim: OdimRedis, store: RedisOdimStore) -> None:
    odim.turn_on_notifications()
    assert store.wait_for_change(0)
    for number in range(200):
        odim.put_row("DeviceSubscription", f"row {number}")
    heard = 0
    while store.wait_for_change(0.3):
        heard += 1
    assert 0 < heard < 20


def test_a_connection_that_was_lost_is_told_and_made_anew(fresh_redis: RedisServer, store: RedisOdimStore) -> None:
    assert store.wait_for_change(0)
    fresh_redis.kill()
    with pytest.raises(TransientError):
        [store.wait_for_change(0.1) for _ in range(600)]
    with pytest.raises(TransientError):
        store.read()
    fresh_redis.start()
    assert store.wait_for_change(0), "what changed meanwhile, nobody told"
    assert not store.wait_for_change(0.1)
    OdimRedis(fresh_redis).turn_on_notifications()
    OdimRedis(fresh_redis).subscribe(THEIRS)
    wait_until(lambda: store.wait_for_change(0.1), timeout_s=30, what="a hint of the change")


def test_a_server_that_hangs_is_given_up(fresh_redis: RedisServer) -> None:
    with connect(fresh_redis.url(), timeout_s=0.5) as client:
        store = RedisOdimStore(client)
        store.read()
        fresh_redis.stop()
        try:
            for ask in (store.ping, store.read, store.examine):
                with pytest.raises(TransientError):
                    ask()
        finally:
            fresh_redis.cont()
        wait_until(lambda: store.read() is not None, timeout_s=30, what="an answer")


# --- TLS, Sentinel ---


def test_tls_with_a_client_certificate(fresh_redis: RedisServer, odim: OdimRedis, tmp_path: Path) -> None:
    certificates = make_certificates(tmp_path)
    ours = certificates.chain_files[Certificate.GOOD]
    odim.turn_on_notifications()
    odim.subscribe(THEIRS)
    with TlsProxy(fresh_redis.port, chain_file=ours, client_ca=certificates.ca_file) as proxy:
        url = f"rediss://127.0.0.1:{proxy.port}/0"
        tls = TlsFiles(ca=certificates.ca_file, cert=ours, key=ours)
        with connect(url, tls=tls) as client:
            store = RedisOdimStore(client)
            assert len(store.read().subscriptions) == 1
            assert store.wait_for_change(0)
            odim.unsubscribe(THEIRS.id)
            wait_until(lambda: store.wait_for_change(0.1), timeout_s=30, what="a hint of the change")
            store.close()
        stranger = certificates.chain_files[Certificate.OTHER_CA]
        for wrong in (
            TlsFiles(ca=certificates.ca_file),
            TlsFiles(ca=certificates.ca_file, cert=stranger, key=stranger),
            TlsFiles(ca=stranger, cert=ours, key=ours),
            TlsFiles(ca=certificates.ca_file, cert=tmp_path / "missing.pem", key=tmp_path / "missing.pem"),
        ):
            with connect(url, tls=wrong) as client, pytest.raises(TransientError):
                RedisOdimStore(client).read()


def test_after_a_fail_over_the_new_primary_is_read_and_listened_to(tmp_path: Path) -> None:
    with Watched(tmp_path) as watched, connect(watched.url, timeout_s=2) as client:
        store = RedisOdimStore(client)
        OdimRedis(watched.primary).subscribe(THEIRS)
        assert len(store.read().subscriptions) == 1
        assert store.wait_for_change(0)
        watched.wait_until_copied()

        watched.fail_over()

        def read_again() -> bool:
            try:
                return len(store.read().subscriptions) == 1 and store.wait_for_change(0)
            except TransientError:
                return False

        wait_until(read_again, timeout_s=90, what="the new primary to be read")
        OdimRedis(watched.replica).turn_on_notifications()
        OdimRedis(watched.replica).put_devices({"10.24.0.4": [SYSTEM]})
        wait_until(lambda: store.wait_for_change(0.1), timeout_s=30, what="a hint of the change")
        assert len(store.read().devices) == 1
        store.close()
