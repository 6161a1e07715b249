"""
One subscription.
"""

import time
from collections.abc import Callable
from typing import Any, TypeVar

from odim_relay import bootstrap
from odim_relay.api.http.call import Call
from odim_relay.api.http.conditions import ETAG, require_match
from odim_relay.api.http.errors import RedfishError, refusal
from odim_relay.api.http.reply import Reply, with_messages
from odim_relay.api.http.resource import Resource
from odim_relay.api.reading.flaws import told_of
from odim_relay.api.reading.subscription_bodies import ChangedSubscription
from odim_relay.api.reading.subscription_wishes import changed, read_wished_change
from odim_relay.api.resources.event_destination_document import KIND, SCHEMA, event_destination
from odim_relay.api.uris import SUBSCRIPTIONS
from odim_relay.domain.account import Privilege
from odim_relay.domain.subscription import Subscription
from odim_relay.use_cases.status import read_subscriptions
from odim_relay.use_cases.subscribe import InvalidSubscriptionError, KeptElsewhereError, SubscriptionMissingError

T = TypeVar("T")

OWN_OR_ALL = frozenset({Privilege.CONFIGURE_MANAGER, Privilege.CONFIGURE_SELF})
"""
What changing a subscription needs: its owner may, and who manages the service.
"""


def get_subscription(call: Call) -> Reply:
    """
    What a subscription wants, and how its destination does.
    """
    return Reply(body=document_of(found(call)))


def patch_subscription(call: Call) -> Reply:
    """
    Change how a subscription is delivered; which events it wants stays as it was made.
    """
    own(call)
    wish = read_wished_change(call.document())

    def change(subscription: Subscription) -> Subscription:
        require_match(call, document_of(subscription)[ETAG])
        return changed(subscription, wish.values, now_s=time.time())

    try:
        subscription = _told(call, lambda id_: bootstrap.subscribe().update(id_, change))
    except KeptElsewhereError:
        raise refusal(403, "OperationNotAllowed") from None
    return Reply(body=with_messages(document_of(subscription), wish.problems))


def delete_subscription(call: Call) -> Reply:
    """
    Unsubscribe. What waits is dropped.
    """
    own(call)

    def check(subscription: Subscription) -> None:
        require_match(call, document_of(subscription)[ETAG])

    try:
        _told(call, lambda id_: bootstrap.subscribe().delete(id_, check))
    except KeptElsewhereError:
        raise refusal(403, "ResourceCannotBeDeleted") from None
    return Reply(status=204)


def document_of(subscription: Subscription) -> dict[str, Any]:
    """
    The subscription as a resource, as it stands now.
    """
    id_ = subscription.subscription_id
    (status,) = read_subscriptions(
        [subscription],
        bootstrap.delivery_listing().backlogs([id_]),
        bootstrap.flow_listing(),
        bootstrap.ledger_figures().now_ms(),
    )
    key = subscription.signing_key
    return event_destination(
        subscription,
        status,
        verifies_by_default=bootstrap.settings().delivery.verify,
        public_key=bootstrap.signer().public_key(key) if key else "",
    )


def found(call: Call) -> Subscription:
    """
    The subscription that the request's path names.

    Raises:
        RedfishError: 404.
    """
    return _told(call, bootstrap.subscribe().find)


def own(call: Call) -> Subscription:
    """
    The same, for who may change it.

    Raises:
        RedfishError: 404; 403 for others than its owner and who manages the service.
    """
    subscription = found(call)
    is_own = call.account is not None and call.account.user_name == subscription.owner
    if not is_own and not call.has(Privilege.CONFIGURE_MANAGER):
        raise refusal(403, "InsufficientPrivilege")
    return subscription


def _told(call: Call, act: Callable[[str], T]) -> T:
    subscription_id = call.params["subscription_id"]
    try:
        return act(subscription_id)
    except SubscriptionMissingError:
        raise refusal(404, "ResourceNotFound", KIND, subscription_id) from None
    except InvalidSubscriptionError as exc:
        raise RedfishError(400, *map(told_of, exc.flaws)) from None


RESOURCES = (
    Resource(
        path=f"{SUBSCRIPTIONS}/{{subscription_id}}",
        schema=SCHEMA,
        handlers={"GET": get_subscription, "PATCH": patch_subscription, "DELETE": delete_subscription},
        privileges={"PATCH": OWN_OR_ALL, "DELETE": OWN_OR_ALL},
        bodies={"PATCH": ChangedSubscription},
    ),
)
