import pytest

from odim_relay.api.http.call import Call
from odim_relay.api.http.reply import Reply
from odim_relay.api.http.resource import Resource
from odim_relay.api.http.routes import Routes


def nothing(call: Call) -> Reply:  # noqa: ARG001
    return Reply()


HANDLERS = {"GET": nothing, "POST": nothing}
ROOT = Resource(path="/v1/", handlers=HANDLERS)
ITEMS = Resource(path="/v1/Items", handlers=HANDLERS, aliases=("/v1/Items/Members",))
ITEM = Resource(path="/v1/Items/{item_id}", handlers=HANDLERS)
PART = Resource(path="/v1/Items/{item_id}/Parts/{part_id}", handlers=HANDLERS)
ROUTES = Routes([ITEM, PART, ITEMS, ROOT])


@pytest.mark.parametrize(
    ("path", "resource", "params"),
    [
        ("/v1", ROOT, {}),
        ("/v1/", ROOT, {}),
        ("/v1/Items", ITEMS, {}),
        ("/v1/Items/", ITEMS, {}),
        ("/v1/%49tems", ITEMS, {}),
        ("/v1/Items/7", ITEM, {"item_id": "7"}),
        ("/v1/Items/7/", ITEM, {"item_id": "7"}),
        ("/v1/Items/a%2Fb%20c", ITEM, {"item_id": "a/b c"}),
        ("/v1/Items/..", ITEM, {"item_id": ".."}),
        ("/v1/Items/7/Parts/8", PART, {"item_id": "7", "part_id": "8"}),
    ],
)
def test_a_path_leads_to_its_resource(path: str, resource: Resource, params: dict[str, str]) -> None:
    assert ROUTES.find(path) == (resource, params)


@pytest.mark.parametrize(
    "path", ["", "/", "/v2", "/v1//", "//v1", "/v1/items", "/v1/Items/7/8", "/v1/Items//", "/v1/Items//Parts/8", "v1"]
)
def test_any_other_path_leads_nowhere(path: str) -> None:
    assert ROUTES.find(path) is None


def test_an_alias_serves_post_alone() -> None:
    found = ROUTES.find("/v1/Items/Members")

    assert found is not None
    assert found[0].methods == ("POST",)
    assert ITEMS.methods == ("GET", "HEAD", "POST")


def test_two_resources_at_one_path_are_a_fault() -> None:
    with pytest.raises(ValueError, match="two resources"):
        Routes([ROOT, Resource(path="/v1", handlers=HANDLERS)])
