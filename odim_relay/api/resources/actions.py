"""
What the EventService and its subscriptions can be asked to do. Source: EventService v1_12_0, EventDestination v1_16_0.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

from odim_relay import bootstrap
from odim_relay.api.http.bodies import read
from odim_relay.api.http.call import Call
from odim_relay.api.http.errors import refusal
from odim_relay.api.http.reply import Reply
from odim_relay.api.http.resource import Resource
from odim_relay.api.reading.action_bodies import NoParameters, Resumption, TestEvent
from odim_relay.api.resources.event_destination import OWN_OR_ALL, own
from odim_relay.api.resources.event_destination_document import KIND
from odim_relay.api.resources.subscriptions import require_enabled
from odim_relay.api.uris import EVENT_SERVICE, SUBSCRIPTIONS
from odim_relay.domain.account import Privilege
from odim_relay.domain.duration import duration_s
from odim_relay.domain.subscription import SubscriptionType
from odim_relay.formats.announcements import submitted_event
from odim_relay.formats.notices import delivery_test
from odim_relay.use_cases.subscribe import SubscriptionMissingError

SUBMIT = "EventService.SubmitTestEvent"
TEST = "EventService.TestEventSubscription"
SUSPEND = "EventDestination.SuspendSubscription"
RESUME = "EventDestination.ResumeSubscription"

_OF_THE_SERVICE = f"{EVENT_SERVICE}/Actions"
_OF_A_SUBSCRIPTION = f"{SUBSCRIPTIONS}/{{subscription_id}}/Actions"
_DONE = Reply(status=204)

T = TypeVar("T")


def submit_test_event(call: Call) -> Reply:
    """
    Send an event of the client's to whoever wants such.
    """
    event = read(TestEvent, call.document(), action=SUBMIT)
    require_enabled()
    bootstrap.announce().by_hand(submitted_event(bootstrap.new_id(), event.record()))
    return _DONE


def check_subscriptions(call: Call) -> Reply:
    """
    Send the test message to every subscription, whatever it wants.
    """
    read(NoParameters, call.document(may_be_absent=True), action=TEST)
    require_enabled()
    notice = delivery_test(event_id=bootstrap.new_id(), at=datetime.now(UTC))
    bootstrap.announce().by_hand(notice.body, to_all=True)
    return _DONE


def suspend_subscription(call: Call) -> Reply:
    """
    Send nothing to a subscription until it is resumed; it goes on collecting.
    """
    read(NoParameters, call.document(may_be_absent=True), action=SUSPEND)
    return _on_own(call, SUSPEND, bootstrap.suspend().suspend)


def resume_subscription(call: Call) -> Reply:
    """
    Send to a subscription again, also what waited no longer than the client says; by default all.
    """
    body = read(Resumption, call.document(may_be_absent=True), action=RESUME)
    within = body.deliver_buffered_event_duration
    within_s = None if within is None else duration_s(within)
    return _on_own(call, RESUME, lambda id_: bootstrap.suspend().resume(id_, within_s))


def refuse_action(call: Call) -> Reply:
    """
    There is no such action.
    """
    raise refusal(404, "ActionNotSupported", call.params["action"])


def _on_own(call: Call, action: str, act: Callable[[str], T]) -> Reply:
    subscription = own(call)
    if subscription.kind is SubscriptionType.SSE:
        raise refusal(400, "ActionNotSupported", action)
    try:
        act(subscription.subscription_id)
    except SubscriptionMissingError:
        raise refusal(404, "ResourceNotFound", KIND, subscription.subscription_id) from None
    return _DONE


_MANAGE = frozenset({Privilege.CONFIGURE_MANAGER})

RESOURCES = (
    Resource(
        path=f"{_OF_THE_SERVICE}/{SUBMIT}",
        handlers={"POST": submit_test_event},
        privileges={"POST": _MANAGE},
        bodies={"POST": TestEvent},
        statuses={"POST": 204},
    ),
    Resource(
        path=f"{_OF_THE_SERVICE}/{TEST}",
        handlers={"POST": check_subscriptions},
        privileges={"POST": _MANAGE},
        bodies={"POST": NoParameters},
        statuses={"POST": 204},
    ),
    Resource(
        path=f"{_OF_A_SUBSCRIPTION}/{SUSPEND}",
        handlers={"POST": suspend_subscription},
        privileges={"POST": OWN_OR_ALL},
        bodies={"POST": NoParameters},
        statuses={"POST": 204},
    ),
    Resource(
        path=f"{_OF_A_SUBSCRIPTION}/{RESUME}",
        handlers={"POST": resume_subscription},
        privileges={"POST": OWN_OR_ALL},
        bodies={"POST": Resumption},
        statuses={"POST": 204},
    ),
)

UNKNOWN = (
    Resource(path=f"{_OF_THE_SERVICE}/{{action}}", handlers={"POST": refuse_action}, privileges={"POST": _MANAGE}),
    Resource(
        path=f"{_OF_A_SUBSCRIPTION}/{{action}}", handlers={"POST": refuse_action}, privileges={"POST": OWN_OR_ALL}
    ),
)
"""
What is no action; nothing to be described.
"""
