"""
What the command line lists, from a ledger that the product's own scripts have written.
"""

import json

import pytest
from click.testing import CliRunner, Result

from odim_relay import bootstrap
from odim_relay.adapters.redis.listings import RedisDeliveryListing, RedisLedgerFigures
from odim_relay.adapters.redis.quarantine import RedisQuarantineListing
from odim_relay.cli.main import main
from odim_relay.domain.delivery import ParkReason, State
from odim_relay.domain.event import WHOLE
from odim_relay.ports import Claim, Position, QuarantineEntry, SuspendedBy
from tests.integration.operator.filled import PARTITION, RECORDED_AT_MS, REFUSED, Filled

pytestmark = pytest.mark.server


def test_parked_deliveries_are_walked_by_subscription_in_the_order_they_came(filled: Filled) -> None:
    filled.subscribe("s1", "s2")
    tickets = filled.ingest(("d1", "s2"), ("d2", "s1"), ("d3", "s1"), ("d4", "s1"), ("d5", "s1"))
    for ticket, reason in zip(
        reversed(tickets[:4]),
        (ParkReason.EXHAUSTED, ParkReason.REJECTED, ParkReason.EXHAUSTED, ParkReason.GONE),
        strict=True,
    ):
        filled.park(ticket, reason)
    listing = RedisDeliveryListing(filled.scripts)
    assert [(record.delivery_id, record.reason) for record in listing.parked()] == [
        ("d2", ParkReason.EXHAUSTED),
        ("d3", ParkReason.REJECTED),
        ("d4", ParkReason.EXHAUSTED),
        ("d1", ParkReason.GONE),
    ]
    assert [record.delivery_id for record in listing.parked(["s2", "unknown"])] == ["d1"]


def test_more_than_one_page_is_walked_without_loss_also_while_it_shrinks(filled: Filled) -> None:
    filled.subscribe("s1")
    names = filled.fill("s1", 1_100)
    listing = RedisDeliveryListing(filled.scripts)
    assert [record.delivery_id for record in listing.parked()] == names
    walk = listing.parked()
    seen = [next(walk).delivery_id for _ in range(500)]
    for name in names[:400]:
        filled.ledger.complete(
            Claim(
                delivery_id=name,
                lease=0,
                subscription_id="s1",
                event_id="",
                payload=b"",
                shape=WHOLE,
                attempt=1,
                generation=0,
                recorded_at_ms=0,
            )
        )
    seen += [record.delivery_id for record in walk]
    assert seen == names
    (backlog,) = listing.backlogs()
    assert (backlog.count, backlog.oldest_at_ms) == (700, RECORDED_AT_MS)


def test_a_delivery_is_shown_in_every_state(filled: Filled) -> None:
    filled.subscribe("s1")
    ticket, other = filled.ingest(("d1", "s1"), ("d2", "s1"))
    listing, figures = RedisDeliveryListing(filled.scripts), RedisLedgerFigures(filled.scripts)

    def shown() -> tuple[State, int, bool]:
        record = listing.delivery("d1")
        assert record is not None
        assert (record.subscription_id, record.event_id) == ("s1", "event-of-d1")
        assert (record.record, record.recorded_at_ms) == ("a:b/3/0", RECORDED_AT_MS)
        return record.state, record.attempts, record.due_at_ms is not None

    assert shown() == (State.QUEUED, 0, False)
    claim = filled.ledger.claim(ticket)
    assert isinstance(claim, Claim)
    assert shown() == (State.SENDING, 1, False)
    again = filled.ledger.retry(claim, 60, REFUSED).retry
    assert again is not None
    assert shown() == (State.RETRYING, 1, True)
    claim = filled.ledger.claim(again)
    assert isinstance(claim, Claim)
    assert shown() == (State.SENDING, 2, False)
    assert filled.ledger.retry(claim, 5_000, REFUSED).retry is None
    assert shown() == (State.PARKED, 2, True)
    record = listing.delivery("d1")
    assert record is not None
    assert record.last == {
        "failure": "connect",
        "detail": "connection refused",
        "destination": "http://a/x",
        "duration_ms": 250,
    }
    assert abs(record.parked_at_ms - figures.now_ms()) < 60_000
    assert listing.payload(record.event_id) == b'{"Id":"1"}'
    assert figures.active_count() == 2
    filled.park(other, ParkReason.REJECTED)
    assert figures.active_count() == 1
    assert listing.delivery("nobody") is None
    assert listing.payload("nothing") is None


