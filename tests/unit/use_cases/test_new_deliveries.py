"""
Events that are too large for one body become several deliveries, wherever they come from.
"""

import json
from dataclasses import replace
from uuid import UUID

from odim_relay.domain.event import Event, EventRecord, Shape
from odim_relay.domain.identity import delivery_id, event_id, part_id
from odim_relay.formats.redfish import decode
from odim_relay.ports import Record
from odim_relay.use_cases.ingest import MOST_DELIVERIES, Ingest
from odim_relay.use_cases.new_deliveries import new_deliveries
from odim_relay.use_cases.quarantine import ReplayQuarantine
from odim_relay.use_cases.untraced import Untraced
from tests.fakes.samples import PARTITION, START
from tests.unit.use_cases import test_announce, test_ingest, test_quarantine

PARTS = ((0, 1, 2), (3,))


def payload_of(count: int) -> bytes:
    """
    An Event of `count` records of 300 kB each: three of them make a body.
    """
    records = [
        {"EventType": "Other", "MessageId": "A.1.0.K", "MemberId": str(index), "Message": "x" * 300_000}
        for index in range(count)
    ]
    return json.dumps({"@odata.type": "#Event.v1_13_0.Event", "Id": "1", "Name": "n", "Events": records}).encode()


def event_of(count: int) -> Event:
    decoded = decode(payload_of(count))
    assert isinstance(decoded, tuple)
    return decoded[0]


def test_an_event_that_fits_is_one_delivery_by_its_usual_name() -> None:
    (one,) = new_deliveries(event_of(3), event_id="e", event_index=2, subscription_id="s", shape=Shape(context="c"))

    assert (one.delivery_id, one.subscription_id, one.event_index) == (delivery_id("e", "s"), "s", 2)
    assert one.shape == Shape(context="c")


def test_each_part_of_a_larger_one_has_a_name_of_its_own_by_rule_l3() -> None:
    made = new_deliveries(event_of(4), event_id="e", event_index=0, subscription_id="s", shape=Shape(context="c"))

    assert [one.delivery_id for one in made] == [part_id("e", "s", records) for records in PARTS]
    assert [one.shape for one in made] == [Shape(records=records, context="c") for records in PARTS]
    assert len({*(one.delivery_id for one in made), delivery_id("e", "s")}) == 3
    assert all(UUID(one.delivery_id).version == 5 for one in made)


def test_all_parts_for_one_subscription_are_written_at_once() -> None:
    world = test_ingest.World()
    ids = world.subscribe_many(MOST_DELIVERIES - 1, "A")
    ingest = Ingest(ledger=world.ledger, matchers=world.matchers, decoders={PARTITION.topic: decode}, tracer=Untraced())
    records = [Record(offset=0, value=payload_of(1)), Record(offset=1, value=payload_of(4))]

    list(ingest.take(PARTITION, START, records))

    first, second, third = world.ledger.batches
    assert [len(batch.deliveries) for batch in (first, second, third)] == [501, 500, 496]
    name = event_id("epoch", PARTITION.topic, PARTITION.partition, 1, 0)
    parts = [one for batch in world.ledger.batches for one in batch.deliveries][MOST_DELIVERIES - 1 :]
    assert [one.delivery_id for one in parts] == [part_id(name, id_, records) for id_ in ids for records in PARTS]


def test_an_event_out_of_quarantine_is_divided_as_it_would_have_been() -> None:
    world = test_quarantine.World(T_3_9=payload_of(4))
    replay = ReplayQuarantine(
        ledger=world.quarantine,
        listing=world.quarantine,
        matchers=world.matchers,
        decoders={"T": decode},
        publisher=world.publisher,
    )

    replay("epoch/T/3/9")

    (batch,) = world.quarantine.batches
    name = event_id("epoch", "T", 3, 9, 0)
    assert [one.delivery_id for one in batch.deliveries] == [part_id(name, "A", records) for records in PARTS]


def test_an_event_of_our_own_is_divided_too() -> None:
    world = test_announce.World()

    world.announce(payload_of(4), only=["all"])

    assert [kept.shape.records for kept in world.state.deliveries.values()] == list(PARTS)


def test_what_leaves_a_critical_record_in_its_body_is_urgent() -> None:
    event = replace(event_of(2), records=(EventRecord(severity="Critical"), EventRecord(severity="Warning")))

    made = [
        new_deliveries(event, event_id="e", event_index=0, subscription_id="s", shape=Shape(records=records))
        for records in (None, (0,), (1,))
    ]

    assert [one.is_urgent for (one,) in made] == [True, True, False]
