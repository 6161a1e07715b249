"""
Subscriptions that are suspended, resumed and redirected from the command line, and what is told of them.
"""

import json
from typing import Any

import pytest
from click.testing import CliRunner, Result

from odim_relay import bootstrap
from odim_relay.adapters.redis.connection import Scripts
from odim_relay.adapters.redis.delivery_ledger import RedisDeliveryLedger
from odim_relay.adapters.redis.inventory import RedisInventoryStore
from odim_relay.adapters.redis.rules import LedgerRules
from odim_relay.cli.main import main
from odim_relay.domain.delivery import ParkReason
from odim_relay.domain.keeper import Keeper
from odim_relay.ports import InventoryContent
from tests.integration.operator.filled import BUSY, REFUSED, Filled
from tests.support.redis_server import RedisServer

pytestmark = pytest.mark.server


def ok(result: Result) -> str:
    assert result.exit_code == 0, result.output
    return result.stdout


def told(cli: CliRunner, *arguments: str) -> dict[str, Any]:
    return dict(json.loads(ok(cli.invoke(main, [*arguments, "--json"]))))


def queued_tasks(redis_server: RedisServer) -> int:
    with redis_server.client(1) as broker:
        return int(broker.llen("deliveries"))


def trip(filled: Filled, subscription_id: str, *deliveries: str) -> None:
    """
    Open the breaker of its destination with the first, and let the others wait for it.
    """
    strict = RedisDeliveryLedger(Scripts(filled.client, filled.prefix, LedgerRules(breaker_failures=1)))
    first, *others = filled.ingest(*((name, subscription_id) for name in deliveries))
    strict.park(filled.claim(first), ParkReason.EXHAUSTED, REFUSED)
    for ticket in others:
        strict.claim(ticket)


def age(filled: Filled, delivery_id: str, hours: int) -> None:
    letter = filled.letter(delivery_id)
    letter["taken_ms"] = str(int(str(letter["taken_ms"])) - hours * 3_600_000)
    filled.client.hset(f"{filled.prefix}dead-letters", delivery_id, json.dumps(letter))


def test_a_suspended_subscription_is_shown_as_such_until_it_is_resumed(cli: CliRunner, filled: Filled) -> None:
    filled.subscribe("s1")
    assert "Suspended" in ok(cli.invoke(main, ["subscriptions", "suspend", "s1"]))
    assert "was suspended already" in ok(cli.invoke(main, ["subscriptions", "suspend", "s1"]))
    filled.ingest(("d1", "s1"), ("d2", "s1"))
    shown = told(cli, "subscriptions", "show", "s1")
    assert (shown["suspended"]["by"], shown["waiting"], shown["dead_letters"]) == ("by_hand", 2, 0)
    assert shown["suspended"]["since"].endswith("Z")
    assert shown["oldest_age_s"] > 0
    for command in (["subscriptions", "show", "s1"], ["subscriptions", "list"]):
        assert "suspended" in ok(cli.invoke(main, command))
    assert told(cli, "subscriptions", "resume", "s1") == {"id": "s1", "was_suspended": True, "parked": 2}
    assert told(cli, "subscriptions", "show", "s1")["suspended"] is None
    assert "It was not suspended" in ok(cli.invoke(main, ["subscriptions", "resume", "s1"]))


def test_what_waited_too_long_is_discarded_when_a_subscription_is_resumed(
    cli: CliRunner, filled: Filled, redis_server: RedisServer
) -> None:
    filled.subscribe("s1")
    ok(cli.invoke(main, ["subscriptions", "suspend", "s1"]))
    filled.ingest(("old", "s1"), ("older", "s1"), ("young", "s1"))
    age(filled, "old", 3)
    age(filled, "older", 5)
    said = ok(cli.invoke(main, ["subscriptions", "resume", "s1", "--since", "2h"]))
    assert "3 deliveries are parked for it" in said
    assert "longer than 2 h 0 min ago are discarded" in said
    assert filled.counter("deliveries:discarded") == 2
    assert queued_tasks(redis_server) == 1
    assert told(cli, "deliveries", "show", "young")["state"] == "QUEUED"


