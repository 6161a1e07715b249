"""
`odim-relay deliveries of`: from a Kafka record to what became of it.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner

from odim_relay.cli.main import main
from odim_relay.domain.delivery import ParkReason
from odim_relay.domain.identity import delivery_id, event_id
from odim_relay.ports import QuarantineEntry
from tests.integration.operator.filled import Filled

pytestmark = pytest.mark.server

Of = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def of(cli: CliRunner) -> Of:
    def run(*words: str) -> list[dict[str, Any]]:
        done = cli.invoke(main, ["deliveries", "of", *words, "--json"])
        assert done.exit_code == 0, done.output
        told: list[dict[str, Any]] = json.loads(done.stdout)
        return told

    return run


def name(subscription: str, offset: int) -> str:
    return delivery_id(event_id("epoch", "a:b", 3, offset, 0), subscription)


def test_a_record_leads_to_the_delivery_of_each_subscription(filled: Filled, of: Of, cli: CliRunner) -> None:
    filled.subscribe("s", "t", "u")
    refused, queued = filled.ingest((name("s", 0), "s"), (name("t", 0), "t"))
    filled.park(refused, ParkReason.REJECTED)
    assert queued.delivery_id == name("t", 0)

    told = {one["subscription"]: one for one in of("a:b/3/0")}

    assert {id_: (one["id"], one["state"], one["reason"]) for id_, one in told.items()} == {
        "s": (name("s", 0), "PARKED", "rejected"),
        "t": (name("t", 0), "QUEUED", None),
        "u": (name("u", 0), None, None),
    }
    table = cli.invoke(main, ["deliveries", "of", "a:b/3/0"]).stdout
    assert name("s", 0) in table
    assert "PARKED, rejected" in table
    assert "Nothing to be seen for 1 others" in table


def test_one_subscription_alone_is_told_of_though_nothing_is_left(filled: Filled, cli: CliRunner) -> None:
    filled.subscribe("s", "t")
    filled.ingest((name("s", 0), "s"))

    told = cli.invoke(main, ["deliveries", "of", "a:b/3/0", "--subscription", "t"]).stdout

    assert "not in the ledger" in told
    assert name("t", 0) in told
    assert name("s", 0) not in told


def test_what_was_not_understood_leads_to_its_place_in_quarantine(filled: Filled, cli: CliRunner) -> None:
    entry = QuarantineEntry(
        entry_id="epoch/a:b/3/0", record="a:b/3/0", recorded_at_ms=0, reason="not_json", detail="", value=b"{"
    )
    filled.ingest(quarantine=[entry])

    done = cli.invoke(main, ["deliveries", "of", "a:b/3/0"])

    assert done.exit_code == 1
    assert "odim-relay quarantine show epoch/a:b/3/0" in done.stderr


@pytest.mark.parametrize(
    ("record", "exit_code", "told"),
    [
        ("a:b/3/7", 1, "a:b/3 is taken in up to 1: 7 is not yet, with 6 before it"),
        ("a:b/4/0", 1, "nothing of a:b/4 was ever taken in"),
        ("a:b", 2, "is no record"),
        ("a:b/3/x", 2, "is no record"),
        ("/3/0", 2, "is no record"),
    ],
)
def test_what_cannot_be_followed_is_told(
    filled: Filled, cli: CliRunner, record: str, exit_code: int, told: str
) -> None:
    filled.ingest()

    done = cli.invoke(main, ["deliveries", "of", record])

    assert done.exit_code == exit_code
    assert told in done.stderr