def test_figures_are_read(filled: Filled) -> None:
    filled.subscribe("s1")
    (ticket,) = filled.ingest(("d1", "s1"))
    filled.park(ticket, ParkReason.REJECTED)
    figures = RedisLedgerFigures(filled.scripts)
    assert figures.positions() == {PARTITION: Position(topic_epoch="epoch", offset=1)}
    counters = figures.counters()
    assert counters["deliveries_created"] == counters["events_ingested"] == counters["dead_letters:rejected"] == 1


def test_the_quarantine_is_walked_oldest_first(filled: Filled) -> None:
    entries = [
        QuarantineEntry(
            entry_id=f"epoch/a:b/3/{number}",
            record=f"a:b/3/{number}",
            recorded_at_ms=RECORDED_AT_MS,
            reason="not_json",
            detail="nothing",
            value=b"\xff" * number,
        )
        for number in range(3)
    ]
    for entry in entries:
        filled.ingest(quarantine=[entry])
    listing = RedisQuarantineListing(filled.scripts)
    assert [(one.entry_id, one.size) for one in listing.entries()] == [(e.entry_id, len(e.value)) for e in entries]
    found = listing.entry(entries[2].entry_id)
    assert found is not None
    assert found[0].reason == "not_json"
    assert found[1] == b"\xff\xff"
    assert listing.entry("nothing") is None


def ok(result: Result) -> str:
    assert result.exit_code == 0, result.output
    return result.stdout


def test_a_subscription_is_created_listed_changed_and_deleted(cli: CliRunner) -> None:
    flags = "--name n --event-type Alert --message-id R.1.0.K --resource-type Drive --origin-resource /a --subordinate"
    more = "--severity critical --registry-prefix P --exclude-registry-prefix Q --exclude-message-id R.1.0.L"
    last = "--event-format-type Event --context c --header Authorization=hunter2=x --header X-A=b"
    arguments = f"subscriptions create --destination http://h/x {flags} --event-type Other {more} {last}".split()
    id_ = ok(cli.invoke(main, arguments)).strip()
    (document,) = json.loads(ok(cli.invoke(main, ["subscriptions", "list", "--json"])))
    assert document | {"created_at": ""} == {
        "id": id_,
        "name": "n",
        "destination": "http://h/x",
        "event_format_type": "Event",
        "mode": "at_least_once",
        "retry_policy": "RetryForeverWithBackoff",
        "event_types": ["Alert", "Other"],
        "registry_prefixes": ["P"],
        "message_ids": ["R.1.0.K"],
        "exclude_registry_prefixes": ["Q"],
        "exclude_message_ids": ["R.1.0.L"],
        "resource_types": ["Drive"],
        "origin_resources": ["/a"],
        "subordinate_resources": True,
        "severities": ["Critical"],
        "metric_report_definitions": [],
        "context": "c",
        "headers": ["Authorization", "X-A"],
        "backup_destinations": [],
        "verify_certificate": None,
        "ca_file": None,
        "certificate_fingerprint": None,
        "client_certificate_file": None,
        "client_key_file": None,
        "heartbeat_minutes": None,
        "signing_secret": None,
        "public_key": None,
        "old_secrets_sign_until": [],
        "authentication": None,
        "sealed_by": None,
        "max_in_flight": None,
        "rate_per_s": None,
        "retention_s": None,
        "batch_size": None,
        "owner": "",
        "keeper": "own",
        "created_at": "",
        "suspended": None,
        "breaker": {
            "state": "closed",
            "since": None,
            "failures": 0,
            "next_probe_at": None,
            "accepts_connections": True,
            "in_flight": 0,
        },
        "waiting": 0,
        "dead_letters": 0,
        "oldest_age_s": None,
    }
    stored = bootstrap.subscription_store().get(id_)
    assert stored is not None
    assert stored.headers == (("Authorization", "hunter2=x"), ("X-A", "b"))
    for arguments in (["subscriptions", "list"], ["subscriptions", "show", id_]):
        shown = ok(cli.invoke(main, arguments))
        assert id_ in shown
        assert "hunter2" not in shown
    ok(cli.invoke(main, ["subscriptions", "update", id_, "--severity", "OK", "--clear", "event-types"]))
    changed = json.loads(ok(cli.invoke(main, ["subscriptions", "show", id_, "--json"])))
    assert changed == document | {"severities": ["OK"], "event_types": [], "history": []}
    ok(cli.invoke(main, ["subscriptions", "delete", id_]))
    again = cli.invoke(main, ["subscriptions", "delete", id_])
    assert (again.exit_code, again.stderr) == (1, f"odim-relay: there is no subscription {id_}\n")


