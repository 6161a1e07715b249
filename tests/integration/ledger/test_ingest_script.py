from dataclasses import replace

import pytest

from odim_relay.domain.event import WHOLE, Shape
from odim_relay.ports import IngestBatch, NewDelivery, NewEvent, Position, TopicPartition
from tests.fakes.samples import PARTITION, START, batch, quarantined, subscription
from tests.integration.ledger.bench import MOST, PATIENCE_S, Bench

pytestmark = pytest.mark.server

AWAY = Position(topic_epoch="epoch", offset=7)


@pytest.fixture(autouse=True)
def subscribed(bench: Bench) -> None:
    for id_ in ("a", "b"):
        bench.store.save(subscription(id_))
    bench.ingest.set_position(PARTITION, None, START)


def offered(bench: Bench) -> IngestBatch:
    return batch("a", "b", generation=bench.store.generation(), quarantine=(quarantined("q"),))


def test_l9_a_batch_is_written_with_the_position_it_leads_to(bench: Bench) -> None:
    tickets = bench.ingest.ingest(offered(bench))

    assert tickets is not None
    assert [ticket.seq for ticket in tickets] == [1, 1]
    database = bench.database
    assert database.deliveries.keys() == {ticket.delivery_id for ticket in tickets}
    assert database.get("position:events:0", {}) == {"topic_epoch": "epoch", "offset": "1", "cursor": ""}
    assert database.get("partitions", set()) == {"events:0"}
    assert database.get("quarantine:values", {}) == {"q": "?"}


@pytest.mark.parametrize(
    "stale",
    [
        {"believed": AWAY},
        {"believed": replace(START, cursor="000000/a")},
        {"believed": replace(START, topic_epoch="another")},
        {"generation": 1},
        {"generation": 0},
    ],
    ids=["offset", "cursor", "epoch", "generation", "no generation"],
)
def test_l9_a_refused_batch_writes_nothing_at_all(bench: Bench, stale: dict[str, Position | int]) -> None:
    before = bench.database.content

    assert bench.ingest.ingest(replace(offered(bench), **stale)) is None  # type: ignore[arg-type]

    assert bench.database.content == before


def test_l9_a_batch_for_a_partition_without_a_position_is_refused(bench: Bench) -> None:
    stranger = replace(offered(bench), partition=TopicPartition(topic="events", partition=1))

    assert bench.ingest.ingest(stranger) is None


def test_l9_partitions_do_not_fence_each_other(bench: Bench) -> None:
    second = TopicPartition(topic="events", partition=1)
    bench.ingest.set_position(second, None, AWAY)
    bench.ingest.ingest(offered(bench))

    assert bench.ingest.ingest(replace(offered(bench), partition=second, believed=AWAY, reached=AWAY)) == []


def test_l7_an_events_bytes_are_kept_once_with_all_that_need_them(bench: Bench) -> None:
    bench.ingest.ingest(offered(bench))

    (body,) = bench.database.bodies.values()
    assert body["payload"] == "payload of event-0-0"
    assert (body["record"], body["recorded_at_ms"]) == ("events/0/0", "1000")
    assert body.keys() >= bench.database.deliveries.keys()


def test_l7_a_second_batch_of_one_record_joins_the_body_of_the_first(bench: Bench) -> None:
    half = replace(START, cursor="000000/a")
    generation = bench.store.generation()
    first = bench.ingest.ingest(batch("a", reached=half, generation=generation, event_id="event"))
    assert first is not None
    second = bench.ingest.ingest(batch("b", believed=half, generation=generation, event_id="event"))
    assert second is not None

    bench.deliveries.complete(bench.claim(first[0]))

    assert bench.claim(second[0]).payload == b"payload of event"


def test_l7_a_second_batch_of_one_record_brings_the_body_again_when_the_first_is_done(bench: Bench) -> None:
    half = replace(START, cursor="000000/a")
    generation = bench.store.generation()
    first = bench.ingest.ingest(batch("a", reached=half, generation=generation, event_id="event"))
    assert first is not None
    bench.deliveries.complete(bench.claim(first[0]))
    assert bench.database.bodies == {}

    second = bench.ingest.ingest(batch("b", believed=half, generation=generation, event_id="event"))

    assert second is not None
    assert bench.claim(second[0]).payload == b"payload of event"


def test_l7_any_bytes_and_any_shape_survive(bench: Bench) -> None:
    payload = bytes(range(256)) + "\r\n{}\\u0000é".encode()
    shape = Shape(records=(0, 2), context='"\\ é', is_completed=True)
    one = IngestBatch(
        partition=PARTITION,
        believed=START,
        reached=AWAY,
        generation=bench.store.generation(),
        events=[
            NewEvent(event_id="x", payload=b"other", record="", recorded_at_ms=0),
            NewEvent(event_id="y", payload=payload, record="", recorded_at_ms=0),
        ],
        deliveries=[
            NewDelivery(delivery_id="dx", subscription_id="a", event_index=0, shape=WHOLE),
            NewDelivery(delivery_id="dy", subscription_id="b", event_index=1, shape=shape),
        ],
    )

    tickets = bench.ingest.ingest(one)

    assert tickets is not None
    claims = [bench.claim(ticket) for ticket in tickets]
    assert [claim.payload for claim in claims] == [b"other", payload]
    assert [claim.shape for claim in claims] == [WHOLE, shape]


def test_l27_deliveries_get_their_numbers_in_order_and_their_patience(bench: Bench) -> None:
    tickets = [*bench.fill(2, subscription_id="a"), *bench.fill(2, subscription_id="b")]

    assert [int(bench.fields(ticket)["number"]) for ticket in tickets] == [1, 2, 3, 4]
    assert bench.due_in_s(tickets[0]) == pytest.approx(PATIENCE_S, abs=5)


def test_l8_a_full_batch_is_written_with_a_bounded_number_of_commands(bench: Bench) -> None:
    work = bench.work_of(lambda: bench.fill(MOST, subscription_id="a"))

    assert work.round_trips == 1
    assert work.commands <= 8 * MOST


def test_after_a_reset_what_is_still_there_stays_as_it_is_and_what_left_comes_again(bench: Bench) -> None:
    done, parked, queued = bench.fill(3, subscription_id="a")
    bench.deliveries.complete(bench.claim(done))
    bench.park([parked], "exhausted")
    before = bench.fields(parked)
    stands = bench.ingest.position(PARTITION)
    assert bench.ingest.set_position(PARTITION, stands, START)

    again = bench.ingest.ingest(bench.batch("a", 3, START, b"{}", PARTITION))

    assert again == [done]
    assert bench.fields(parked) == before
    assert bench.fields(queued)["seq"] == "1"
    assert bench.database.counters["deliveries_created"] == 4


@pytest.mark.parametrize("traceparent", ["", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"])
def test_an_event_keeps_its_traceparent_until_the_last_delivery_that_needs_it_has_left(
    bench: Bench, traceparent: str
) -> None:
    written = batch("a", "b", generation=bench.store.generation())
    tickets = bench.ingest.ingest(replace(written, events=[replace(written.events[0], traceparent=traceparent)]))
    assert tickets is not None
    assert ("traceparent" in next(iter(bench.database.bodies.values()))) is bool(traceparent)

    first = bench.claim(tickets[0])
    assert first.traceparent == traceparent
    bench.deliveries.complete(first)
    second = bench.claim(tickets[1])
    assert (second.traceparent, second.payload) == (traceparent, first.payload)
    bench.deliveries.complete(second)

    assert bench.database.bodies == {}
