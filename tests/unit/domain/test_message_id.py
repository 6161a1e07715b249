from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from odim_relay.domain.message_id import registry_of, without_version

SPELLINGS: Final = {
    "ResourceEvent.1.4.ResourceCreated": "ResourceEvent.ResourceCreated",
    "ResourceEvent.1.4.2.ResourceCreated": "ResourceEvent.ResourceCreated",
    "ResourceEvent.v1_4_2.ResourceCreated": "ResourceEvent.ResourceCreated",
    "ResourceEvent.1_4.ResourceCreated": "ResourceEvent.ResourceCreated",
    "ResourceEvent.ResourceCreated": "ResourceEvent.ResourceCreated",
    "iLOEvents.0.9.PowerSupplyRemoved": "iLOEvents.PowerSupplyRemoved",
    "Vendor.1.0.Group.Key": "Vendor.Group.Key",
    "SEL.1.0.0042": "SEL.0042",
    "SEL.1.0": "SEL.1.0",
    "Vendor.1.Key": "Vendor.1.Key",
    "Vendor.1.0.": "Vendor.1.0.",
    "IndicatorChanged": "IndicatorChanged",
    "": "",
    ".": ".",
}


@pytest.mark.parametrize(("spelled", "expected"), SPELLINGS.items())
def test_a_message_id_loses_its_version_and_nothing_else(spelled: str, expected: str) -> None:
    assert without_version(spelled) == expected


names = st.sampled_from(["ResourceEvent", "iLOEvents", "Key", "RAC1195"])
versions = st.sampled_from(["1.4", "0.9", "1.4.2", "12.345", "v1_4", "v1_4_2", "1_0"])


@settings(deadline=None)
@given(registry=names, version=versions, key=st.lists(names, min_size=1, max_size=3).map(".".join))
def test_the_version_makes_no_difference(registry: str, version: str, key: str) -> None:
    plain = f"{registry}.{key}"

    assert without_version(f"{registry}.{version}.{key}") == without_version(plain) == plain


@settings(deadline=None)
@given(st.text() | st.text(alphabet="R1v_."))
def test_any_text_is_a_message_id(text: str) -> None:
    assert without_version(text) or not text


@pytest.mark.parametrize(
    ("message_id", "registry"),
    [("ResourceEvent.ResourceCreated", "ResourceEvent"), ("IndicatorChanged", ""), ("", ""), (".Key", "")],
)
def test_the_registry_stands_before_the_first_dot(message_id: str, registry: str) -> None:
    assert registry_of(message_id) == registry
