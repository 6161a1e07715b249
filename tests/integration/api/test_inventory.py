"""
Sources and aggregates over HTTP, beside Redfish.
"""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from odim_relay.adapters.redis.connection import Scripts
from odim_relay.adapters.redis.inventory import RedisInventoryStore
from odim_relay.domain.keeper import Keeper
from odim_relay.ports import InventoryContent
from tests.conformance.ledgers import RULES
from tests.support.api_process import ApiProcess
from tests.support.ledger_view import PREFIX
from tests.support.redfish_client import ROOT, keys_told, open_client, told
from tests.support.redis_server import RedisServer

pytestmark = pytest.mark.server

SOURCES, AGGREGATES = "/inventory/sources", "/inventory/aggregates"
X, Y = "/redfish/v1/Systems/x.1", "/redfish/v1/Systems/y.1"
RACK = "/redfish/v1/AggregationService/Aggregates/rack"


@pytest.fixture(scope="module")
def admin(redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    redis_server.empty()
    folder: Path = tmp_path_factory.mktemp("api")
    with (
        ApiProcess(folder, redis=redis_server) as api,
        open_client(api.url, api.ca_file, credentials=(api.user, api.password)) as client,
    ):
        yield client


@pytest.fixture
def store(admin: httpx.Client, redis_server: RedisServer) -> Iterator[RedisInventoryStore]:
    """
    What the API stores in; empty at first.
    """
    assert admin.get("/readyz").is_success
    with redis_server.client() as client:
        store = RedisInventoryStore(Scripts(client, PREFIX, RULES))
        for keeper in Keeper:
            store.replace(keeper, InventoryContent())
        yield store


def test_a_source_is_made_read_replaced_and_removed(admin: httpx.Client, store: RedisInventoryStore) -> None:
    made = admin.post(SOURCES, json={"address": "[2001:DB8::1]:443", "system": f"{X}/"})
    assert (made.status_code, made.headers["Location"]) == (201, f"{SOURCES}/2001%3Adb8%3A%3A1")
    document = {"uri": f"{SOURCES}/2001%3Adb8%3A%3A1", "address": "2001:db8::1", "system": X, "keeper": "own"}
    assert made.json() == document

    for spelling in (made.headers["Location"], f"{SOURCES}/[2001:db8:0::1]:1", f"{SOURCES}/2001:db8::1/"):
        found = admin.get(spelling)
        assert (found.status_code, found.json(), found.headers["ETag"]) == (200, document, made.headers["ETag"])
    assert admin.get(SOURCES).json() == {"count": 1, "sources": [document]}

    replaced = admin.put(f"{SOURCES}/2001:db8::1", json={"system": Y})
    assert (replaced.status_code, replaced.json()) == (200, {**document, "system": Y})
    assert store.content(Keeper.OWN).sources == {"2001:db8::1": Y}
    assert admin.delete(f"{SOURCES}/2001:db8::1").status_code == 204
    assert store.content(Keeper.OWN).sources == {}
    for method in ("GET", "DELETE"):
        gone = admin.request(method, f"{SOURCES}/2001:db8::1")
        assert (gone.status_code, keys_told(gone)) == (404, ["ResourceNotFound"])


def test_an_aggregate_is_made_read_replaced_and_removed(admin: httpx.Client, store: RedisInventoryStore) -> None:
    made = admin.post(AGGREGATES, json={"aggregate": RACK, "elements": [X, f"{X}/"]})
    document = {"uri": f"{AGGREGATES}/rack", "aggregate": RACK, "elements": [X], "keeper": "own"}
    assert (made.status_code, made.headers["Location"], made.json()) == (201, f"{AGGREGATES}/rack", document)
    assert admin.get(f"{AGGREGATES}/rack").json() == document
    assert admin.get(AGGREGATES).json() == {"count": 1, "aggregates": [document]}
    assert admin.put(f"{AGGREGATES}/rack", json={"elements": [X, Y]}).json()["elements"] == [X, Y]
    assert store.content(Keeper.OWN).aggregates == {RACK: (X, Y)}
    assert admin.delete(f"{AGGREGATES}/rack").status_code == 204
    assert store.content(Keeper.OWN).aggregates == {}
    assert admin.get(f"{AGGREGATES}/rack").status_code == 404


def test_put_makes_what_was_not_there_and_is_the_same_however_often(
    admin: httpx.Client, store: RedisInventoryStore
) -> None:
    assert admin.put(f"{SOURCES}/h:443", json={"system": X}).status_code == 201
    version = store.version()
    again = admin.put(f"{SOURCES}/h", json={"system": X})
    assert (again.status_code, store.version()) == (200, version)
    assert admin.put(f"{AGGREGATES}/rack", json={"elements": []}).status_code == 201


def test_what_is_there_is_not_made_twice(admin: httpx.Client, store: RedisInventoryStore) -> None:
    store.replace(Keeper.OWN, InventoryContent(sources={"h": X}, aggregates={RACK: (X,)}))
    for path, document in (
        (SOURCES, {"address": "H.:1", "system": Y}),
        (AGGREGATES, {"aggregate": "rack", "elements": [Y]}),
    ):
        refused = admin.post(path, json=document)
        assert (refused.status_code, keys_told(refused)) == (409, ["ResourceAlreadyExists"])
    assert store.content(Keeper.OWN) == InventoryContent(sources={"h": X}, aggregates={RACK: (X,)})


def test_what_odim_keeps_is_shown_overridden_and_not_removed(admin: httpx.Client, store: RedisInventoryStore) -> None:
    store.replace(Keeper.ODIM, InventoryContent(sources={"h": X}, aggregates={RACK: (X,)}))
    assert admin.get(f"{SOURCES}/h").json()["keeper"] == "odim"
    for uri in (f"{SOURCES}/h", f"{AGGREGATES}/rack"):
        refused = admin.delete(uri)
        assert (refused.status_code, keys_told(refused)) == (403, ["ResourceCannotBeDeleted"])

    assert admin.post(SOURCES, json={"address": "h", "system": Y}).status_code == 201
    assert admin.put(f"{AGGREGATES}/rack", json={"elements": []}).status_code == 200
    (source,) = admin.get(SOURCES).json()["sources"]
    (aggregate,) = admin.get(AGGREGATES).json()["aggregates"]
    assert (source["system"], source["keeper"]) == (Y, "own")
    assert (aggregate["elements"], aggregate["keeper"]) == ([], "own")
    assert admin.delete(f"{SOURCES}/h").status_code == 204
    assert admin.get(f"{SOURCES}/h").json()["system"] == X


def test_sources_come_in_pages(admin: httpx.Client, store: RedisInventoryStore) -> None:
    store.replace(Keeper.OWN, InventoryContent(sources={f"h{number:03}": X for number in range(300)}))
    first = admin.get(SOURCES).json()
    assert (first["count"], len(first["sources"]), first["next"]) == (300, 250, f"{SOURCES}?$skip=250&$top=250")
    second = admin.get(first["next"]).json()
    assert [one["address"] for one in second["sources"]] == [f"h{number}" for number in range(250, 300)]
    assert "next" not in second
    assert admin.get(f"{SOURCES}?$skip=3&$top=0").json() == {"count": 300, "sources": []}
    refused = admin.get(f"{SOURCES}?$top=x")
    assert (refused.status_code, keys_told(refused)) == (400, ["QueryParameterValueTypeError"])


def test_a_change_may_be_made_to_depend_on_what_is_there(admin: httpx.Client, store: RedisInventoryStore) -> None:
    assert admin.put(f"{SOURCES}/h", json={"system": X}, headers={"If-Match": "*"}).status_code == 412
    etag = admin.put(f"{SOURCES}/h", json={"system": X}).headers["ETag"]
    assert admin.get(f"{SOURCES}/h", headers={"If-None-Match": etag}).status_code == 304
    assert admin.put(f"{SOURCES}/h", json={"system": Y}, headers={"If-None-Match": "*"}).status_code == 412
    assert admin.put(f"{SOURCES}/h", json={"system": Y}, headers={"If-Match": etag}).status_code == 200
    assert admin.delete(f"{SOURCES}/h", headers={"If-Match": etag}).status_code == 412
    assert store.content(Keeper.OWN).sources == {"h": Y}


@pytest.mark.parametrize(
    ("method", "path", "document", "key", "related"),
    [
        ("POST", SOURCES, {"system": X}, "PropertyMissing", "#/address"),
        ("POST", SOURCES, {"address": "h", "system": X, "x": 1}, "PropertyUnknown", "#/x"),
        ("POST", SOURCES, {"address": 1, "system": X}, "PropertyValueTypeError", "#/address"),
        ("POST", SOURCES, {"address": "", "system": X}, "StringValueTooShort", "#/address"),
        ("POST", SOURCES, {"address": "10.0.0.300", "system": X}, "PropertyValueFormatError", "#/address"),
        ("POST", SOURCES, {"address": "h", "system": "x"}, "PropertyValueFormatError", "#/system"),
        ("PUT", f"{SOURCES}/a%20b", {"system": X}, "PropertyValueFormatError", "#/address"),
        ("PUT", f"{SOURCES}/h", {}, "PropertyMissing", "#/system"),
        ("POST", AGGREGATES, {"aggregate": "a/b", "elements": []}, "PropertyValueFormatError", "#/aggregate"),
        ("POST", AGGREGATES, {"aggregate": "a"}, "PropertyMissing", "#/elements"),
        ("PUT", f"{AGGREGATES}/a", {"elements": [X, "y"]}, "PropertyValueFormatError", "#/elements/1"),
        ("PUT", f"{AGGREGATES}/a", {"elements": X}, "PropertyValueTypeError", "#/elements"),
        ("PUT", f"{AGGREGATES}/a", {"elements": [X] * 10_001}, "ArraySizeTooLong", "#/elements"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_cannot_be_is_refused_with_what_is_wrong(
    admin: httpx.Client, store: RedisInventoryStore, method: str, path: str, document: object, key: str, related: str
) -> None:
    version = store.version()
    refused = admin.request(method, path, json=document)
    (message,) = told(refused)

    assert (refused.status_code, keys_told(refused), message["RelatedProperties"]) == (400, [key], [related])
    if key == "PropertyValueFormatError":
        assert " is none: " in message["Resolution"]
    assert store.version() == version


def test_nothing_of_redfish_leads_here(admin: httpx.Client) -> None:
    for uri in (ROOT, "/redfish/v1/odata", "/redfish/v1/$metadata"):
        assert "inventory" not in admin.get(uri).text.lower()
    assert "/inventory/sources/{address}" in admin.get("/redfish/v1/openapi.yaml").text
