"""
The registry of the relay's own messages. Source: MessageRegistryFile v1_1_5, MessageRegistry v1_7_0.
"""

from odim_relay.api.http.call import Call
from odim_relay.api.http.collections import PAGING, collection
from odim_relay.api.http.conditions import with_etag
from odim_relay.api.http.errors import refusal
from odim_relay.api.http.reply import Reply
from odim_relay.api.http.resource import Resource
from odim_relay.api.uris import REGISTRIES
from odim_relay.domain.own_resources import OWN_REGISTRY
from odim_relay.formats.own_messages import REGISTRY_ID, registry

_KIND = "MessageRegistryFile"
_FILE = f"{REGISTRIES}/{OWN_REGISTRY}"
_CONTENT = f"{_FILE}/{REGISTRY_ID}.json"


def list_registries(call: Call) -> Reply:
    """
    The registries that are served here: of messages that nobody else has.
    """
    return Reply(
        body=collection(call, uri=REGISTRIES, kind=_KIND, name="Message registries", member_ids=[OWN_REGISTRY])
    )


def get_registry_file(call: Call) -> Reply:
    """
    Where a registry is.
    """
    registry_id = call.params["registry_id"]
    if registry_id != OWN_REGISTRY:
        raise refusal(404, "ResourceNotFound", _KIND, registry_id)
    return Reply(
        body=with_etag(
            {
                "@odata.id": _FILE,
                "@odata.type": f"#{_KIND}.v1_1_5.{_KIND}",
                "Id": OWN_REGISTRY,
                "Name": "odim-relay message registry file",
                "Languages": ["en"],
                "Registry": REGISTRY_ID.rpartition(".")[0],
                "Location": [{"Language": "en", "Uri": _CONTENT}],
            }
        )
    )


def get_registry(call: Call) -> Reply:  # noqa: ARG001 - every handler's signature
    """
    What the relay says of itself, message by message.
    """
    return Reply(body=registry())


RESOURCES = (
    Resource(
        path=REGISTRIES, schema="MessageRegistryFileCollection", handlers={"GET": list_registries}, queries=PAGING
    ),
    Resource(
        path=f"{REGISTRIES}/{{registry_id}}", schema="MessageRegistryFile.v1_1_5", handlers={"GET": get_registry_file}
    ),
    Resource(path=_CONTENT, schema="MessageRegistry.v1_7_0", handlers={"GET": get_registry}),
)
