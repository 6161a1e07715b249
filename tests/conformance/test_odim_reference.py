"""
Rows, placing, matching and shaping together, against a reference that shares no code with them.
"""

import json
from collections import Counter

import pytest

from odim_relay.domain.inventory import Aggregate, Inventory, Source
from odim_relay.domain.matching import Matcher
from odim_relay.formats import odim
from odim_relay.formats.odim_rows import read_aggregate_document, read_device
from odim_relay.formats.odim_subscriptions import SubscriptionRow, read_subscription
from odim_relay.formats.placing import place
from odim_relay.formats.shaping import shape_body
from tests.support.odim_installation import MadeUp
from tests.support.odim_plugins import Plugins, envelope
from tests.support.odim_redis import aggregate_document, device_row
from tests.support.odim_reference import AGGREGATES, Arrival, Installation, Reference, Said, arrival_of


def inventory_of(installation: Installation) -> Inventory:
    """
    What the product reads of the installation's rows.
    """
    sources = [read_device(device_row(address, [origin])) for address, origin in installation.devices.items()]
    aggregates = [
        read_aggregate_document(AGGREGATES + id_, aggregate_document(elements))[0]
        for id_, elements in installation.aggregates.items()
    ]
    return Inventory.of(
        [source for source in sources if isinstance(source, Source)],
        [aggregate for aggregate in aggregates if isinstance(aggregate, Aggregate)],
    )


def matcher_of(installation: Installation) -> Matcher:
    rows = [read_subscription(one.row()) for one in installation.subscriptions]
    return Matcher.of([row.subscription for row in rows if isinstance(row, SubscriptionRow)])


def delivered(said: Said, matcher: Matcher, inventory: Inventory) -> list[tuple[str, Arrival]]:
    decoded = odim.decode(envelope(said))
    assert isinstance(decoded, tuple), said
    [event] = decoded
    placed = place(event, inventory).event
    return [
        (subscription_id, arrival_of(json.loads(shape_body(placed.payload, shape, event_id="an id"))))
        for subscription_id, shape in matcher.match(placed, inventory)
    ]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_everybody_gets_what_the_reference_says_and_nothing_else(seed: int) -> None:
    made_up = MadeUp(seed)
    devices = made_up.devices(100)
    aggregates = made_up.aggregates(20, list(devices.values()))
    subscriptions = made_up.subscriptions(200, list(devices.values()), list(aggregates), "https://10.0.0.1".__add__)
    installation = Installation(devices, aggregates, subscriptions)
    reference, matcher, inventory = Reference(installation), matcher_of(installation), inventory_of(installation)

    counts: Counter[str] = Counter()
    for said in Plugins(seed).events(1_000, installation):
        expected = reference.arrivals(said)
        assert sorted(delivered(said, matcher, inventory)) == sorted(expected), (said, subscriptions)
        counts.update(subscription_id for subscription_id, _ in expected)

    # Else it would prove little: nearly everybody gets something, and few get everything.
    assert len(counts) > len(subscriptions) * 0.8
    assert sum(counts.values()) > 2_000
