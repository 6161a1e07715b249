"""
`odim-relay odim import`: out of ODIM's Redis, with rows as ODIM writes them, into our own.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from odim_relay.adapters.redis import keys
from odim_relay.cli.main import main
from odim_relay.domain.keeper import Keeper
from odim_relay.domain.subscription import Filters, RetryPolicy, Subscription
from tests.integration.operator.filled import Filled
from tests.support.command_line import as_before
from tests.support.odim_redis import OdimRedis, OdimSubscription
from tests.support.redis_server import RedisServer

pytestmark = pytest.mark.server

A, B, C = (f"{number}ce177bf-42a4-4335-b1c1-41540a4b65d7" for number in (1, 2, 3))
SYSTEM = "/redfish/v1/Systems/6d4a0a66-7efa-578e-83cf-44dc68d2874e.1"
PLAIN = "https://192.0.2.1:8080/hook"
WITH_QUERY = "https://192.0.2.1/d?a=1&b=2"
IPV6 = "https://[2001:db8::1]:5678/x"
# As an installation is born with it.
SEED = json.dumps(
    {
        "EventDestination": {
            "Destination": "",
            "EventTypes": ["Alert"],
            "SubordinateResources": True,
            "Protocol": "Redfish",
        },
        "Hosts": [],
        "SubscriptionID": "0",
    }
)
EVENT = (
    b'{"@odata.type":"","Name":"Events","@odata.context":"","Events":[{"MemberId":"0","EventType":"Alert",'
    b'"EventId":"1","Severity":"OK","EventTimestamp":"2022-07-05T08:54:42Z",'
    b'"Message":"a \\"b\\"\\n \\\\ \\u0026 \xc3\xa9",'
    b'"MessageId":"iLOEvents.2.3.X","OriginOfCondition":{"@odata.id":"/redfish/v1/Systems/1"}}]}'
)
REPORT = b'{"@odata.type":"#MetricReport.v1_4_2.MetricReport","Id":"CPU","MetricValues":[],"Name":"\\"a\\\\b\\""}'


@dataclass(frozen=True, slots=True)
class World:
    """
    ODIM's Redis, ours, and the command line between them.
    """

    odim: OdimRedis
    ours: Filled
    cli: CliRunner

    def run(self, *arguments: str) -> Result:
        return self.cli.invoke(main, ["odim", "import", *arguments])

    def imports(self, *arguments: str) -> dict[str, Any]:
        """
        Import, and return what is told; fails when something was written to ODIM's Redis.
        """
        before = self._writes()
        done = self.run("--json", *arguments)
        assert done.exit_code == 0, done.output
        assert self._writes() == before
        return dict(json.loads(done.stdout))

    def _writes(self) -> tuple[int, int]:
        with self.odim.server.client() as client:
            return int(client.info("persistence")["rdb_changes_since_last_save"]), int(client.dbsize())

    def parked(self, subscription_id: str) -> list[bytes]:
        """
        The bodies that wait for a subscription, in their order.
        """
        client, prefix = self.ours.client, self.ours.prefix
        ids: list[bytes] = client.zrange(prefix + keys.parked(subscription_id), 0, -1)  # type: ignore[assignment] # without scores
        letters = [self.ours.letter(id_.decode()) for id_ in ids]
        assert {letter["reason"] for letter in letters} <= {"imported"}
        assert {letter["shape"] for letter in letters} <= {""}
        bodies = [client.hget(prefix + keys.body(str(letter["event"])), "payload") for letter in letters]
        return [body for body in bodies if isinstance(body, bytes)]

    def discard_all(self) -> None:
        done = self.cli.invoke(main, ["dead-letters", "discard", "--yes"])
        assert done.exit_code == 0, done.output


@pytest.fixture
def world(
    redis_server: RedisServer, key_prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    monkeypatch.chdir(tmp_path)
    with RedisServer(tmp_path / "odim") as theirs, redis_server.client() as client, as_before():
        monkeypatch.setenv("ODIM_RELAY_REDIS__URL", redis_server.url())
        monkeypatch.setenv("ODIM_RELAY_REDIS__KEY_PREFIX", key_prefix)
        monkeypatch.setenv("ODIM_RELAY_ODIM__REDIS_URL", theirs.url())
        yield World(OdimRedis(theirs), Filled(client, key_prefix), CliRunner())


def event_at(instant: str, number: int = 0) -> bytes:
    return EVENT.replace(b"2022-07-05T08:54:42Z", instant.encode()).replace(
        b'"EventId":"1"', b'"EventId":"%d"' % number
    )


def became(report: dict[str, Any]) -> dict[str, str]:
    return {one["id"]: one["became"] for one in report["subscriptions"]}


# --- subscriptions ---


def test_subscriptions_become_our_own_under_their_ids_with_every_member_that_odim_keeps(world: World) -> None:
    world.odim.subscribe(
        OdimSubscription(
            id=A,
            destination=WITH_QUERY,
            name="n & <m>",
            context="c",
            event_types=("Alert",),
            message_ids=("ResourceEvent.1.2.0.ResourceAdded",),
            resource_types=("ComputerSystem",),
            origin_resources=(SYSTEM,),
            subordinate_resources=True,
            retry_policy="RetryForever",
        ),
        OdimSubscription(id=B, destination=IPV6, event_format="MetricReport"),
    )
    world.odim.put_row("Subscription", SEED)
    report = world.imports()

    assert became(report) == {A: "imported", B: "imported"}
    assert report["not_used"] == [
        {"reason": "default_subscription", "detail": "0: is what every installation is born with, of no subscriber"}
    ]
    ours = world.ours.store.get(A)
    assert ours is not None
    assert ours.created_at_s > 0
    assert (ours.keeper, ours.owner, ours.destination, ours.name, ours.context, ours.retry_policy) == (
        Keeper.OWN,
        "",  # ODIM's users are not ours
        WITH_QUERY,
        "n & <m>",
        "c",
        RetryPolicy.FOREVER,
    )
    assert ours.filters == Filters(
        event_types=("Alert",),
        message_ids=("ResourceEvent.1.2.0.ResourceAdded",),
        resource_types=("ComputerSystem",),
        origin_resources=(SYSTEM,),
        subordinate_resources=True,
    )
    reports = world.ours.store.get(B)
    assert reports is not None
    assert (reports.destination, reports.event_format) == (IPV6, "MetricReport")


def test_a_second_import_leaves_what_is_ours_as_it_is_by_then(world: World) -> None:
    world.odim.subscribe(OdimSubscription(id=A, destination=PLAIN))
    world.imports()
    changed = world.cli.invoke(main, ["subscriptions", "update", A, "--name", "ours"])
    assert changed.exit_code == 0, changed.output
    generation = world.ours.store.generation()

    assert became(world.imports()) == {A: "ours_already"}
    assert world.ours.store.generation() == generation
    ours = world.ours.store.get(A)
    assert ours is not None
    assert ours.name == "ours"


def test_a_subscription_that_was_followed_becomes_ours(world: World) -> None:
    world.odim.subscribe(OdimSubscription(id=A, destination=PLAIN, name="n"))
    world.ours.store.save(Subscription(subscription_id=A, destination=PLAIN, keeper=Keeper.ODIM, created_at_s=7))

    assert became(world.imports("--dry-run")) == {A: "adopted"}
    assert became(world.imports()) == {A: "adopted"}
    ours = world.ours.store.get(A)
    assert ours is not None
    assert (ours.keeper, ours.created_at_s, ours.name) == (Keeper.OWN, 7, "n")


def test_what_cannot_be_carried_over_is_told_with_the_reason_and_the_rest_is_imported(world: World) -> None:
    world.odim.subscribe(
        OdimSubscription(id=A, destination="https://169.254.169.254/latest"),
        OdimSubscription(id=B, destination=PLAIN, retry_policy="TerminateAfterRetries"),
    )
    world.odim.put_row("Subscription", "{no json")
    world.odim.put_row("Subscription", json.dumps({"SubscriptionID": C, "EventDestination": "text"}))
    report = world.imports()

    by_id = {one["id"]: one for one in report["subscriptions"]}
    assert became(report) == {A: "refused", B: "imported"}
    assert "169.254.169.254" in by_id[A]["notes"][0]
    assert "TerminateAfterRetries" in by_id[B]["notes"][0]
    assert sorted(one["reason"] for one in report["not_used"]) == ["not_json", "wrong_member"]
    assert world.ours.store.ids() == [B]
    printed = world.run("--dry-run").stdout
    assert "2 subscriptions: 0 would be imported, 1 ours already, 1 refused" in printed
    assert "2 rows of ODIM's tables are not used:" in printed
    assert "not json: " in printed


def test_a_dry_run_tells_the_same_and_changes_nothing(world: World) -> None:
    world.odim.subscribe(OdimSubscription(id=A, destination=PLAIN), OdimSubscription(id=B, destination="ftp://h/"))
    world.odim.put_undelivered(PLAIN, EVENT)
    world.odim.put_devices({"10.24.0.4": [SYSTEM]})
    key_count, generation = len(world.ours.client.keys(f"{world.ours.prefix}*")), world.ours.store.generation()
    planned = world.imports("--dry-run", "--inventory")

    assert len(world.ours.client.keys(f"{world.ours.prefix}*")) == key_count
    assert world.ours.store.generation() == generation
    done = world.imports("--inventory")
    assert (planned.pop("dry_run"), done.pop("dry_run")) == (True, False)
    assert (planned["undelivered"].pop("imported"), done["undelivered"].pop("imported")) == (0, 1)
    assert planned == done


# --- undelivered events ---


def test_undelivered_events_wait_for_their_subscriptions_undamaged(world: World) -> None:
    by_destination = {PLAIN: A, WITH_QUERY: B, IPV6: C}
    for destination, id_ in by_destination.items():
        world.odim.subscribe(OdimSubscription(id=id_, destination=destination))
        world.odim.put_undelivered(destination, EVENT)
    # A report is encoded twice, and ODIM's older way of keeping an event puts that into a string once more.
    world.odim.put_undelivered(PLAIN, json.dumps(REPORT.decode()).encode())
    world.odim.put_undelivered(IPV6, json.dumps(json.dumps(REPORT.decode())).encode())
    world.odim.put_undelivered(IPV6, REPORT)
    report = world.imports()

    assert report["undelivered"]["found"] == report["undelivered"]["imported"] == 6
    assert world.parked(A) == [EVENT, REPORT]
    assert world.parked(B) == [EVENT]
    assert world.parked(C) == [EVENT, REPORT, REPORT]


def test_a_lone_event_is_imported_and_one_for_a_longer_url_is_not_taken_for_it(world: World) -> None:
    world.odim.subscribe(OdimSubscription(id=A, destination="https://192.0.2.1/Dest"))
    world.odim.put_undelivered("https://192.0.2.1/Dest", event_at("2022-07-05T08:00:00Z", 1))
    assert world.imports()["undelivered"]["imported"] == 1
    world.odim.put_undelivered("https://192.0.2.1/Dest2", event_at("2022-07-05T08:00:00Z", 2))
    report = world.imports()["undelivered"]

    assert (report["imported"], report["imported_before"]) == (0, 1)
    assert report["without_subscription"] == [{"destination": "https://192.0.2.1/Dest2", "count": 1}]
    assert world.parked(A) == [event_at("2022-07-05T08:00:00Z", 1)]


def test_they_wait_in_the_order_of_their_time_and_those_without_one_come_last(world: World) -> None:
    world.odim.subscribe(OdimSubscription(id=A, destination=PLAIN))
    in_order = [
        event_at("2022-07-05T08:00:00+02:00", 1),
        event_at("2022-07-05T07:00:00.5Z", 2),
        event_at("2022-07-05T03:00:01-0600", 3),
        event_at("2022-07-05T09:00:02Z", 4),
        event_at("yesterday", 5),
    ]
    for number in (3, 0, 4, 2, 1):
        world.odim.put_undelivered(PLAIN, in_order[number])
    world.imports()

    assert world.parked(A) == in_order


def test_what_was_imported_once_is_not_imported_again_whatever_became_of_it(world: World) -> None:
    world.odim.subscribe(OdimSubscription(id=A, destination=PLAIN))
    world.odim.put_undelivered(PLAIN, event_at("2022-07-05T08:00:00Z", 1))
    world.imports()
    world.odim.put_undelivered(PLAIN, event_at("2022-07-05T08:00:00Z", 2))
    report = world.imports()["undelivered"]
    assert (report["found"], report["imported"], report["imported_before"]) == (2, 1, 1)
    assert len(world.parked(A)) == 2
    world.discard_all()
    report = world.imports()["undelivered"]

    assert (report["found"], report["imported"], report["imported_before"]) == (2, 0, 2)
    assert world.parked(A) == []


def test_what_is_in_the_ledger_is_not_written_again_though_it_was_not_noted(world: World) -> None:
    world.odim.subscribe(OdimSubscription(id=A, destination=PLAIN))
    world.odim.put_undelivered(PLAIN, EVENT)
    world.imports()
    ids = world.ours.client.zrange(world.ours.prefix + keys.parked(A), 0, -1)
    # As if the import had died in between.
    world.ours.client.delete(world.ours.prefix + keys.IMPORTED)
    world.imports()

    assert world.ours.client.zrange(world.ours.prefix + keys.parked(A), 0, -1) == ids
    assert world.ours.counter("deliveries_created") == 1


def test_of_several_subscriptions_to_one_destination_the_first_by_id_gets_an_event(world: World) -> None:
    world.odim.subscribe(OdimSubscription(id=B, destination=PLAIN), OdimSubscription(id=A, destination=PLAIN))
    world.odim.put_undelivered(PLAIN, EVENT)
    world.imports()

    assert (world.parked(A), world.parked(B)) == ([EVENT], [])


def test_what_nobody_subscribes_to_stays_and_is_imported_when_somebody_does(world: World) -> None:
    world.odim.put_undelivered(PLAIN, EVENT)
    said = world.run("--no-subscriptions").stdout
    assert f"1 event stays in ODIM's Redis, for no subscription has the destination {PLAIN}: " in said
    world.ours.store.save(Subscription(subscription_id=A, destination=PLAIN))

    assert world.imports("--no-subscriptions")["undelivered"]["imported"] == 1
    assert world.parked(A) == [EVENT]


def test_events_that_cannot_be_read_are_told_and_left(world: World) -> None:
    world.odim.subscribe(OdimSubscription(id=A, destination=PLAIN))
    world.odim.put_undelivered(PLAIN, b"\xff")
    world.odim.put_undelivered(PLAIN, b'{"Events":1}')
    world.odim.put_undelivered(PLAIN, EVENT)
    with world.odim.server.client() as client:
        client.set("UndeliveredEvents:destination", b'"event"')
        client.hset("UndeliveredEvents:https://192.0.2.1/hash:1", "a", "b")
    report = world.imports()["undelivered"]

    assert sorted(one["reason"] for one in report["not_used"]) == [
        "events_not_an_array",
        "not_an_undelivered_key",
        "not_utf8",
    ]
    assert report["imported"] == 1
    assert world.parked(A) == [EVENT]


def test_hundreds_are_imported_whole(world: World) -> None:
    world.odim.subscribe(OdimSubscription(id=A, destination=PLAIN))
    bodies = [event_at(f"2022-07-05T08:{number // 60:02}:{number % 60:02}Z", number) for number in range(350)]
    for body in reversed(bodies):
        world.odim.put_undelivered(PLAIN, body)
    report = world.imports()["undelivered"]

    assert (report["found"], report["imported"], report["left_meanwhile"]) == (350, 350, 0)
    assert world.parked(A) == bodies


# --- sources and aggregates ---


def test_sources_and_aggregates_become_our_own_when_asked_for(world: World) -> None:
    world.odim.put_devices({"10.24.0.4": [SYSTEM], "2001:db8::7": ["/redfish/v1/Systems/b.1"]})
    world.odim.put_aggregate("rack", [SYSTEM], hosts=["10.24.0.4"])
    assert "inventory" not in world.imports()
    report = world.imports("--inventory", "--no-subscriptions", "--no-undelivered")

    assert report["inventory"] == {"added": 3, "changed": 0, "unchanged": 0, "removed": 0}
    assert "subscriptions" not in report
    assert "undelivered" not in report
    listed = json.loads(world.cli.invoke(main, ["sources", "list", "--json"]).stdout)
    assert listed == [
        {"address": "10.24.0.4", "system": SYSTEM, "keeper": "own", "counts": True},
        {"address": "2001:db8::7", "system": "/redfish/v1/Systems/b.1", "keeper": "own", "counts": True},
    ]
    assert world.imports("--inventory")["inventory"]["unchanged"] == 3


# --- when it cannot be ---


def test_without_the_setting_the_command_names_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ODIM_RELAY_ODIM__REDIS_URL")
    for options in ((), ("--no-subscriptions",), ("--no-undelivered", "--dry-run")):
        refused = world.run(*options)
        assert (refused.exit_code, refused.stdout) == (2, "")
        assert refused.stderr.startswith("odim-relay: ODIM__REDIS_URL is not set")


def test_while_odims_redis_is_away_nothing_is_done(world: World) -> None:
    world.odim.server.kill()
    refused = world.run()

    assert refused.exit_code == 3
    assert "ODIM" in refused.stderr
    assert world.ours.store.ids() == []
