"""
From the body of a request to the subscription that is wished for.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from odim_relay.api.http.bodies import Change, read, read_change
from odim_relay.api.http.errors import RedfishError
from odim_relay.api.reading.flaws import told_of
from odim_relay.api.reading.subscription_bodies import (
    NEVER_WRITTEN,
    READ_ONLY,
    UNCHANGED,
    ChangedSubscription,
    LinkBody,
    NewSubscription,
    OdimRelayBody,
)
from odim_relay.domain.egress import EgressPolicy
from odim_relay.domain.event import EventFormat
from odim_relay.domain.subscription import Filters, Mode, RetryPolicy, Subscription
from odim_relay.domain.subscription_flaws import Flaw, FlawKind, flaws_of
from odim_relay.formats.base_messages import message

USUAL_HEARTBEAT_MINUTES = 60
"""
Of who asks for heartbeats and not how often.
"""
_OWN = ("Oem", "OdimRelay")
_UNREADABLE = {"Destination": "", "Protocol": "Redfish"}
"""
Stand for what is required and cannot be read.
"""

T = TypeVar("T")


def read_wish(document: dict[str, Any], egress: EgressPolicy, *, owner: str) -> Subscription:
    """
    Read the body that is to make a subscription.

    Args:
        owner: user name of who makes it.

    Raises:
        RedfishError: 400, with a message for each fault.
    """
    problems = [_not_writable((name,)) for name in document if name in NEVER_WRITTEN]
    problems += _own_not_writable(document)
    rest = {name: value for name, value in _without_delivery(document).items() if name not in NEVER_WRITTEN}
    rest = {name: value for name, value in rest.items() if value is not None or _is_odd(name)}
    try:
        body = read(NewSubscription, rest)
    except RedfishError as exc:
        problems += exc.messages
        # What can be read has its flaws told too.
        rest = _readable(rest, exc.messages)
        body = read(NewSubscription, {**_UNREADABLE, **rest})
    wish = _wish(body, owner)
    flaws = (*flaws_of(wish, egress), *_flaws_of_body(body))
    problems += [told_of(flaw) for flaw in flaws if flaw.member != "Destination" or flaw.member in rest]
    if problems:
        raise RedfishError(400, *problems)
    return wish


def read_wished_change(document: dict[str, Any]) -> Change[ChangedSubscription]:
    """
    Read the body that is to change a subscription.

    Raises:
        RedfishError: 400, with a message for each fault.
    """
    problems = _own_not_writable(document)
    try:
        change = read_change(ChangedSubscription, _without_delivery(document), read_only=READ_ONLY)
    except RedfishError as exc:
        messages = [one for one in exc.messages if not (problems and one["MessageId"].endswith(".NoOperation"))]
        raise RedfishError(400, *problems, *messages) from None
    return Change(values=change.values, problems=problems + change.problems)


def changed(subscription: Subscription, body: ChangedSubscription) -> Subscription:
    """
    The subscription as the body wants it. What is not in it stays as it is.
    """
    given = body.model_fields_set
    members: dict[str, Any] = {}
    if "context" in given:
        members["context"] = body.context
    if "verify_certificate" in given:
        members["verify_certificate"] = body.verify_certificate
    if "delivery_retry_policy" in given:
        members["retry_policy"] = body.delivery_retry_policy or RetryPolicy.FOREVER_WITH_BACKOFF
    if "backup_destinations" in given:
        members["backup_destinations"] = _patched(
            subscription.backup_destinations, body.backup_destinations or (), is_kept=lambda wish: wish is UNCHANGED
        )
    if "http_headers" in given:
        members["headers"] = _headers_changed(subscription.headers, body.http_headers or ())
    own = body.oem.odim_relay if body.oem is not None else None
    return replace(subscription, **members, **_own_members(own))


def _wish(body: NewSubscription, owner: str) -> Subscription:
    heartbeat = (body.heartbeat_interval_minutes or USUAL_HEARTBEAT_MINUTES) if body.send_heartbeat else None
    own = body.oem.odim_relay if body.oem is not None else None
    return Subscription(
        subscription_id="",
        destination=body.destination,
        name=body.name or "",
        filters=Filters(
            event_types=_some(body.event_types),
            registry_prefixes=_some(body.registry_prefixes),
            message_ids=_some(body.message_ids),
            exclude_registry_prefixes=_some(body.exclude_registry_prefixes),
            exclude_message_ids=_some(body.exclude_message_ids),
            resource_types=_some(body.resource_types),
            origin_resources=_uris(body.origin_resources),
            subordinate_resources=bool(body.subordinate_resources),
            severities=_some(body.severities),
            metric_report_definitions=_uris(body.metric_report_definitions),
        ),
        event_format=body.event_format_type or EventFormat.EVENT,
        context=body.context,
        headers=_pairs(body.http_headers or ()),
        retry_policy=body.delivery_retry_policy or RetryPolicy.FOREVER_WITH_BACKOFF,
        owner=owner,
        backup_destinations=_some(body.backup_destinations),
        verify_certificate=body.verify_certificate,
        heartbeat_minutes=heartbeat,
        **_own_members(own),
    )


def _own_members(own: OdimRelayBody | None) -> dict[str, Any]:
    if own is None:
        return {}
    members = {
        "mode": own.mode or Mode.AT_LEAST_ONCE,
        "signing_secret": own.signing_secret or "",
        "max_in_flight": own.max_in_flight,
        "rate_per_second": own.rate_per_second,
        "retention_seconds": own.retention_seconds,
        "batch_size": own.batch_size,
    }
    names = {"rate_per_second": "rate_per_s", "retention_seconds": "retention_s"}
    return {names.get(name, name): value for name, value in members.items() if name in own.model_fields_set}


def _flaws_of_body(body: NewSubscription) -> Iterable[Flaw]:
    """
    What the subscription does not show any more.
    """
    if body.heartbeat_interval_minutes is not None and not body.send_heartbeat:
        yield Flaw(
            member="HeartbeatIntervalMinutes",
            kind=FlawKind.CONFLICT,
            problem="is how often heartbeats are sent, and SendHeartbeat is not true",
            other="SendHeartbeat",
        )
    if body.include_origin_of_condition:
        yield Flaw(
            member="IncludeOriginOfCondition",
            kind=FlawKind.NOT_IN_LIST,
            problem="can be false alone: the resources that events are about are not here to be included",
            value="true",
        )


def _readable(document: dict[str, Any], messages: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """
    The members that no message is about.
    """
    pointers = [pointer for one in messages for pointer in one.get("RelatedProperties", ())]
    unreadable = {pointer.split("/")[1].replace("~1", "/").replace("~0", "~") for pointer in pointers}
    return {name: value for name, value in document.items() if name not in unreadable}


def _is_odd(name: str) -> bool:
    """
    Whether there is no such property: it is told so, also when it is null.
    """
    return name not in {field.alias for field in NewSubscription.model_fields.values()}


def _not_writable(path: Sequence[str]) -> dict[str, Any]:
    name = "/".join(path)
    return message("PropertyNotWritable", name, related=(f"#/{name}",))


def _own_not_writable(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [_not_writable((*_OWN, "Delivery"))] if "Delivery" in _own_of(document) else []


def _own_of(document: dict[str, Any]) -> dict[str, Any]:
    oem = document.get(_OWN[0])
    own = oem.get(_OWN[1]) if isinstance(oem, dict) else None
    return own if isinstance(own, dict) else {}


def _without_delivery(document: dict[str, Any]) -> dict[str, Any]:
    own = _own_of(document)
    if "Delivery" not in own:
        return document
    rest = {name: value for name, value in own.items() if name != "Delivery" and not name.startswith("@")}
    oem = {name: value for name, value in document["Oem"].items() if name != _OWN[1] or rest}
    others = {name: value for name, value in document.items() if name != "Oem"}
    if rest:
        oem[_OWN[1]] = rest
    return {**others, "Oem": oem} if oem else others


def _some(values: Iterable[T | None] | None) -> tuple[T, ...]:
    return tuple(value for value in values or () if value is not None)


def _uris(links: Iterable[LinkBody | None] | None) -> tuple[str, ...]:
    return tuple(link.uri for link in _some(links))


def _pairs(objects: Iterable[dict[str, str] | None]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for one in objects if one is not None for name, value in one.items())


def _headers_changed(
    headers: tuple[tuple[str, str], ...], wishes: Sequence[dict[str, str] | None]
) -> tuple[tuple[str, str], ...]:
    objects = _patched([dict([pair]) for pair in headers], wishes, is_kept=lambda wish: wish == {})
    return _pairs(objects)


def _patched(known: Sequence[T], wishes: Sequence[T | None], *, is_kept: Callable[[Any], bool]) -> tuple[T, ...]:
    """
    An array after a PATCH: null removes an element, one that is kept stays, and what is beyond the wishes goes.
    """
    kept: list[T] = []
    for index, wish in enumerate(wishes):
        if wish is None:
            continue
        if not is_kept(wish):
            kept.append(wish)
        elif index < len(known):
            kept.append(known[index])
    return tuple(kept)
