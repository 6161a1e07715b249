"""
Records that come out of quarantine: taken in after all, or discarded.
"""

import json
from typing import Any

import pytest
from click.testing import CliRunner, Result

from odim_relay.adapters.redis.connection import text
from odim_relay.cli.main import main
from odim_relay.domain.identity import delivery_id, event_id
from odim_relay.ports import QuarantineEntry
from tests.integration.operator.filled import Filled
from tests.support.kafka_client import odim_envelope
from tests.support.redis_server import RedisServer

pytestmark = pytest.mark.server

TOPIC = "REDFISH-EVENTS-TOPIC"
PAYLOAD = b'{"Id":"1","Name":"n","Events":[{"EventType":"Alert","EventId":"1","MessageId":"R.1.0.K"}]}'


def ok(result: Result) -> str:
    assert result.exit_code == 0, result.output
    return result.stdout


def told(cli: CliRunner, *arguments: str) -> dict[str, Any]:
    return dict(json.loads(ok(cli.invoke(main, ["quarantine", *arguments, "--json"]))))


def entry(offset: int, value: bytes, *, topic: str = TOPIC, reason: str = "not_json") -> QuarantineEntry:
    return QuarantineEntry(
        entry_id=f"epoch+own/{topic}/3/{offset}",
        record=f"{topic}/3/{offset}",
        recorded_at_ms=1_000,
        reason=reason,
        detail="it was so",
        value=value,
    )


def entries_left(filled: Filled) -> list[str]:
    return sorted(map(text, filled.client.hkeys(f"{filled.prefix}quarantine")))


def test_a_record_that_is_understood_today_is_delivered_under_its_own_names_once(
    cli: CliRunner, filled: Filled, redis_server: RedisServer
) -> None:
    filled.subscribe("s1", "s2")
    filled.ingest(quarantine=[entry(7, odim_envelope(PAYLOAD), reason="unparsed")])
    assert told(cli, "replay") == {
        "dry_run": False,
        "matched": 1,
        "replayed": 1,
        "events": 1,
        "deliveries": 2,
        "stay": [],
        "gone": 0,
        "published": True,
    }
    name = event_id("epoch+own", TOPIC, 3, 7, 0)
    for subscription_id in ("s1", "s2"):
        shown = json.loads(ok(cli.invoke(main, ["deliveries", "show", delivery_id(name, subscription_id), "--json"])))
        assert (shown["state"], shown["record"]) == ("QUEUED", f"{TOPIC}/3/7")
    assert entries_left(filled) == []
    assert filled.client.get(f"{filled.prefix}quarantine:bytes") == b"0"
    assert filled.counter("quarantine_replayed") == filled.counter("events_ingested") == 1
    with redis_server.client(1) as broker:
        assert broker.llen("deliveries") == 2
    again = told(cli, "replay")
    assert (again["matched"], again["replayed"]) == (0, 0)
    assert "Nothing to take in" in ok(cli.invoke(main, ["quarantine", "replay"]))


def test_what_is_in_the_ledger_already_is_not_doubled(cli: CliRunner, filled: Filled) -> None:
    filled.subscribe("s1")
    for _ in range(2):
        filled.ingest(quarantine=[entry(7, odim_envelope(PAYLOAD))])
        told(cli, "replay")
    assert filled.counter("quarantine_replayed") == 2
    assert filled.counter("deliveries_created") == 1


def test_what_still_cannot_be_understood_stays(cli: CliRunner, filled: Filled) -> None:
    filled.subscribe("s1")
    filled.ingest(
        quarantine=[
            entry(1, b"{"),
            entry(2, odim_envelope(PAYLOAD)),
            entry(3, odim_envelope(PAYLOAD), topic="unknown.topic"),
        ]
    )
    done = told(cli, "replay", "--yes")
    assert (done["replayed"], done["deliveries"]) == (1, 1)
    assert {one["id"]: one["reason"] for one in done["stay"]} == {
        f"epoch+own/{TOPIC}/3/1": "not_json",
        "epoch+own/unknown.topic/3/3": "no_decoder",
    }
    assert len(entries_left(filled)) == 2
    said = ok(cli.invoke(main, ["quarantine", "replay", "--yes"]))
    assert "2 records stay, still not understood" in said
    assert "KAFKA__TOPICS does not name unknown.topic" in said


def test_filters_choose_and_a_dry_run_changes_nothing(cli: CliRunner, filled: Filled) -> None:
    filled.ingest(
        quarantine=[entry(1, b"{"), entry(2, b"\xff", reason="not_utf8"), entry(3, b"{", topic="unknown.topic")]
    )
    for filters, count in (
        ([], 3),
        (["--reason", "not_utf8"], 1),
        (["--topic", TOPIC], 2),
        (["--id", f"epoch+own/{TOPIC}/3/1", "--id", "x"], 1),
        (["--since", "1h"], 3),
        (["--until", "1h"], 0),
        (["--topic", TOPIC, "--reason", "not_json"], 1),
    ):
        assert told(cli, "replay", "--dry-run", *filters)["matched"] == count, filters
        assert told(cli, "discard", "--dry-run", *filters)["matched"] == count, filters
        assert len(json.loads(ok(cli.invoke(main, ["quarantine", "list", "--json", *filters])))) == count, filters
    assert len(entries_left(filled)) == 3
    assert "would be looked at" in ok(cli.invoke(main, ["quarantine", "replay", "--dry-run"]))


def test_records_are_discarded_and_counted(cli: CliRunner, filled: Filled) -> None:
    filled.ingest(quarantine=[entry(1, b"{"), entry(2, b"\xff", reason="not_utf8"), entry(3, b"{{")])
    refused = cli.invoke(main, ["quarantine", "discard"], input="n\n")
    assert (refused.exit_code, len(entries_left(filled))) == (1, 3)
    assert told(cli, "discard", "--reason", "not_utf8")["discarded"] == 1
    assert "2 records discarded" in ok(cli.invoke(main, ["quarantine", "discard", "--yes"]))
    assert entries_left(filled) == []
    assert filled.counter("discarded:quarantine") == 3
    assert filled.client.get(f"{filled.prefix}quarantine:bytes") == b"0"
    assert "Nothing to discard" in ok(cli.invoke(main, ["quarantine", "discard"]))
