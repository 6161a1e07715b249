"""
What must be true of the ledger's database at every moment, whatever happened before.
"""

from odim_relay.domain.delivery import ParkReason, State
from tests.fakes.ledger_state import BY_HAND
from tests.integration.ledger.database import Database

_FIELDS = {"state", "seq", "ticket", "number", "subscription", "event", "shape", "attempts", "patience_ms"}
_MORE_FIELDS = {"lapses", "due_ms", "last", "countdown"}
_LETTER_FIELDS = {"reason", "parked_at_ms", "record"}
_BODY_FIELDS = {"payload", "record", "recorded_at_ms"}
_ACTIVE = {State.QUEUED, State.SENDING, State.RETRYING}


def check_invariants(database: Database) -> None:
    check_places(database)
    check_deadlines(database)
    check_indexes(database)
    check_bodies(database)
    check_countdowns(database)
    check_tickets(database)
    check_counters(database)


def check_places(database: Database) -> None:
    """
    L1: a delivery stands in one place, in one state, with the fields that keys.py names.
    """
    twice = database.deliveries.keys() & database.dead_letters.keys()
    assert not twice, f"in two places: {twice}"
    for id_, delivery in database.deliveries.items():
        assert delivery["state"] in _ACTIVE, (id_, delivery)
        assert delivery.keys() >= _FIELDS, (id_, delivery)
        assert delivery.keys() <= _FIELDS | _MORE_FIELDS, (id_, delivery)
    for id_, letter in database.dead_letters.items():
        assert letter["state"] == State.PARKED, (id_, letter)
        assert letter.keys() >= _FIELDS | _LETTER_FIELDS, (id_, letter)
        assert letter.keys() <= _FIELDS | _MORE_FIELDS | _LETTER_FIELDS, (id_, letter)


def check_deadlines(database: Database) -> None:
    """
    L4: the reaper will look at everything that is not parked, and at what is parked until a due time.
    """
    due = {id_ for id_, letter in database.dead_letters.items() if "due_ms" in letter}
    assert database.deadlines.keys() == database.deliveries.keys() | due


def check_indexes(database: Database) -> None:
    """
    L4, L32: a parked delivery is in exactly one index of its subscription, at its ingest number.
    """
    standing = {("parked", id_): index for id_, index in database.under("parked:").items()}
    standing |= {("by-hand", id_): index for id_, index in database.under("by-hand:").items()}
    should: dict[tuple[str, str], dict[str, float]] = {}
    for id_, letter in database.dead_letters.items():
        kind = "by-hand" if ParkReason(letter["reason"]) in BY_HAND else "parked"
        should.setdefault((kind, letter["subscription"]), {})[id_] = float(letter["number"])
    assert standing == should
    numbers = [int(delivery["number"]) for delivery in database.everything.values()]
    assert len(set(numbers)) == len(numbers), "two deliveries have one ingest number"


def check_bodies(database: Database) -> None:
    """
    L7: a body is there exactly as long as deliveries need it, with exactly these.
    """
    needed: dict[str, set[str]] = {}
    for id_, delivery in database.everything.items():
        needed.setdefault(delivery["event"], set()).add(id_)
    assert {event: body.keys() - _BODY_FIELDS for event, body in database.bodies.items()} == needed
    for event, body in database.bodies.items():
        assert body.keys() >= _BODY_FIELDS, (event, body)


def check_countdowns(database: Database) -> None:
    """
    L22: the countdown sets hold exactly what is RETRYING, each in the set of its destination.
    """
    should: dict[str, set[str]] = {}
    for id_, delivery in database.everything.items():
        if delivery["state"] == State.RETRYING:
            should.setdefault(delivery["countdown"], set()).add(id_)
        else:
            assert not delivery.get("countdown"), (id_, delivery)
    assert database.under("countdowns:") == should


def check_tickets(database: Database) -> None:
    """
    L27: tickets are given once, and the watermark is one of them.
    """
    last = int(database.get("tickets", "0"))
    assert int(database.get("watermark", "0")) <= last
    tickets = [int(delivery["ticket"]) for delivery in database.everything.values()]
    assert len(set(tickets)) == len(tickets), "two deliveries have one ticket"
    assert all(ticket <= last for ticket in tickets)


def check_counters(database: Database) -> None:
    """
    L1: what was created is here or left by a counted rule.
    """
    counters = database.counters
    left = sum(count for name, count in counters.items() if name.startswith("deliveries:"))
    assert counters.get("deliveries_created", 0) - left == len(database.everything), counters
