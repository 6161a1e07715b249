"""
The relay's own messages go to who asks for them, and to nobody else.
"""

from dataclasses import replace
from typing import Any

import pytest

from odim_relay.domain.event import Event, EventFormat, EventRecord, Shape
from odim_relay.domain.matching import Matcher, wants
from odim_relay.domain.own_resources import SUBSCRIPTIONS
from odim_relay.domain.stream_filter import EVERY_EVENT, StreamFilter
from odim_relay.domain.subscription import Filters
from tests.fakes.samples import subscription

URI = f"{SUBSCRIPTIONS}/s"
OWN = EventRecord(
    event_type="Alert",
    message_id="OdimRelay.SubscriptionSuspended",
    registry="OdimRelay",
    severity="Warning",
    origin=URI,
    resource_type="EventDestination",
)
OTHER = replace(OWN, message_id="A.One", registry="A", origin="/redfish/v1/Systems/1", resource_type="ComputerSystem")

ASKING: dict[str, dict[str, Any]] = {
    "the registry": {"registry_prefixes": ("OdimRelay",)},
    "the registry with a version": {"registry_prefixes": ("A", "OdimRelay.1.0")},
    "a message": {"message_ids": ("OdimRelay.1.0.SubscriptionSuspended",)},
    "the subscription": {"origin_resources": (URI,)},
    "all subscriptions": {"origin_resources": (SUBSCRIPTIONS,), "subordinate_resources": True},
    "the service": {"origin_resources": ("/redfish/v1/EventService/",), "subordinate_resources": True},
    "the registry and more": {
        "registry_prefixes": ("OdimRelay",),
        "severities": ("Warning",),
        "event_types": ("Alert",),
    },
}
NOT_ASKING: dict[str, dict[str, Any]] = {
    "nothing": {},
    "a type": {"event_types": ("Alert",)},
    "a severity": {"severities": ("Warning",)},
    "another registry": {"registry_prefixes": ("A",)},
    "another message of ours": {"message_ids": ("OdimRelay.1.0.SubscriptionResumed",)},
    "all but another registry": {"exclude_registry_prefixes": ("A",)},
    "a type of resource": {"resource_types": ("EventDestination",)},
    "everything there is": {"origin_resources": ("/redfish/v1",), "subordinate_resources": True},
    "another subscription": {"origin_resources": (f"{SUBSCRIPTIONS}/other",)},
    "the registry, without it": {"message_ids": ("A.1.0.One",), "exclude_registry_prefixes": ("OdimRelay",)},
    "the registry of others' severity": {"registry_prefixes": ("OdimRelay",), "severities": ("OK",)},
    "the registry elsewhere": {"registry_prefixes": ("OdimRelay",), "origin_resources": ("/redfish/v1/Systems",)},
}


def event(*records: EventRecord) -> Event:
    return Event(format=EventFormat.EVENT, payload=b"", records=records)


@pytest.mark.parametrize("what", ASKING)
def test_who_names_them_gets_them(what: str) -> None:
    asking = replace(subscription("x"), filters=Filters(**ASKING[what]))

    assert wants(asking, OWN)
    assert Matcher.of([asking]).match(event(OWN)) == [("x", Shape())]


@pytest.mark.parametrize("what", NOT_ASKING)
def test_who_does_not_gets_none(what: str) -> None:
    silent = replace(subscription("x"), filters=Filters(**NOT_ASKING[what]))

    assert not wants(silent, OWN)
    assert Matcher.of([silent]).match(event(OWN)) == []


def test_of_an_event_with_others_everybody_gets_what_is_his() -> None:
    everything = replace(subscription("a"), filters=Filters(), context="mine")
    ours = replace(subscription("b"), filters=Filters(registry_prefixes=("OdimRelay",)))

    matches = Matcher.of([everything, ours]).match(event(OTHER, OWN, OTHER))

    assert matches == [("a", Shape(records=(0, 2), context="mine")), ("b", Shape(records=(1,)))]


def test_an_event_without_records_still_goes_to_those_without_filters() -> None:
    assert Matcher.of([replace(subscription("a"), filters=Filters())]).match(event()) == [("a", Shape())]


@pytest.mark.parametrize(
    "text",
    [
        "RegistryPrefix eq 'OdimRelay'",
        "RegistryPrefix eq 'A' or RegistryPrefix eq 'OdimRelay.1.0'",
        "MessageId eq 'OdimRelay.1.0.SubscriptionSuspended'",
        f"OriginResource eq '{URI}'",
        "OriginResource eq '/redfish/v1/EventService' and SubordinateResources eq true",
    ],
)
def test_a_stream_whose_filter_names_them_has_them(text: str) -> None:
    assert StreamFilter.of(text).wanted(event(OTHER, OWN)) is not None
    assert 1 in (StreamFilter.of(text).wanted(event(OTHER, OWN)) or ())


@pytest.mark.parametrize(
    "text",
    [
        "not (RegistryPrefix eq 'OdimRelay')",
        "not (RegistryPrefix eq 'A')",
        "EventType eq 'Alert'",
        "ResourceType eq 'EventDestination'",
        "OriginResource eq '/redfish/v1' and SubordinateResources eq true",
        "RegistryPrefix eq 'OdimRelay' and RegistryPrefix eq 'A'",
    ],
)
def test_another_has_none(text: str) -> None:
    assert StreamFilter.of(text).wanted(event(OWN)) is None


def test_nor_has_one_without_a_filter() -> None:
    assert EVERY_EVENT.wanted(event(OTHER, OWN)) == (0,)
    assert EVERY_EVENT.wanted(event(OWN)) is None
    assert EVERY_EVENT.wanted(event()) == ()
