"""
What must be true of the ledger's database at every moment, whatever happened before.
"""

from collections import Counter, defaultdict

from odim_relay.adapters.redis.rules import LIVE, URGENT
from odim_relay.domain.delivery import ParkReason, State
from tests.integration.ledger.database import Database
from tests.integration.ledger.flow_invariants import check_flow

_FIELDS = {"state", "seq", "ticket", "number", "subscription", "event", "shape", "attempts", "patience_ms", "taken_ms"}
_MORE_FIELDS = {"last", "due_ms", "replay", "replays", "together", "lapses", "urgent", "live"}
_DELIVERY_FIELDS = {"countdown", "leader", "passengers"}
_LETTER_FIELDS = {"reason", "parked_at_ms", "record", "index", "size", "version"}
_BODY_FIELDS = {"payload", "record", "recorded_at_ms"}
_ACTIVE = {State.QUEUED, State.SENDING, State.RETRYING}
_BY_HAND = {ParkReason.REJECTED, ParkReason.BROKEN}


def check_invariants(database: Database) -> None:
    check_places(database)
    check_deadlines(database)
    check_indexes(database)
    check_backlogs(database)
    check_bodies(database)
    check_countdowns(database)
    check_tickets(database)
    check_counters(database)
    check_journal(database)
    check_flow(database)


def check_places(database: Database) -> None:
    """
    L1: a delivery stands in one place, in one state, with the fields that keys.py names.
    """
    twice = database.deliveries.keys() & database.dead_letters.keys()
    assert not twice, f"in two places: {twice}"
    for id_, delivery in database.deliveries.items():
        assert delivery["state"] in _ACTIVE, (id_, delivery)
        assert delivery.keys() >= _FIELDS, (id_, delivery)
        assert delivery.keys() <= _FIELDS | _MORE_FIELDS | _DELIVERY_FIELDS, (id_, delivery)
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
    L4, L32: a parked delivery is in exactly the index that its document says, at its ingest number, or ahead of it.
    """
    standing = {
        (index, id_): members
        for index, key in (("ready", "parked:"), ("delayed", "delayed:"), ("by_hand", "by-hand:"))
        for id_, members in database.under(key).items()
    }
    should: dict[tuple[str, str], dict[str, float]] = {}
    for id_, letter in database.dead_letters.items():
        place = (letter["index"], letter["subscription"])
        # By the mode that its subscription had when it was parked.
        is_ahead = place[0] == "ready" and standing[place][id_] < 0
        assert not is_ahead or letter.keys() & {"urgent", "live"}, (id_, letter)
        ahead = (URGENT if "urgent" in letter else LIVE) if is_ahead else 0
        should.setdefault(place, {})[id_] = float(letter["number"]) - ahead
        assert (letter["index"] == "by_hand") == (letter["reason"] in _BY_HAND), (id_, letter)
        assert letter["index"] != "delayed" or "due_ms" in letter, (id_, letter)
        assert letter["index"] != "by_hand" or "due_ms" not in letter, (id_, letter)
    assert standing == should
    numbers = [int(delivery["number"]) for delivery in database.everything.values()]
    assert len(set(numbers)) == len(numbers), "two deliveries have one ingest number"


def check_backlogs(database: Database) -> None:
    """
    L15: what is parked is counted, by reason and by size.
    """
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    sizes: Counter[str] = Counter()
    overheads: set[int] = set()
    for letter in database.dead_letters.values():
        owner, size = letter["subscription"], int(letter["size"])
        counts[owner][letter["reason"]] += 1
        sizes[owner] += size
        overheads.add(size - len(database.bodies[letter["event"]]["payload"].encode()))
    found = database.under("parked-counts:")
    assert {id_: {name: int(count) for name, count in one.items()} for id_, one in found.items()} == counts
    assert database.get("backlogs", {}) == sizes
    assert len(overheads) <= 1, f"a letter's size is not its payload's: {overheads}"


def check_bodies(database: Database) -> None:
    """
    L7: a body is there exactly as long as deliveries need it, with exactly these.
    """
    needed: dict[str, set[str]] = {}
    for id_, delivery in database.everything.items():
        needed.setdefault(delivery["event"], set()).add(id_)
    assert {event: body.keys() - _BODY_FIELDS - {"traceparent"} for event, body in database.bodies.items()} == needed
    for event, body in database.bodies.items():
        assert body.keys() >= _BODY_FIELDS, (event, body)
    size = sum(len(body["payload"].encode()) for body in database.bodies.values())
    assert int(database.get("bytes", "0")) == size


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


def check_journal(database: Database) -> None:
    """
    Its size is counted, and it ends where its state says.
    """
    state = database.get("journal:state", {})
    entries = database.get("journal", {})
    payloads = sum(len(entry["payload"].encode()) for entry in entries.values())
    assert int(state.get("bytes", "0")) == payloads + 150 * len(entries)
    ids = [tuple(map(int, id_.split("-"))) for id_ in (*entries, state.get("end", "0-0"))]
    assert ids == sorted(ids), "an id of the journal is not behind the others"
