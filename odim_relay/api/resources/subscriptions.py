"""
The collection of subscriptions.
"""

from odim_relay import bootstrap
from odim_relay.api.http.call import Call
from odim_relay.api.http.collections import PAGING, collection
from odim_relay.api.http.errors import RedfishError, refusal
from odim_relay.api.http.reply import Reply
from odim_relay.api.http.resource import Resource
from odim_relay.api.reading.flaws import told_of
from odim_relay.api.reading.subscription_bodies import NewSubscription
from odim_relay.api.reading.subscription_wishes import read_wish
from odim_relay.api.resources.event_destination import document_of
from odim_relay.api.resources.event_destination_document import KIND, uri_of
from odim_relay.api.uris import EVENT_SERVICE, SUBSCRIPTIONS
from odim_relay.domain.account import Privilege
from odim_relay.domain.subscription import Subscription
from odim_relay.use_cases.subscribe import InvalidSubscriptionError, TooManySubscriptionsError

PAGE = 250


def list_subscriptions(call: Call) -> Reply:
    """
    All subscriptions, in pages.
    """
    ids = bootstrap.subscribe().ids()
    body = collection(call, uri=SUBSCRIPTIONS, kind=KIND, name="Event subscriptions", member_ids=ids, page=PAGE)
    return Reply(body=body)


def create_subscription(call: Call) -> Reply:
    """
    Subscribe. The destination need not be reachable.
    """
    owner = call.account.user_name if call.account is not None else ""
    wish = read_wish(call.document(), bootstrap.egress_policy(), owner=owner)
    require_enabled()
    made = _create(wish)
    return Reply(status=201, body=document_of(made), headers={"Location": uri_of(made.subscription_id)})


def require_enabled() -> None:
    """
    Check that the service takes subscriptions.

    Raises:
        RedfishError: 503 ServiceDisabled.
    """
    if not bootstrap.event_service().read().is_enabled:
        raise refusal(503, "ServiceDisabled", EVENT_SERVICE)


def _create(wish: Subscription) -> Subscription:
    try:
        return bootstrap.subscribe().create(wish, most=bootstrap.settings().api.max_subscriptions)
    except InvalidSubscriptionError as exc:
        raise RedfishError(400, *map(told_of, exc.flaws)) from None
    except TooManySubscriptionsError:
        raise refusal(400, "EventSubscriptionLimitExceeded") from None


RESOURCES = (
    Resource(
        path=SUBSCRIPTIONS,
        schema="EventDestinationCollection",
        handlers={"GET": list_subscriptions, "POST": create_subscription},
        privileges={"POST": frozenset({Privilege.CONFIGURE_MANAGER, Privilege.CONFIGURE_COMPONENTS})},
        aliases=(f"{SUBSCRIPTIONS}/Members",),
        queries=PAGING,
        bodies={"POST": NewSubscription},
    ),
)
