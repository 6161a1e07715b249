"""
Where every client begins. Source: ServiceRoot v1_20_0.
"""

from odim_relay import __version__, bootstrap
from odim_relay.api.http.call import Call
from odim_relay.api.http.conditions import with_etag
from odim_relay.api.http.reply import Reply
from odim_relay.api.http.resource import Resource
from odim_relay.api.uris import ACCOUNT_SERVICE, EVENT_SERVICE, ROOT, SESSION_SERVICE, SESSIONS

_SPECIFICATION = "1.20.0"
_OPEN = frozenset({"GET"})


def versions(call: Call) -> Reply:  # noqa: ARG001 - every handler's signature
    """
    The versions of Redfish that are served.
    """
    return Reply(body={"v1": f"{ROOT}/"})


def service_root(call: Call) -> Reply:  # noqa: ARG001 - every handler's signature
    """
    What there is, and what the service can do.
    """
    return Reply(
        body=with_etag(
            {
                "@odata.id": f"{ROOT}/",
                "@odata.type": "#ServiceRoot.v1_20_0.ServiceRoot",
                "Id": "RootService",
                "Name": "odim-relay",
                "Product": f"odim-relay {__version__}",
                "RedfishVersion": _SPECIFICATION,
                "UUID": bootstrap.service_identity().uuid(),
                "ProtocolFeaturesSupported": {
                    "ExcerptQuery": False,
                    "ExpandQuery": {"ExpandAll": False, "Levels": False, "Links": False, "NoLinks": False},
                    "FilterQuery": False,
                    "OnlyMemberQuery": False,
                    "SelectQuery": False,
                    "TopSkipQuery": True,
                },
                "AccountService": {"@odata.id": ACCOUNT_SERVICE},
                "EventService": {"@odata.id": EVENT_SERVICE},
                "SessionService": {"@odata.id": SESSION_SERVICE},
                "Links": {"Sessions": {"@odata.id": SESSIONS}},
            }
        )
    )


RESOURCES = (
    Resource(path="/redfish", handlers={"GET": versions}, open_methods=_OPEN),
    Resource(path=f"{ROOT}/", schema="ServiceRoot.v1_20_0", handlers={"GET": service_root}, open_methods=_OPEN),
)
