from typing import Any

import pytest

from odim_relay.api.http.call import Call
from odim_relay.api.http.collections import collection
from odim_relay.api.http.errors import RedfishError

IDS = ["a", "b c", "d"]


def page(*query: tuple[str, str]) -> dict[str, Any]:
    call = Call(method="GET", path="/x", params={}, headers={}, query=query)
    return collection(call, uri="/v1/Items", kind="Item", name="Items", member_ids=IDS)


def members(document: dict[str, Any]) -> list[str]:
    return [one["@odata.id"] for one in document["Members"]]


def test_a_collection_has_all_its_members_as_links() -> None:
    assert page() == {
        "@odata.id": "/v1/Items",
        "@odata.type": "#ItemCollection.ItemCollection",
        "Name": "Items",
        "Members@odata.count": 3,
        "Members": [{"@odata.id": "/v1/Items/a"}, {"@odata.id": "/v1/Items/b%20c"}, {"@odata.id": "/v1/Items/d"}],
    }


def test_pages_lead_from_one_to_the_next_and_each_tells_how_many_there_are() -> None:
    first = page(("$top", "2"))
    assert members(first) == ["/v1/Items/a", "/v1/Items/b%20c"]
    assert first["Members@odata.count"] == 3
    assert first["Members@odata.nextLink"] == "/v1/Items?$skip=2&$top=2"

    last = page(("$skip", "2"), ("$top", "2"))

    assert members(last) == ["/v1/Items/d"]
    assert last["Members@odata.count"] == 3
    assert "Members@odata.nextLink" not in last


@pytest.mark.parametrize("query", [(("$top", "0"),), (("$skip", "3"),), (("$skip", "999999999"),)])
def test_a_page_may_be_empty(query: tuple[tuple[str, str], ...]) -> None:
    document = page(*query)

    assert document["Members"] == []
    assert document["Members@odata.count"] == 3
    assert "Members@odata.nextLink" not in document


@pytest.mark.parametrize(
    ("query", "key", "arguments"),
    [
        ([("$top", "x")], "QueryParameterValueTypeError", ["x", "$top"]),
        ([("$top", "")], "QueryParameterValueTypeError", ["", "$top"]),
        ([("$skip", "1.5")], "QueryParameterValueTypeError", ["1.5", "$skip"]),
        ([("$skip", "٣")], "QueryParameterValueTypeError", ["٣", "$skip"]),
        ([("$skip", "-1")], "QueryParameterOutOfRange", ["-1", "$skip", "0 and up"]),
        ([("$top", "9" * 5_000)], "QueryParameterOutOfRange", ["9" * 5_000, "$top", "0 and up"]),
        ([("$top", "1"), ("$top", "2")], "QueryCombinationInvalid", []),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_page_that_cannot_be_is_refused(query: list[tuple[str, str]], key: str, arguments: list[str]) -> None:
    with pytest.raises(RedfishError) as refused:
        page(*query)

    (message,) = refused.value.messages
    assert (refused.value.status, message["MessageId"].split(".", 3)[3]) == (400, key)
    assert message["MessageArgs"] == arguments
