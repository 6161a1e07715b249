"""
What an operator does to many things at once is one entry of the audit log, with how many they were.
"""

import json
from typing import Any

import pytest
from click.testing import CliRunner

from odim_relay.cli.main import main
from tests.integration.operator.filled import Filled
from tests.integration.operator.test_quarantine import PAYLOAD, entry, ok
from tests.support.kafka_client import odim_envelope

pytestmark = pytest.mark.server


def noted(cli: CliRunner, *arguments: str) -> list[dict[str, Any]]:
    """
    Oldest first.
    """
    found: list[dict[str, Any]] = json.loads(ok(cli.invoke(main, ["audit", "list", "--json", *arguments])))
    return found[::-1]


def test_letters_that_are_replayed_and_discarded_are_counted(cli: CliRunner, filled: Filled) -> None:
    filled.subscribe("s1", "s2")
    filled.fill("s1", 250)
    filled.fill("s2", 2)
    ok(cli.invoke(main, ["dead-letters", "replay", "--subscription", "s1", "--dry-run"]))
    ok(cli.invoke(main, ["dead-letters", "replay", "--subscription", "s1", "--yes"]))
    ok(cli.invoke(main, ["dead-letters", "discard", "--yes"]))

    replayed, discarded = noted(cli, "--action", "dead_letters")

    assert (replayed["action"], replayed["subject"], replayed["count"]) == ("dead_letters.replayed", "s1", 250)
    assert (discarded["action"], discarded["subject"]) == ("dead_letters.discarded", "")
    assert discarded["detail"] == "of 2 subscriptions"
    assert discarded["count"] == 252 - 4, "all but those that are on their way"


def test_quarantined_records_that_are_taken_in_and_discarded_are_counted(cli: CliRunner, filled: Filled) -> None:
    filled.subscribe("s1")
    good = odim_envelope(PAYLOAD)
    filled.ingest(quarantine=[entry(1, good), entry(2, b"{"), entry(3, good), entry(4, b"{")])
    ok(cli.invoke(main, ["quarantine", "replay", "--yes"]))
    ok(cli.invoke(main, ["quarantine", "discard", "--id", entry(2, b"").entry_id]))
    ok(cli.invoke(main, ["quarantine", "discard", "--yes"]))

    told = [(one["action"], one["subject"], one["count"]) for one in noted(cli, "--action", "quarantine")]

    assert told == [
        ("quarantine.replayed", "", 2),
        ("quarantine.discarded", entry(2, b"").entry_id, 1),
        ("quarantine.discarded", entry(4, b"").entry_id, 1),
    ]


def test_sources_and_a_limit(cli: CliRunner, filled: Filled) -> None:
    assert filled.prefix
    for number in range(3):
        given = json.dumps({"address": f"h{number}", "system": "/redfish/v1/Systems/1"})
        ok(cli.invoke(main, ["sources", "import", "-"], input=given))

    shown = cli.invoke(main, ["audit", "list", "--limit", "2"])

    assert ok(shown).count("sources.changed") == 2
    assert "There are more than 2" in shown.output
    assert [one["detail"] for one in noted(cli)] == ["1 added, 0 changed, 0 removed"] * 3
    assert noted(cli, "--since", "1h") == noted(cli)
    assert noted(cli, "--until", "1h") == []


def test_an_action_that_is_none_is_refused(cli: CliRunner) -> None:
    assert cli.invoke(main, ["audit", "list", "--action", "moon"]).exit_code == 2
