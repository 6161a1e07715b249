"""
All resources of the API as one application.
"""

from odim_relay import bootstrap
from odim_relay.api.authentication import authenticate
from odim_relay.api.front import Front
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
from odim_relay.api.ui.application import PageApp
from odim_relay.api.ui.routes import Pages
from odim_relay.api.ui.table import PAGES

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


def make_app() -> Front:
    """
    The application of this process.
    """
    chosen = bootstrap.settings().api
    limits = Limits(max_body_bytes=chosen.max_body_bytes, body_timeout_s=chosen.body_timeout_s, threads=chosen.threads)
    redfish = RedfishApp(
        (*DESCRIBED, *actions.UNKNOWN, *description_of(DESCRIBED)),
        authenticate=authenticate,
        limits=limits,
    )
    is_wanted = bootstrap.settings().ui.enabled
    return Front(redfish, PageApp(Pages(PAGES), in_thread=redfish.in_thread, limits=limits) if is_wanted else None)
