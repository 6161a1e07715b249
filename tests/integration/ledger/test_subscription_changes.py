import pytest

from odim_relay.domain.delivery import ParkReason
from odim_relay.ports import Position
from odim_relay.use_cases.directory import MatcherDirectory, SubscriptionDirectory
from tests.fakes.samples import PARTITION, batch, decode, subscription
from tests.integration.ledger.bench import PREFIX, Bench

pytestmark = pytest.mark.server


def test_l9_a_subscription_counts_for_every_event_taken_in_after_its_creation_was_answered(bench: Bench) -> None:
    bench.fill(1, subscription_id="old")
    matched_with = bench.store.generation()
    bench.store.save(subscription("new"))
    stands = bench.ingest.position(PARTITION)
    assert stands == Position(topic_epoch="epoch", offset=1)

    assert bench.ingest.ingest(batch("old", believed=stands, generation=matched_with)) is None
    assert bench.ingest.ingest(batch("old", "new", believed=stands, generation=bench.store.generation())) is not None


def test_l8_deleting_costs_the_same_however_many_deliveries_are_parked(bench: Bench) -> None:
    for name in ("warm", "few", "many"):
        bench.store.save(subscription(name))
    bench.store.delete("warm")
    bench.park(bench.fill(1, subscription_id="few"), ParkReason.EXHAUSTED)
    bench.park(bench.fill(300, subscription_id="many"), ParkReason.EXHAUSTED)

    few = bench.work_of(lambda: bench.store.delete("few"))

    assert bench.work_of(lambda: bench.store.delete("many")) == few


def test_l8_a_deleted_subscription_is_swept_in_steps(bench: Bench) -> None:
    bench = bench.under(reap_most=10)
    tickets = bench.fill(40)
    bench.park(tickets[:25], ParkReason.EXHAUSTED)
    bench.park(tickets[25:40], ParkReason.REJECTED)
    bench.store.delete("s")

    left = []
    more = True
    while more:
        _, more = bench.deliveries.reap(queue_is_empty=True)
        left.append(len(bench.database.everything))

    assert left == [20, 5, 0, 0]
    assert bench.database.counters["deliveries:subscription_deleted"] == 40
    assert bench.database.get("subscriptions:deleted", {}) == {}
    assert bench.database.bodies == {}


def test_subscriptions_are_swept_in_the_order_of_their_deletion(bench: Bench) -> None:
    for name in ("b", "c", "a"):
        bench.park(bench.fill(1, subscription_id=name), ParkReason.EXHAUSTED)
    for name in ("b", "c", "a"):
        bench.store.delete(name)

    left = []
    while bench.database.get("subscriptions:deleted", {}):
        bench.reap()
        left.append(sorted(letter["subscription"] for letter in bench.database.dead_letters.values()))

    assert left == [["a", "c"], ["a", "c"], ["a"], ["a"], [], []]


def test_a_subscription_that_is_saved_again_keeps_what_is_parked_for_it(bench: Bench) -> None:
    bench.park(bench.fill(2), ParkReason.EXHAUSTED)
    bench.store.delete("s")
    bench.store.save(subscription("s"))

    bench.reap()

    assert len(bench.database.dead_letters) == 2


def test_s19_a_deleted_subscription_is_seen_by_a_worker_that_is_about_to_send(bench: Bench) -> None:
    (ticket,) = bench.fill(1)
    claim = bench.claim(ticket)
    assert bench.deliveries.holds(claim)

    bench.store.delete("s")

    assert not bench.deliveries.holds(claim)


def test_a_claim_tells_the_generation_that_its_worker_must_have(bench: Bench) -> None:
    first, second = bench.fill(2)
    before = bench.claim(first).generation
    bench.store.save(subscription("s", destination="https://new.test/"))

    claim = bench.claim(second)

    assert claim.generation == bench.store.generation() != before
    found = SubscriptionDirectory(bench.store, bench.services).find("s", claim.generation)
    assert found is not None
    assert found.destination == "https://new.test/"


@pytest.mark.parametrize("lost_count", [1, 2])
def test_s15_changes_that_redis_lost_are_forgotten_by_whoever_knew_them(bench: Bench, lost_count: int) -> None:
    bench.store.save(subscription("kept", "A"))
    saved = {key: bench.client.dump(key) or b"" for key in bench.client.keys(f"{PREFIX}*")}
    bench.store.delete("kept")
    if lost_count > 1:
        bench.store.save(subscription("lost", "A"))
    matchers, directory = (
        MatcherDirectory(bench.store, bench.services, bench.inventory),
        SubscriptionDirectory(bench.store, bench.services),
    )
    matchers.refresh()
    directory.find("lost", bench.store.generation())
    bench.client.delete(*bench.client.keys(f"{PREFIX}*"))
    for key, dump in saved.items():
        bench.client.restore(key, 0, dump)
    bench.store.save(subscription("later", "A"))

    matchers.refresh()

    events = decode(b"A")
    assert isinstance(events, tuple)
    assert [id_ for id_, _ in matchers.matcher.match(events[0])] == ["kept", "later"]
    assert directory.find("lost", bench.store.generation()) is None
    assert directory.find("kept", bench.store.generation()) is not None


def test_a_generation_is_remembered_for_a_thousand_changes(bench: Bench) -> None:
    bench.store.save(subscription("first"))
    first = bench.store.generation()
    for number in range(999):
        bench.store.save(subscription(f"s{number % 10}"))
    _, saved, deleted = bench.store.changes_since(first)
    assert (len(saved), deleted) == (10, [])

    bench.store.save(subscription("s0"))

    _, saved, deleted = bench.store.changes_since(first)
    assert (len(saved), deleted) == (11, None)
    assert len(bench.database.get("subscriptions:generations", {})) == 1_000
