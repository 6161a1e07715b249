"""
Our answers to the cases of ODIM's behaviour that need no service, each in the words of its kind.
"""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final, TypeAlias

from odim_relay.api.reading.subscription_wishes import read_wish
from odim_relay.domain.destination import check_destination
from odim_relay.domain.egress import EgressPolicy
from odim_relay.domain.event import Event, EventFormat, EventRecord
from odim_relay.domain.inventory import EMPTY, Inventory
from odim_relay.domain.matching import Matcher, wants, wants_reports
from odim_relay.domain.outcome import Failure, Outcome, Verdict, verdict_of
from odim_relay.domain.resource_type import type_at
from odim_relay.domain.subscription import Filters, Subscription
from odim_relay.formats import Decoded, Ignored, Undecodable, odim, redfish
from odim_relay.formats.placing import place
from odim_relay.formats.shaping import shape_body
from odim_relay.use_cases.directory import SubscriptionDirectory
from tests.conformance.odim_inventory_answers import INVENTORY_ANSWERS, inventory_of, their_inventory_answer
from tests.conformance.odim_store_answers import STORE_ANSWERS, their_store_answer
from tests.fakes.event_service_store import InMemoryEventServiceStore
from tests.fakes.ledger_state import LedgerState
from tests.fakes.subscription_store import InMemorySubscriptionStore

Case: TypeAlias = Mapping[str, Any]

REPORT: Final = {"@odata.type": "#MetricReport.v1_4_2.MetricReport", "MetricValues": []}
COLLECTIONS: Final = {
    "SystemsCollection": "/redfish/v1/Systems",
    "ChassisCollection": "/redfish/v1/Chassis",
    "ManagerCollection": "/redfish/v1/Managers",
    "FabricsCollection": "/redfish/v1/Fabrics",
    "TasksCollection": "/redfish/v1/TaskService/Tasks",
}


def our_answer(case: Case) -> Any:
    """
    What odim-relay does in the case. Raises KeyError for a kind that needs a service.
    """
    return (_ANSWERS | INVENTORY_ANSWERS | STORE_ANSWERS)[case["kind"]](case)


def their_answer(case: Case) -> Any:
    """
    What ODIM does, in the form of `our_answer`.
    """
    if case["kind"] in INVENTORY_ANSWERS:
        return their_inventory_answer(case)
    if case["kind"] in STORE_ANSWERS:
        return their_store_answer(case)
    expected = case["expected"]
    match case["kind"]:
        case "publish":
            return _what_they_posted(case, expected)
        case "EventSubscriber" | "wireDecode":
            return "queued" if expected["queued"] else "lost"
        case _:
            return expected


def subscription_of(members: Case, name: str = "s") -> Subscription:
    """
    A subscription from ODIM's row of one.
    """
    return Subscription(
        subscription_id=name,
        destination=members.get("Destination", "https://subscriber.example/"),
        filters=Filters(
            event_types=tuple(members.get("EventTypes", ())),
            message_ids=tuple(members.get("MessageIds", ())),
            resource_types=tuple(members.get("ResourceTypes", ())),
            origin_resources=tuple(link["@odata.id"] for link in members.get("OriginResources", ())),
            subordinate_resources=members.get("SubordinateResources", False),
        ),
        name=members.get("Name", ""),
        event_format=EventFormat(members.get("EventFormatType", "Event")),
        context=members.get("Context"),
    )


def posts_of(subscriptions: Mapping[str, Case], record: bytes, inventory: Inventory = EMPTY) -> dict[str, Any] | str:
    """
    The bodies that a Kafka record makes, by destination; or where else it went.
    """
    known = {name: subscription_of(members, name) for name, members in subscriptions.items()}
    decoded = odim.decode(record)
    if isinstance(decoded, tuple):
        (event,) = (place(one, inventory).event for one in decoded)
        return {
            # What Redfish requires and ODIM's sources leave out is added here, and not there.
            known[name].destination: json.loads(
                shape_body(event.payload, replace(shape, is_completed=False), event_id="an-id")
            )
            for name, shape in Matcher.of(known.values()).match(event, inventory)
        }
    return _aside(decoded)


def wrapped(body: bytes, ip: str = "10.0.0.1", event_type: str = "") -> bytes:
    """
    A payload as ODIM's plugins put it on Kafka.
    """
    return json.dumps({"ip": ip, "request": base64.b64encode(body).decode(), "eventType": event_type}).encode()


def ids_of(posts: Mapping[str, Any]) -> dict[str, list[str]]:
    """
    The EventIds of each destination's body, in their order.
    """
    return {destination: [one["EventId"] for one in body.get("Events", [])] for destination, body in posts.items()}


def _aside(decoded: Decoded) -> str:
    return f"quarantined: {decoded.reason}" if isinstance(decoded, Undecodable) else "ignored"


