"""
What the ports of the ledger promise, kept by Redis and by memory alike.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from odim_relay.domain.delivery import TRANSITIONS, ParkReason, State
from odim_relay.domain.event import EventFormat
from odim_relay.domain.subscription import Filters, Subscription
from odim_relay.ports import Claim, Position, Refusal, TaskTicket, TopicEpoch
from tests.conformance.ledgers import Ledger, LedgerInMemory, LedgerInRedis
from tests.fakes.samples import LAST, PARTITION, START, batch, quarantined, subscription
from tests.support.redis_server import RedisServer

NEXT = Position(topic_epoch="epoch", offset=1)


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.server)])
def ledger(request: pytest.FixtureRequest, key_prefix: str) -> Iterator[Ledger]:
    if request.param == "memory":
        yield LedgerInMemory()
        return
    server: RedisServer = request.getfixturevalue("redis_server")
    with server.client() as client:
        yield LedgerInRedis(client, key_prefix)


@pytest.fixture
def ticket(ledger: Ledger) -> TaskTicket:
    ledger.subscriptions.save(subscription("s"))
    ledger.ingest.set_position(PARTITION, None, START)
    return write(ledger, "s")[0]


def write(ledger: Ledger, *ids: str, believed: Position = START) -> list[TaskTicket]:
    tickets = ledger.ingest.ingest(batch(*ids, believed=believed, generation=ledger.subscriptions.generation()))
    assert tickets is not None
    return list(tickets)


def claimed(ledger: Ledger, ticket: TaskTicket) -> Claim:
    claim = ledger.deliveries.claim(ticket)
    assert isinstance(claim, Claim)
    return claim


def refused(ledger: Ledger, ticket: TaskTicket) -> bool:
    return isinstance(ledger.deliveries.claim(ticket), Refusal)


# --- the table of states ---


def into(ledger: Ledger, ticket: TaskTicket, state: State) -> Claim:
    """
    Bring a queued delivery into `state`. Returns its last claim, good or not.
    """
    nobodys = claimed(ledger, ticket)
    match state:
        case State.QUEUED:
            ledger.deliveries.release(nobodys)
        case State.RETRYING:
            ledger.deliveries.retry(nobodys, 15, LAST)
        case State.PARKED:
            ledger.deliveries.retry(nobodys, 86_400, LAST)
        case _:
            pass
    assert ledger.state_of(ticket.delivery_id) is state
    return nobodys


def do(ledger: Ledger, action: str, claim: Claim, state: State) -> None:
    good = TaskTicket(delivery_id=claim.delivery_id, seq=claim.lease + 1)
    match action:
        case "claim":
            claimed(ledger, good)
        case "reap" | "replay":
            ledger.lapse(claim.delivery_id)
            ledger.deliveries.reap(queue_is_empty=True)
        case "complete":
            ledger.deliveries.complete(claim)
        case "retry":
            ledger.deliveries.retry(claim, 15, LAST)
        case "park":
            ledger.deliveries.park(claim, ParkReason.EXHAUSTED, LAST)
        case "release":
            ledger.deliveries.release(claim)
        case "subscription_deleted":
            ledger.subscriptions.delete("s")
            if state in {State.QUEUED, State.RETRYING}:
                assert refused(ledger, good)
            if state is State.SENDING:
                ledger.lapse(claim.delivery_id)
            ledger.deliveries.reap(queue_is_empty=False)
        case _:
            raise NotImplementedError(action)


@pytest.mark.parametrize(
    ("state", "action", "then"),
    [(state, action, then) for state, row in TRANSITIONS.items() for action, then in row.items()],
)
def test_every_transition_of_the_table_is_made(
    ledger: Ledger, ticket: TaskTicket, state: State, action: str, then: State
) -> None:
    claim = into(ledger, ticket, state)

    do(ledger, action, claim, state)

    assert ledger.state_of(ticket.delivery_id) is then


# --- DeliveryLedger ---


def test_a_claim_tells_what_is_to_be_sent(ledger: Ledger, ticket: TaskTicket) -> None:
    claim = claimed(ledger, ticket)

    assert claim == Claim(
        delivery_id=ticket.delivery_id,
        lease=claim.lease,
        subscription_id="s",
        event_id="event-0-0",
        payload=b"payload of event-0-0",
        shape=claim.shape,
        attempt=1,
        generation=ledger.subscriptions.generation(),
        recorded_at_ms=1_000,
    )


def test_a_ticket_is_good_for_one_claim_by_rule_l5(ledger: Ledger, ticket: TaskTicket) -> None:
    claimed(ledger, ticket)

    assert refused(ledger, ticket)


def test_an_unknown_delivery_is_refused(ledger: Ledger) -> None:
    assert refused(ledger, TaskTicket(delivery_id="unknown", seq=1))


def test_a_parked_delivery_is_refused(ledger: Ledger, ticket: TaskTicket) -> None:
    claim = into(ledger, ticket, State.PARKED)

    assert refused(ledger, TaskTicket(delivery_id=ticket.delivery_id, seq=claim.lease))


def test_a_lease_holds_until_its_deadline(ledger: Ledger, ticket: TaskTicket) -> None:
    claim = claimed(ledger, ticket)
    assert ledger.deliveries.holds(claim)

    ledger.lapse(ticket.delivery_id)

    assert not ledger.deliveries.holds(claim)


def test_a_lease_does_not_hold_once_the_subscription_is_deleted_by_semantics_s19(
    ledger: Ledger, ticket: TaskTicket
) -> None:
    claim = claimed(ledger, ticket)
    ledger.subscriptions.delete("s")

    assert not ledger.deliveries.holds(claim)


@pytest.mark.parametrize(
    "tell",
    [
        lambda ledger, claim: ledger.retry(claim, 15, LAST),
        lambda ledger, claim: ledger.park(claim, ParkReason.REJECTED, LAST),
        lambda ledger, claim: ledger.release(claim),
        lambda ledger, claim: ledger.holds(claim),
    ],
    ids=["retry", "park", "release", "holds"],
)
def test_who_lost_the_lease_changes_nothing(ledger: Ledger, ticket: TaskTicket, tell: Callable[..., object]) -> None:
    late = claimed(ledger, ticket)
    ledger.lapse(ticket.delivery_id)
    (again,), _ = ledger.deliveries.reap(queue_is_empty=False)
    now = claimed(ledger, again)

    assert not tell(ledger.deliveries, late)

    assert ledger.state_of(ticket.delivery_id) is State.SENDING
    assert ledger.deliveries.holds(now)


def test_completing_is_harmless_when_repeated(ledger: Ledger, ticket: TaskTicket) -> None:
    claim = claimed(ledger, ticket)

    ledger.deliveries.complete(claim)
    ledger.deliveries.complete(claim)

    assert ledger.counter("deliveries:delivered") == 1


def test_a_retry_gives_a_ticket_and_the_attempts_go_on(ledger: Ledger, ticket: TaskTicket) -> None:
    retry = ledger.deliveries.retry(claimed(ledger, ticket), 15, LAST)
    assert retry is not None

    assert claimed(ledger, retry).attempt == 2


def test_a_release_counts_no_attempt(ledger: Ledger, ticket: TaskTicket) -> None:
    released = ledger.deliveries.release(claimed(ledger, ticket))
    assert released is not None

    assert claimed(ledger, released).attempt == 1


def test_what_fails_after_its_subscription_was_swept_leaves(ledger: Ledger, ticket: TaskTicket) -> None:
    claim = claimed(ledger, ticket)
    ledger.subscriptions.delete("s")
    ledger.deliveries.reap(queue_is_empty=True)

    assert ledger.deliveries.park(claim, ParkReason.EXHAUSTED, LAST)

    assert ledger.state_of(ticket.delivery_id) is State.GONE
    assert ledger.counter("deliveries:subscription_deleted") == 1


# --- IngestLedger ---


def test_a_batch_is_refused_when_the_position_is_not_as_believed_by_rule_l9(ledger: Ledger) -> None:
    ledger.ingest.set_position(PARTITION, None, NEXT)

    assert ledger.ingest.ingest(batch(believed=START)) is None
    assert ledger.ingest.position(PARTITION) == NEXT


def test_a_batch_is_refused_when_the_subscriptions_changed_by_rule_l9(ledger: Ledger, ticket: TaskTicket) -> None:
    stale = ledger.subscriptions.generation()
    ledger.subscriptions.save(subscription("new"))

    assert ledger.ingest.ingest(batch("s", believed=NEXT, generation=stale)) is None
    assert ledger.ingest.position(PARTITION) == NEXT
    assert ledger.state_of(ticket.delivery_id) is State.QUEUED


def test_what_the_ledger_has_already_gets_no_second_ticket(ledger: Ledger, ticket: TaskTicket) -> None:
    ledger.ingest.set_position(PARTITION, NEXT, START)

    assert write(ledger, "s") == []
    assert ledger.counter("deliveries_created") == 1
    claimed(ledger, ticket)


def test_a_first_position_is_stored_and_a_second_needs_the_first(ledger: Ledger) -> None:
    assert ledger.ingest.position(PARTITION) is None
    assert not ledger.ingest.set_position(PARTITION, START, NEXT)
    assert ledger.ingest.set_position(PARTITION, None, START)
    assert not ledger.ingest.set_position(PARTITION, None, NEXT)
    assert ledger.ingest.set_position(PARTITION, START, replace(NEXT, cursor="000000/s"))
    assert ledger.ingest.position(PARTITION) == replace(NEXT, cursor="000000/s")


def test_a_ledger_is_born_once_by_rule_l12(ledger: Ledger) -> None:
    assert not ledger.ingest.is_born()

    birth = ledger.ingest.birth()

    assert ledger.ingest.is_born()
    assert ledger.ingest.birth() == birth


def test_a_topics_epoch_changes_only_from_the_one_believed_by_rule_l11(ledger: Ledger) -> None:
    first, second = (TopicEpoch(topic_epoch=name, origin=f"{name}//") for name in ("first", "second"))
    assert ledger.ingest.topic_epoch("topic") is None
    assert ledger.ingest.set_topic_epoch("topic", "", first) == first
    assert ledger.ingest.set_topic_epoch("topic", "", second) == first
    assert ledger.ingest.topic_epoch("topic") == first
    assert ledger.ingest.set_topic_epoch("topic", "first", second) == second
    assert ledger.ingest.topic_epoch("topic") == second


def test_starts_without_progress_are_counted_by_rule_l16(ledger: Ledger, ticket: TaskTicket) -> None:
    assert ticket.seq == 1
    assert [ledger.ingest.count_start(PARTITION, 1) for _ in range(3)] == [1, 2, 3]
    assert ledger.ingest.count_start(PARTITION, 7) == 1
    ledger.ingest.count_start(PARTITION, 7)
    write(ledger, "s", believed=NEXT)
    assert ledger.ingest.count_start(PARTITION, 7) == 1


def test_a_quarantine_entry_is_written_with_its_batch_and_once(ledger: Ledger) -> None:
    ledger.ingest.set_position(PARTITION, None, START)
    for _ in range(2):
        ledger.ingest.ingest(batch(quarantine=(quarantined("a"),)))
        ledger.ingest.set_position(PARTITION, NEXT, START)

    assert ledger.quarantined() == ["a"]
    assert ledger.counter("records_quarantined") == 1


def test_the_oldest_quarantine_entries_leave_when_the_quota_is_full(ledger: Ledger) -> None:
    ledger.ingest.set_position(PARTITION, None, START)

    ledger.ingest.ingest(batch(quarantine=tuple(quarantined(name, b"?" * 40) for name in "abc")))

    assert ledger.quarantined() == ["b", "c"]
    assert ledger.counter("discarded:quarantine_over_quota") == 1


# --- SubscriptionStore ---

FULL = Subscription(
    subscription_id="full",
    destination="https://user:pass@example.test/?a=b",
    name="näme",
    filters=Filters(
        event_types=("Alert",),
        registry_prefixes=("A", "B"),
        message_ids=("A.One",),
        exclude_registry_prefixes=("C",),
        exclude_message_ids=("A.Two",),
        resource_types=("Volume",),
        origin_resources=("/redfish/v1/Systems/1",),
        subordinate_resources=True,
        severities=("Critical",),
    ),
    event_format=EventFormat.METRIC_REPORT,
    context='"quoted" \\',
    headers=(("Authorization", "secret"), ("X-A", "")),
    created_at_s=1_760_000_000,
)


def test_a_subscription_comes_back_as_it_was_saved(ledger: Ledger) -> None:
    ledger.subscriptions.save(FULL)

    assert ledger.subscriptions.get("full") == FULL
    assert ledger.subscriptions.changes_since(0)[1] == [FULL]


def test_a_subscription_is_replaced_by_its_id(ledger: Ledger) -> None:
    ledger.subscriptions.save(FULL)
    ledger.subscriptions.save(replace(FULL, context=None))

    assert ledger.subscriptions.changes_since(0)[1] == [replace(FULL, context=None)]


def test_a_deleted_subscription_is_gone_and_cannot_be_deleted_again(ledger: Ledger) -> None:
    ledger.subscriptions.save(FULL)

    assert ledger.subscriptions.delete("full")
    assert ledger.subscriptions.get("full") is None
    assert not ledger.subscriptions.delete("full")


def test_every_change_raises_the_generation_and_nothing_else_does(ledger: Ledger) -> None:
    seen = [ledger.subscriptions.generation()]
    for change in (
        lambda: ledger.subscriptions.save(FULL),
        lambda: ledger.subscriptions.save(FULL),
        lambda: ledger.subscriptions.delete("full"),
    ):
        change()
        seen.append(ledger.subscriptions.generation())

    ledger.subscriptions.delete("unknown")

    assert seen[0] == 0
    assert seen == sorted(set(seen))
    assert ledger.subscriptions.generation() == seen[-1]


def test_changes_are_told_from_a_generation_on(ledger: Ledger) -> None:
    for name in ("a", "b", "c"):
        ledger.subscriptions.save(subscription(name))
    seen = ledger.subscriptions.generation()
    ledger.subscriptions.save(subscription("b", "B"))
    ledger.subscriptions.delete("c")
    ledger.subscriptions.save(subscription("d"))

    now, saved, deleted = ledger.subscriptions.changes_since(seen)

    assert now == ledger.subscriptions.generation()
    assert sorted(one.subscription_id for one in saved) == ["b", "d"]
    assert deleted == ["c"]
    assert ledger.subscriptions.changes_since(now) == (now, [], [])


@pytest.mark.parametrize("generation", [0, 7])
def test_all_is_told_where_the_way_is_not_known(ledger: Ledger, generation: int) -> None:
    ledger.subscriptions.save(FULL)
    ledger.subscriptions.save(subscription("deleted"))
    ledger.subscriptions.delete("deleted")

    assert ledger.subscriptions.changes_since(generation) == (ledger.subscriptions.generation(), [FULL], None)
