"""
The stream of events: Server-sent events over the connection that the client opened. Source: DSP0266, Eventing.
"""

import re
from functools import cache
from threading import BoundedSemaphore

from odim_relay import bootstrap
from odim_relay.api.event_stream import EventStream
from odim_relay.api.http.call import Call
from odim_relay.api.http.errors import RedfishError, refusal
from odim_relay.api.http.reply import StreamReply
from odim_relay.api.http.resource import Resource
from odim_relay.api.resources.subscriptions import require_enabled
from odim_relay.api.uris import EVENT_STREAM
from odim_relay.domain.account import Privilege
from odim_relay.domain.stream_filter import EVERY_EVENT, StreamFilter
from odim_relay.domain.stream_filter_syntax import FilterError
from odim_relay.domain.subscription import Subscription, SubscriptionType
from odim_relay.formats.base_messages import message
from odim_relay.use_cases.follow import Follow

_ENTRY_ID = re.compile(r"\d{1,18}-\d{1,18}", re.ASCII)
_ACCEPTED = frozenset({"text/event-stream", "text/*", "*/*"})
_COMES_BACK_S = 30


def open_stream(call: Call) -> StreamReply:
    """
    Send events as they come, for as long as the client listens.
    """
    _check_accept(call.headers.get("accept", ""))
    wants = _filter(call)
    after = call.headers.get("last-event-id", "").strip()
    if after and not _ENTRY_ID.fullmatch(after):
        raise refusal(400, "HeaderInvalid", "Last-Event-ID")
    require_enabled()
    places = _places()
    if not places.acquire(blocking=False):
        raise refusal(503, "EventSubscriptionLimitExceeded", headers={"Retry-After": str(_COMES_BACK_S)})
    try:
        return StreamReply(chunks=_opened(call, wants, after))
    except BaseException:
        places.release()
        raise


def _opened(call: Call, wants: StreamFilter, after: str) -> EventStream:
    subscription = Subscription(
        subscription_id=bootstrap.new_id(),
        destination=f"redfish-sse://{_authority(call)}",
        name="Event stream",
        context=bootstrap.new_id(),
        kind=SubscriptionType.SSE,
        owner=call.account.user_name if call.account is not None else "",
    )
    start = bootstrap.streams().open(subscription)
    follow = Follow(
        journal=bootstrap.journal(),
        wants=wants,
        subscription_id=subscription.subscription_id,
        context=subscription.context or "",
        start=start,
        after=after,
    )
    return EventStream(
        follow,
        subscription.subscription_id,
        streams=bootstrap.streams(),
        service=bootstrap.event_service(),
        store=bootstrap.subscription_store(),
        when_closed=_places().release,
    )


@cache
def _places() -> BoundedSemaphore:
    return BoundedSemaphore(max(1, bootstrap.settings().api.max_streams))


def _check_accept(accept: str) -> None:
    ranges = {one.partition(";")[0].strip().lower() for one in accept.split(",")}
    if accept.strip() and not ranges & _ACCEPTED:
        raise refusal(406, "HeaderInvalid", "Accept")


def _filter(call: Call) -> StreamFilter:
    texts = [value for name, value in call.query if name == "$filter"]
    if not texts:
        return EVERY_EVENT
    if len(texts) > 1:
        raise refusal(400, "QueryCombinationInvalid")
    try:
        return StreamFilter.of(texts[0])
    except FilterError as exc:
        said = message("QueryParameterValueFormatError", texts[0][:200], "$filter")
        raise RedfishError(400, {**said, "Resolution": f"Correct the filter: {exc}."}) from None


def _authority(call: Call) -> str:
    host = f"[{call.client}]" if ":" in call.client else call.client or "unknown"
    return f"{host}:{call.client_port}"


RESOURCES = (
    Resource(
        path=EVENT_STREAM,
        handlers={},
        stream=open_stream,
        privileges={"GET": frozenset({Privilege.CONFIGURE_MANAGER, Privilege.CONFIGURE_COMPONENTS})},
        queries=frozenset({"$filter"}),
    ),
)