def test_a_subscription_that_cannot_work_is_refused(cli: CliRunner) -> None:
    result = cli.invoke(main, ["subscriptions", "create", "--destination", "http://u:p@h/"])
    assert result.exit_code == 1
    assert result.stderr.startswith("odim-relay: Destination has user-info")
    assert json.loads(ok(cli.invoke(main, ["subscriptions", "list", "--json"]))) == []


def test_dead_letters_are_listed_shown_and_counted(cli: CliRunner, filled: Filled) -> None:
    filled.subscribe("s1", "s2")
    filled.backlog.suspend("s2", SuspendedBy.HAND)
    for ticket, reason in zip(
        filled.ingest(("d1", "s1"), ("d2", "s1"), ("d3", "s2")),
        (ParkReason.EXHAUSTED, ParkReason.REJECTED),
        strict=True,
    ):
        filled.park(ticket, reason)

    def ids(*arguments: str) -> list[str]:
        listed = json.loads(ok(cli.invoke(main, ["dead-letters", "list", "--json", *arguments])))
        return [letter["id"] for letter in listed]

    assert ids() == ["d1", "d2", "d3"]
    assert ids("--destination", "http://s2/x?key=1") == ["d3"]
    assert ids("--reason", "rejected", "--reason", "suspended") == ["d2", "d3"]
    assert ids("--since", "1h") == ["d1", "d2", "d3"]
    assert ids("--until", "1h") == []
    limited = cli.invoke(main, ["dead-letters", "list", "--limit", "2"])
    assert "There are more than 2; --limit 0 lists all" in limited.stderr
    assert "d3" not in limited.stdout
    assert "connection refused" in limited.stdout
    shown = json.loads(ok(cli.invoke(main, ["dead-letters", "show", "d1", "--json"])))
    assert (shown["payload"], shown["reason"], shown["last"]["failure"]) == ('{"Id":"1"}', "exhausted", "connect")
    assert "exhausted" in ok(cli.invoke(main, ["deliveries", "show", "d1"]))
    stats = json.loads(ok(cli.invoke(main, ["dead-letters", "stats", "--json"])))
    assert [(row["subscription"], row["reason"], row["kind"], row["count"]) for row in stats] == [
        ("s1", "exhausted", "dead letter", 1),
        ("s1", "rejected", "dead letter", 1),
        ("s2", "suspended", "waiting", 1),
    ]
    assert "rejected" in ok(cli.invoke(main, ["dead-letters", "stats"]))
    for arguments in (["dead-letters", "show", "d9"], ["deliveries", "show", "d9"], ["quarantine", "show", "q"]):
        assert cli.invoke(main, arguments).exit_code == 1


def test_what_is_no_text_is_shown_in_base64(cli: CliRunner, filled: Filled) -> None:
    entry = QuarantineEntry(
        entry_id="e/T/0/7", record="T/0/7", recorded_at_ms=0, reason="not_utf8", detail="x", value=b"\xff\x00"
    )
    filled.ingest(quarantine=[entry])
    (listed,) = json.loads(ok(cli.invoke(main, ["quarantine", "list", "--json"])))
    shown = json.loads(ok(cli.invoke(main, ["quarantine", "show", listed["id"], "--json"])))
    assert shown == listed | {"value_base64": "/wA="}
    assert "not_utf8" in ok(cli.invoke(main, ["quarantine", "list"]))
