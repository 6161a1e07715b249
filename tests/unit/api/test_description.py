from collections.abc import Iterator
from xml.etree import ElementTree as ET

import pytest
import yaml

from odim_relay.api.application import DESCRIBED
from odim_relay.api.http.call import Call
from odim_relay.api.http.resource import Resource
from odim_relay.api.openapi import openapi, openapi_yaml
from odim_relay.api.resources.description import description_of, metadata_xml

EDMX = "{http://docs.oasis-open.org/odata/ns/edmx}"
EDM = "{http://docs.oasis-open.org/odata/ns/edm}"
CALL = Call(method="GET", path="/", params={}, headers={})


def operations() -> Iterator[tuple[Resource, str]]:
    for resource in DESCRIBED:
        for method in resource.methods:
            yield resource, method


def test_the_metadata_refers_to_the_schema_of_each_resource() -> None:
    root = ET.fromstring(metadata_xml(DESCRIBED))  # noqa: S314 - our own
    included = {one.attrib["Namespace"] for one in root.iter(f"{EDMX}Include")}

    assert {resource.schema for resource in DESCRIBED if resource.schema} <= included
    container = root.find(f"{EDMX}DataServices/{EDM}Schema/{EDM}EntityContainer")
    assert container is not None
    assert container.attrib["Extends"] == "ServiceRoot.v1_20_0.ServiceContainer"


def test_the_service_document_names_the_root_and_its_children() -> None:
    odata = next(one for one in description_of(DESCRIBED) if one.path.endswith("/odata"))
    body = odata.handlers["GET"](CALL).body or {}

    assert body["@odata.context"] == "/redfish/v1/$metadata"
    assert {one["url"] for one in body["value"]} >= {
        "/redfish/v1/",
        "/redfish/v1/SessionService",
        "/redfish/v1/AccountService",
        "/redfish/v1/EventService",
    }


@pytest.mark.parametrize(
    ("resource", "method"), list(operations()), ids=lambda value: str(getattr(value, "path", value))
)
def test_every_method_is_described_with_what_it_reads_and_who_may(resource: Resource, method: str) -> None:
    if method == "HEAD":
        return
    operation = openapi(DESCRIBED)["paths"][resource.path][method.lower()]

    assert operation["summary"]
    assert "default" in operation["responses"]
    assert (operation.get("security") == []) is (not resource.needs(method))
    assert ("requestBody" in operation) is (method in {"POST", "PATCH", "PUT"})
    if method in resource.bodies:
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        assert schema["$ref"] == f"#/components/schemas/{resource.bodies[method].__name__}"


def test_every_body_that_is_read_is_described() -> None:
    changing = ("PATCH", "PUT")
    reading = {(resource.path, method) for resource, method in operations() if method in changing}

    assert reading == {
        (resource.path, method) for resource in DESCRIBED for method in changing if method in resource.bodies
    }


def test_every_reference_in_the_description_leads_somewhere_and_none_is_yamls_own() -> None:
    text = openapi_yaml(DESCRIBED)
    document = yaml.safe_load(text)

    def references(node: object) -> Iterator[str]:
        if isinstance(node, dict):
            for name, value in node.items():
                if name == "$ref":
                    yield str(value)
                yield from references(value)
        elif isinstance(node, list):
            for value in node:
                yield from references(value)

    for reference in references(document):
        node = document
        for part in reference.removeprefix("#/").split("/"):
            node = node[part]
    assert "&id" not in text


def test_two_models_of_one_name_would_be_described_as_one() -> None:
    models = {model for resource in DESCRIBED for model in resource.bodies.values()}

    assert len({model.__name__ for model in models}) == len(models)
