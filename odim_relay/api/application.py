"""
All resources of the API as one application.
"""

from odim_relay import bootstrap
from odim_relay.api.authentication import authenticate
from odim_relay.api.http.exchange import Limits, RedfishApp
from odim_relay.api.http.resource import Resource
from odim_relay.api.resources import (
    accounts,
    actions,
    event_destination,
    event_service,
    health,
    inventory,
    registries,
    roles,
    root,
    sessions,
    stream,
    subscriptions,
)
from odim_relay.api.resources.description import description_of

DESCRIBED: tuple[Resource, ...] = (
    *root.RESOURCES,
    *sessions.RESOURCES,
    *accounts.RESOURCES,
    *roles.RESOURCES,
    *event_service.RESOURCES,
    *subscriptions.RESOURCES,
    *event_destination.RESOURCES,
    *actions.RESOURCES,
    *stream.RESOURCES,
    *registries.RESOURCES,
    *inventory.RESOURCES,
    *health.RESOURCES,
)


def make_app() -> RedfishApp:
    """
    The application of this process.
    """
    chosen = bootstrap.settings().api
    return RedfishApp(
        (*DESCRIBED, *actions.UNKNOWN, *description_of(DESCRIBED)),
        authenticate=authenticate,
        limits=Limits(
            max_body_bytes=chosen.max_body_bytes, body_timeout_s=chosen.body_timeout_s, threads=chosen.threads
        ),
    )
