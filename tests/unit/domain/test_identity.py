from itertools import product
from uuid import UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from odim_relay.domain.identity import delivery_id, event_id, part_id

# Written out once more: a subscriber has these ids in its memory, so they may never change.
NAMESPACE = UUID("8f0c6c1e-7f0b-5d5e-9a53-0d6f6f64696d")


def test_an_events_name_is_made_of_its_place_by_rule_l3() -> None:
    assert event_id("epoch", "topic", 3, 14, 1) == str(uuid5(NAMESPACE, "epoch/topic/3/14/1"))


def test_a_deliverys_name_is_made_of_event_and_subscription_by_rule_l3() -> None:
    assert delivery_id("event", "subscription") == str(uuid5(NAMESPACE, "event/subscription"))


def test_a_part_is_named_by_the_records_in_it_by_rule_l3() -> None:
    assert part_id("event", "subscription", (0, 12)) == str(uuid5(NAMESPACE, "event/subscription/0+12"))


def test_the_names_of_this_release_are_those_of_the_first() -> None:
    event = event_id("0d7b2a4e-1f2c-4d8e-9a3b-5c6d7e8f9a0b", "REDFISH-EVENTS-TOPIC", 0, 0, 0)

    assert event == "b2a90540-d025-5f52-b45f-080d793d9dc3"
    assert delivery_id(event, "5d41402a-bc4b-4a76-b971-9d911017c592") == "ff9dc2d3-39b0-526a-bbfc-552b2af5a18b"


def test_two_places_have_two_names() -> None:
    places = list(product(("one", "two"), ("topic", "topic/0"), (0, 1), (0, 1, 10), (0, 1, 10)))

    assert len({event_id(*place) for place in places}) == len(places)


@given(st.text(), st.text(), st.integers(), st.integers(), st.integers())
def test_a_name_is_the_same_however_often_the_record_is_read(
    epoch: str, topic: str, partition: int, offset: int, index: int
) -> None:
    first = event_id(epoch, topic, partition, offset, index)

    assert event_id(epoch, topic, partition, offset, index) == first
    assert UUID(first).version == 5
