"""
What a relay logs in a delivery's life: the lines that docs/logs.md tells of, with the members that it tells of.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.events import event, events
from tests.support.receiver import Behaviour
from tests.support.relay import Relay
from tests.support.relay_process import RelayProcess
from tests.support.relay_settings import SHORT_OUTAGES
from tests.support.waiting import wait_until

pytestmark = pytest.mark.server

RELAY_SETTINGS = {**SHORT_OUTAGES, "LOG__LEVEL": "DEBUG"}
SOON_S = 30.0
DOCUMENT = Path(__file__).parents[2] / "docs" / "logs.md"
_ROW = re.compile(r"\| `([a-z0-9_]+\.[a-z0-9_]+)` \| ([a-z, ]+) \| (.*) \|")
_OURS = re.compile(r"[a-z0-9_]+\.[a-z0-9_]+")
_ALWAYS = {"event", "level", "timestamp"}


def documented() -> dict[str, tuple[set[str], set[str]]]:
    """
    By name, its levels and its members.
    """
    rows = DOCUMENT.read_text(encoding="utf-8").partition("## All lines")[2]
    return {
        name: (set(levels.split(", ")), set(members.replace("`", "").split(", ")))
        for name, levels, members in _ROW.findall(rows)
    }


def lines_of(relay: Relay, *processes: RelayProcess) -> Iterator[dict[str, Any]]:
    for process in processes or relay.processes:
        for text in process.log().splitlines():
            if text.startswith('{"'):
                yield json.loads(text)


def names(relay: Relay, subject: str) -> set[str]:
    """
    Of the lines that name it.
    """
    return {str(line["event"]) for line in lines_of(relay) if subject in line.values()}


def test_a_deliverys_life_is_told_by_the_lines_and_members_that_are_documented(relay: Relay) -> None:
    well, shaky, refusing = relay.subscribe(), relay.subscribe(), relay.subscribe()
    relay.receiver.behave(shaky.path, Behaviour(status=503))
    relay.receiver.behave(refusing.path, Behaviour(status=400))
    relay.publish([event(0)])
    relay.publish([b"no event at all"], wrapped=False, wanted_by=())
    relay.receiver.wait_for_accepted(well.path, 1, SOON_S)
    relay.publish(events(20, first=1))
    wait_until(lambda: relay.ledger.breaker(shaky.id) == "open", timeout_s=SOON_S, what="the breaker to open")
    relay.run("subscriptions", "suspend", well.id)
    relay.run("subscriptions", "resume", well.id)
    relay.receiver.behave(shaky.path, Behaviour())
    relay.receiver.wait_for_accepted(shaky.path, 21, SOON_S)

    wait_until(
        lambda: names(relay, refusing.id) >= {"delivery.attempted", "dead_letter.parked"},
        timeout_s=SOON_S,
        what="a dead letter",
    )
    wait_until(
        lambda: names(relay, well.id) >= {"subscription.suspended", "subscription.resumed"},
        timeout_s=SOON_S,
        what="the suspension to be told",
    )
    expected = {
        "bridge.started",
        "record.quarantined",
        "delivery.attempted",
        "dead_letter.parked",
        "deliveries.replayed",
        "breaker.opened",
        "breaker.closed",
    }
    wait_until(
        lambda: expected <= {line["event"] for line in lines_of(relay)}, timeout_s=SOON_S, what=f"all of {expected}"
    )
    told = list(lines_of(relay))

    known = documented()
    for line in told:
        if not _OURS.fullmatch(line["event"]):
            continue  # a library's
        levels, members = known[line["event"]]
        assert line["level"] in levels, line
        assert "..." in members or line.keys() - _ALWAYS <= members, line
    failed = [line for line in told if line["event"] == "delivery.attempted" and line["level"] == "warning"]
    assert {"delivery_id", "subscription_id", "attempt", "status", "decision", "duration_s"} <= failed[0].keys()
    quarantined = [line for line in told if line["event"] == "record.quarantined"]
    assert len(quarantined) == 1
    assert "no event at all" not in json.dumps(told)
    # One line for each unit of work: an attempt that failed has one, whoever reads it.
    assert len({(line["delivery_id"], line["attempt"]) for line in failed}) == len(failed)