def test_what_waits_goes_at_once_where_its_subscription_is_sent_to(
    cli: CliRunner, filled: Filled, redis_server: RedisServer
) -> None:
    filled.subscribe("s1")
    trip(filled, "s1", "d1", "d2", "d3")
    assert told(cli, "subscriptions", "show", "s1")["breaker"]["state"] == "open"
    ok(cli.invoke(main, ["subscriptions", "update", "s1", "--name", "other"]))
    assert queued_tasks(redis_server) == 0
    ok(cli.invoke(main, ["subscriptions", "update", "s1", "--destination", "http://elsewhere/"]))
    assert queued_tasks(redis_server) == 3
    assert told(cli, "subscriptions", "show", "s1")["breaker"]["state"] == "closed"


def test_other_credentials_are_another_destination(cli: CliRunner, filled: Filled, redis_server: RedisServer) -> None:
    filled.subscribe("s1")
    trip(filled, "s1", "d1", "d2")
    ok(cli.invoke(main, ["subscriptions", "update", "s1", "--header", "Authorization=mended"]))
    assert queued_tasks(redis_server) == 2


def test_mode_and_policy_are_set_changed_and_told(cli: CliRunner, filled: Filled) -> None:
    flags = ["--mode", "ORDERED", "--retry-policy", "suspendretries"]
    id_ = ok(cli.invoke(main, ["subscriptions", "create", "--destination", "http://h/", *flags])).strip()
    shown = told(cli, "subscriptions", "show", id_)
    assert (shown["mode"], shown["retry_policy"]) == ("ordered", "SuspendRetries")
    assert filled.client.hget(f"{filled.prefix}flow:{id_}", "mode") == b"ordered"
    assert filled.client.hget(f"{filled.prefix}flow:{id_}", "policy") == b"suspend"
    assert "everything; ordered; SuspendRetries" in ok(cli.invoke(main, ["subscriptions", "list"]))
    ok(cli.invoke(main, ["subscriptions", "update", id_, "--mode", "at_most_once"]))
    shown = told(cli, "subscriptions", "show", id_)
    assert (shown["mode"], shown["retry_policy"]) == ("at_most_once", "SuspendRetries")


@pytest.mark.parametrize("verb", ["suspend", "resume", "show", "delete"])
def test_an_unknown_subscription_is_said_to_be_none(cli: CliRunner, verb: str) -> None:
    refused = cli.invoke(main, ["subscriptions", verb, "nobody"])
    assert (refused.exit_code, refused.stderr) == (1, "odim-relay: there is no subscription nobody\n")


def test_status_tells_breakers_suspensions_and_workers(cli: CliRunner, filled: Filled) -> None:
    filled.subscribe("s1", "s2", "s3")
    trip(filled, "s1", "d1", "d2")
    ok(cli.invoke(main, ["subscriptions", "suspend", "s2"]))
    (ticket,) = filled.ingest(("d3", "s3"))
    filled.claim(ticket)
    done = cli.invoke(main, ["status", "--json"])
    assert done.exit_code == 3  # there is no Kafka
    status = json.loads(done.stdout)
    assert status["ready"] is False
    assert list(status["reasons"]) == ["kafka"]
    assert (status["workers"], status["slots"], status["waiting"], status["dead_letters"]) == (1, 16, 1, 1)
    by_id = {row["id"]: row for row in status["subscriptions"]}
    assert {id_: (row["breaker"], row["suspended"] is not None) for id_, row in by_id.items()} == {
        "s1": ("open", False),
        "s2": ("closed", True),
        "s3": ("closed", False),
    }
    trouble = {row["destination"]: row for row in status["destinations"]}
    assert trouble["http://s1/x"]["failures"] == 1
    assert trouble["http://s1/x"]["accepts_connections"] is False
    assert trouble["http://s1/x"]["next_probe_at"].endswith("Z")
    assert trouble["http://s3/x"]["in_flight"] == 1
    printed = cli.invoke(main, ["status"]).stdout
    assert "knocked at until it accepts connections" in printed
    assert "by hand" in printed
    assert "hunter2" not in printed + done.stdout


