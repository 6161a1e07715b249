"""
The schema that we serve for Oem.OdimRelay, held against what we say, read and store.
"""

from importlib import resources
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from odim_relay.api.reading.subscription_bodies import AuthenticationBody, OdimRelayBody
from odim_relay.api.resources.event_destination_document import event_destination
from odim_relay.domain.authentication import AuthenticationKind, Bearer
from odim_relay.domain.circuit_breaker import Breaker
from odim_relay.domain.subscription import Mode, Subscription
from odim_relay.ports import DestinationFlow, SubscriptionFlow
from odim_relay.use_cases.status import SubscriptionStatus

EDM = "{http://docs.oasis-open.org/odata/ns/edm}"
NAMESPACE = "OdimRelay.v1_0_0"


@pytest.fixture(scope="module")
def schema() -> ET.Element:
    text = resources.files("odim_relay.api").joinpath("schemas", "OdimRelay_v1.xml").read_text()
    root = ET.fromstring(text)  # noqa: S314 - our own
    return next(one for one in root.iter(f"{EDM}Schema") if one.get("Namespace") == NAMESPACE)


def names(schema: ET.Element, kind: str, name: str) -> set[str]:
    """
    The properties of a type, or the members of an enumeration.
    """
    child = {"ComplexType": "Property", "EnumType": "Member"}[kind]
    found = next(one for one in schema.findall(f"{EDM}{kind}") if one.get("Name") == name)
    return {str(one.get("Name")) for one in found.findall(f"{EDM}{child}")}


@pytest.fixture(scope="module")
def fullest() -> dict[str, Any]:
    """
    All that can be told of a subscription, and its type.
    """
    subscription = Subscription(
        subscription_id="s",
        destination="https://192.0.2.1/",
        mode=Mode.ORDERED,
        signing_key="whsk_",
        authentication=Bearer(token="t"),
    )
    status = SubscriptionStatus(
        subscription_id="s",
        subscription=subscription,
        flow=SubscriptionFlow(subscription_id="s", exists=True, suspended_by="by_hand", suspended_at_ms=1),
        destination=DestinationFlow(destination_id="d", breaker=Breaker.OPEN, success_at_ms=1),
        waiting_count=1,
        dead_letter_count=1,
        oldest_age_s=1,
        last_failure={"status": "500"},
    )
    own: dict[str, Any] = event_destination(subscription, status, verifies_by_default=True, public_key="whpk_")["Oem"][
        "OdimRelay"
    ]
    return own


def test_it_has_every_member_that_is_told_and_no_other(schema: ET.Element, fullest: dict[str, Any]) -> None:
    assert fullest["@odata.type"] == f"#{NAMESPACE}.EventDestination"
    assert names(schema, "ComplexType", "EventDestination") == fullest.keys() - {"@odata.type"}
    assert names(schema, "ComplexType", "Delivery") == fullest["Delivery"].keys()


def test_it_has_every_member_that_is_read(schema: ET.Element) -> None:
    read = {field.alias for field in OdimRelayBody.model_fields.values()} - {"@odata.type"}

    assert names(schema, "ComplexType", "EventDestination") == read | {"Delivery", "PublicKey"}
    read = {field.alias for field in AuthenticationBody.model_fields.values()} - {"@odata.type"}
    assert names(schema, "ComplexType", "Authentication") == read


def test_it_has_every_value_of_what_has_a_list(schema: ET.Element) -> None:
    assert names(schema, "EnumType", "Mode") == set(Mode)
    assert names(schema, "EnumType", "AuthenticationKind") == set(AuthenticationKind)
    assert names(schema, "EnumType", "BreakerState") == set(Breaker)
