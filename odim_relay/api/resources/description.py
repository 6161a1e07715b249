"""
What the service says of itself for machines: OData's documents, and OpenAPI. All from its resources.
"""

from collections.abc import Callable, Sequence
from functools import cache
from importlib import resources as package_files
from xml.sax.saxutils import quoteattr

from odim_relay.api.http.call import Call
from odim_relay.api.http.reply import Reply
from odim_relay.api.http.resource import Handler, Resource
from odim_relay.api.openapi import openapi_yaml
from odim_relay.api.uris import METADATA, ROOT, SCHEMAS

_SCHEMAS = "http://redfish.dmtf.org/schemas/v1"
_OWN = "OdimRelay.v1_0_0"
_BASES = ("RedfishExtensions.v1_0_0", "Message", "Resource")
_EDMX = "http://docs.oasis-open.org/odata/ns/edmx"
_EDM = "http://docs.oasis-open.org/odata/ns/edm"
_SERVICE = "ServiceRoot.v1_20_0.ServiceContainer"
_OPEN = frozenset({"GET"})


def description_of(resources: Sequence[Resource]) -> tuple[Resource, ...]:
    """
    The resources that describe these.
    """
    return (
        Resource(path=f"{ROOT}/odata", handlers={"GET": _odata(resources)}, open_methods=_OPEN),
        Resource(
            path=METADATA,
            handlers={"GET": _text(lambda: metadata_xml(resources), "application/xml")},
            open_methods=_OPEN,
        ),
        Resource(
            path=f"{SCHEMAS}/{_own_file()}",
            handlers={"GET": _text(_own_schema, "application/xml")},
        ),
        Resource(
            path=f"{ROOT}/openapi.yaml",
            handlers={"GET": _text(lambda: openapi_yaml(resources), "application/yaml")},
        ),
    )


def _odata(resources: Sequence[Resource]) -> Handler:
    depth = ROOT.count("/") + 1
    children = [one.path for one in resources if one.path.startswith(f"{ROOT}/") and one.path.count("/") == depth]
    values = [{"name": "Service", "kind": "Singleton", "url": f"{ROOT}/"}]
    values += [
        {"name": path.rpartition("/")[2], "kind": "Singleton", "url": path} for path in children if path != f"{ROOT}/"
    ]
    # Not a child by its path, but by the root's Links.
    values.append({"name": "Sessions", "kind": "Singleton", "url": f"{ROOT}/SessionService/Sessions"})

    def odata(call: Call) -> Reply:  # noqa: ARG001 - every handler's signature
        """
        OData's service document.
        """
        return Reply(body={"@odata.context": METADATA, "value": values})

    return odata


def _text(make: Callable[[], str], media_type: str) -> Handler:
    made = cache(make)

    def text(call: Call) -> Reply:  # noqa: ARG001 - every handler's signature
        """
        A description of the service.
        """
        return Reply(content=made().encode(), media_type=media_type)

    return text


def metadata_xml(resources: Sequence[Resource]) -> str:
    """
    OData's metadata: references to the schemas that the resources have.
    """
    schemas = dict.fromkeys(one.schema for one in resources if one.schema)
    references = [_reference(name) for name in (*_BASES, *schemas)] + [_reference(_OWN, SCHEMAS)]
    return "\n".join(
        [
            '<?xml version="1.0" encoding="UTF-8"?>',
            f'<edmx:Edmx xmlns:edmx="{_EDMX}" Version="4.0">',
            *references,
            "  <edmx:DataServices>",
            f'    <Schema xmlns="{_EDM}" Namespace="Service">',
            f'      <EntityContainer Name="Service" Extends="{_SERVICE}"/>',
            "    </Schema>",
            "  </edmx:DataServices>",
            "</edmx:Edmx>",
            "",
        ]
    )


def _own_file() -> str:
    return f"{_OWN.partition('.')[0]}_v1.xml"


def _own_schema() -> str:
    return package_files.files("odim_relay.api").joinpath("schemas", _own_file()).read_text(encoding="utf-8")


def _reference(schema: str, folder: str = _SCHEMAS) -> str:
    name = schema.partition(".")[0]
    namespaces = dict.fromkeys((name, schema)) if name != "RedfishExtensions" else {schema: None}
    includes = "".join(
        f"    <edmx:Include Namespace={quoteattr(namespace)}"
        f"{' Alias=' + quoteattr('Redfish') if name == 'RedfishExtensions' else ''}/>\n"
        for namespace in namespaces
    )
    return f'  <edmx:Reference Uri="{folder}/{name}_v1.xml">\n{includes}  </edmx:Reference>'