def _record(members: Case) -> EventRecord:
    decoded = redfish.decode(json.dumps({"Events": [members]}).encode())
    assert isinstance(decoded, tuple)
    return decoded[0].records[0]


def _is_wanted(case: Case) -> bool:
    subscription, record = subscription_of(case["subscription"]), _record(case["event"])
    event = Event(format=EventFormat.EVENT, payload=b"{}", records=(record,))
    is_matched = bool(Matcher.of([subscription]).match(event, inventory_of(case["context"])))
    assert is_matched or not wants(subscription, record)
    return is_matched


def _collection(case: Case) -> str:
    record = _record(case["event"])
    return "".join(
        name
        for name, uri in COLLECTIONS.items()
        if wants(subscription_of({"OriginResources": [{"@odata.id": uri}], "SubordinateResources": True}), record)
    )


def _queued(case: Case) -> str:
    value = case["event"]
    if isinstance(value, str):
        return _aside(odim.decode(value.encode()))
    if value["request"].startswith("<base64"):
        value = value | {"request": base64.b64encode(b'{"Events": [{}]}').decode()}
    decoded = odim.decode(json.dumps(value).encode())
    if isinstance(decoded, Undecodable | Ignored):
        return _aside(decoded)
    return "queued" if [type(one) for one in decoded] == [Event] else "lost"


def _wants_reports(case: Case) -> bool:
    return wants_reports(subscription_of(case["subscription"]))


def _is_delivered(case: Case) -> str:
    answer = case["context"]["destination_answers"]
    outcome = Outcome(status=answer) if isinstance(answer, int) else Outcome(failure=Failure.TLS)
    return "success" if verdict_of(outcome) is Verdict.DELIVERED else "failure"


def _is_accepted(case: Case) -> bool:
    return check_destination(case["subscription"]["Destination"]) is None


def _origins_kept(case: Case) -> list[str]:
    links = [{"@odata.id": f"/{name}"} for name in case["context"]["in"]]
    document = {"Destination": "https://subscriber.example/", "Protocol": "Redfish", "OriginResources": links}
    wish = read_wish(document, EgressPolicy(), owner="")
    return [uri.removeprefix("/") for uri in wish.filters.origin_resources]


def _is_collection(case: Case) -> bool:
    (link,) = case["subscription"]["OriginResources"]
    return type_at(link["@odata.id"]).endswith("Collection")


def _is_found(case: Case) -> bool:
    state = LedgerState(now_ms=lambda: 0)
    store = InMemorySubscriptionStore(state)
    for name in case["context"]["cache"]:
        store.save(subscription_of({}, name))
    directory = SubscriptionDirectory(store, InMemoryEventServiceStore(state))
    return directory.find(case["subscription"]["id"], store.generation()) is not None


def _what_we_post(case: Case) -> Any:
    context, event, subscriptions = case["context"], case["event"], case["subscription"] or {}
    if event is None:
        return posts_of(subscriptions, b"null")
    if "Events" in event:
        record = wrapped(json.dumps(event).encode(), context["ip"])
    elif event["eventType"] == "MetricReport":
        subscriptions = {"r": {"Destination": "https://reports/", "EventFormatType": "MetricReport"}}
        record = wrapped(json.dumps(json.dumps(REPORT)).encode(), event["ip"], event["eventType"])
    else:
        record = json.dumps(event).encode()
    posts = posts_of(subscriptions, record, inventory_of(context))
    return posts if isinstance(posts, str) or _is_shown_whole(case) else ids_of(posts)


def _is_shown_whole(case: Case) -> bool:
    # Of what ODIM loses, and of what it sends twice, the ids tell enough.
    return case["id"].startswith("mt-") and bool(case["expected"].get("posts"))


def _what_they_posted(case: Case, expected: Case) -> Any:
    if expected.get("return") is True and not expected["posts"]:
        return "ignored"
    if not expected.get("posts"):
        return "crashed" if "panic" in expected else "lost"
    return expected["posts"] if _is_shown_whole(case) else ids_of(expected["posts"])


_ANSWERS: Final[dict[str, Callable[[Case], Any]]] = {
    "isResourceTypeSubscribed": _is_wanted,
    "isStringPresentInSlice": _is_wanted,
    "filterEventsToBeForwarded": _is_wanted,
    "getCollectionKey": _collection,
    "EventSubscriber": _queued,
    "wireDecode": _queued,
    "metricReportSelected": _wants_reports,
    "publish": _what_we_post,
    "deliveryOutcome": _is_delivered,
    "URIValidator": _is_accepted,
    "removeDuplicatesFromSlice": _origins_kept,
    "isCollectionOriginResourceURI": _is_collection,
    "getSubscriptionDetails": _is_found,
}