def test_status_tells_of_the_inventory_where_there_is_one(cli: CliRunner, filled: Filled) -> None:
    before = cli.invoke(main, ["status"]).stdout
    assert "sources" not in before
    inventory = RedisInventoryStore(filled.scripts)
    inventory.replace(Keeper.OWN, InventoryContent(sources={"10.0.0.1": "/redfish/v1/Systems/a.1"}))
    inventory.replace(Keeper.ODIM, InventoryContent(aggregates={"/redfish/v1/AggregationService/Aggregates/a": ()}))
    status = json.loads(cli.invoke(main, ["status", "--json"]).stdout)
    assert status["inventory"] == {"sources": {"own": 1, "odim": 0}, "aggregates": {"own": 0, "odim": 1}, "odim": None}
    inventory.note_reading('{"rows": {"DeviceSubscription": 3}, "skipped": {"no_uuid": 2}}')
    filled.client.hset(f"{filled.prefix}counters", "events_unknown_source", 4)
    odims = json.loads(cli.invoke(main, ["status", "--json"]).stdout)["inventory"]["odim"]
    assert (odims["rows"], odims["skipped"]) == ({"DeviceSubscription": 3}, {"no_uuid": 2})
    assert odims["read_age_s"] >= 0
    printed = " ".join(cli.invoke(main, ["status"]).stdout.split())
    assert "sources 1 of our own, 0 of ODIM aggregates 0 of our own, 1 of ODIM" in printed
    assert "events of unknown sources 4" in printed
    assert "ODIM's tables read" in printed
    assert "rows of them skipped no_uuid 2" in printed


def test_a_delivery_tells_what_it_waits_for(cli: CliRunner, filled: Filled) -> None:
    filled.subscribe("s1")
    rejected, delayed = filled.ingest(("rejected", "s1"), ("delayed", "s1"))
    filled.park(rejected, ParkReason.REJECTED)
    filled.park(delayed, ParkReason.EXHAUSTED, BUSY)
    assert "goes only by `odim-relay dead-letters replay`" in ok(cli.invoke(main, ["deliveries", "show", "rejected"]))
    assert "at the time of its next attempt" in ok(cli.invoke(main, ["deliveries", "show", "delayed"]))
    shown = told(cli, "deliveries", "show", "delayed")
    assert (shown["index"], shown["times_exhausted"], shown["replay"]) == ("delayed", 1, False)
    assert shown["next_attempt_at"] is not None
    filled.backlog.release(["delayed"])
    assert told(cli, "deliveries", "show", "delayed")["replay"] is True


def test_figures_come_from_counts_however_much_is_parked(cli: CliRunner, filled: Filled) -> None:
    filled.subscribe("s1")
    filled.fill("s1", 300)
    before = calls(filled, "hscan"), calls(filled, "hmget")
    ok(cli.invoke(main, ["dead-letters", "stats"]))
    ok(cli.invoke(main, ["subscriptions", "list"]))
    assert calls(filled, "hscan") == before[0]
    assert calls(filled, "hmget") - before[1] < 10
    assert filled.client.info("commandstats")["cmdstat_hmget"]["calls"] > 0


def calls(filled: Filled, name: str) -> int:
    stats = filled.client.info("commandstats").get(f"cmdstat_{name}", {"calls": 0})
    return int(stats["calls"])


def test_when_a_destination_took_a_delivery_last_is_known(cli: CliRunner, filled: Filled) -> None:
    assert cli is not None
    filled.subscribe("s1", "s2")
    taken, refused = filled.ingest(("d1", "s1"), ("d2", "s2"))
    before_ms = bootstrap.ledger_figures().now_ms()
    filled.ledger.complete(filled.claim(taken))
    filled.park(refused, ParkReason.REJECTED)
    flows = bootstrap.flow_listing()
    ids = {id_: flow.destination_id for id_, flow in flows.subscriptions(["s1", "s2"]).items()}
    found = flows.destinations(ids.values())
    assert before_ms <= found[ids["s1"]].success_at_ms <= bootstrap.ledger_figures().now_ms()
    assert found[ids["s2"]].success_at_ms == 0
