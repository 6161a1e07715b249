"""
Our answers to the cases of ODIM's behaviour that are about which machine an event is of, and who hears of it.
"""

import base64
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeAlias
from uuid import UUID

from odim_relay.api.reading.subscription_wishes import read_wish
from odim_relay.domain.egress import EgressPolicy
from odim_relay.domain.event import Event
from odim_relay.domain.inventory import Aggregate, Inventory, Source, device_of, is_pseudo_host
from odim_relay.domain.keeper import Keeper
from odim_relay.domain.matching import Matcher
from odim_relay.domain.subscription import Filters, Subscription
from odim_relay.formats import Ignored, Undecodable, odim, redfish
from odim_relay.formats.odim_tables import read_tables
from odim_relay.formats.placing import place
from odim_relay.ports import InventoryChange
from tests.fakes.inventory_store import InMemoryInventoryStore
from tests.fakes.ledger_state import LedgerState

Case: TypeAlias = Mapping[str, Any]

SYSTEMS: Final = "/redfish/v1/Systems"
AGGREGATES: Final = "/redfish/v1/AggregationService/Aggregates"


def inventory_of(context: Case | None) -> Inventory:
    """
    What a case says of machines and aggregates, as ODIM's maps have it.
    """
    told = context or {}
    elements: dict[str, list[str]] = {}
    for system, names in told.get("systoagg", {}).items():
        for name in names:
            elements.setdefault(name, []).append(f"{SYSTEMS}/{system}")
    # A candidate by an aggregate, as ODIM has it: the aggregate, and behind it the system that the event is of.
    match [link["@odata.id"].removeprefix(f"{AGGREGATES}/") for link in told.get("originResources_argument", ())]:
        case [name, *uris]:
            elements[name] = uris
    return Inventory.of(
        [Source(address=address, origin=f"{SYSTEMS}/{system}") for address, system in told.get("device", {}).items()],
        [Aggregate(uri=f"{AGGREGATES}/{name}", elements=tuple(uris)) for name, uris in elements.items()],
    )


def their_inventory_answer(case: Case) -> Any:
    """
    What ODIM does, in the form of our answer. Raises KeyError for a kind that belongs elsewhere.
    """
    expected = case["expected"]
    match case["kind"]:
        case "getSubscriptions":
            return expected["actual_ids"]
        case "consumeCtrlMsg":
            return "queued" if expected["queued_events"] else "lost"
        case "subscribeEMB":
            return "read from now on" if expected["Status"] else "refused"
        case _:
            return expected


def event_of(source: str, *origins: str) -> Event:
    """
    What a machine sends: records with these origins, or one without any.
    """
    records = [{"OriginOfCondition": {"@odata.id": origin}} for origin in origins] or [{}]
    decoded = redfish.decode(json.dumps({"Events": records}).encode(), source=source)
    assert isinstance(decoded, tuple)
    return decoded[0]


def who_gets(event: Event, subscriptions: Iterable[Subscription], inventory: Inventory) -> list[str]:
    """
    The ids of the subscriptions that an event goes to, as it is placed.
    """
    return [id_ for id_, _ in Matcher.of(subscriptions).match(place(event, inventory).event, inventory)]


def subscription_to(*uris: str, below: bool = False) -> Subscription:
    """
    One that asks for these origins.
    """
    return Subscription(
        subscription_id="s",
        destination="https://subscriber.example/",
        filters=Filters(origin_resources=uris, subordinate_resources=below),
    )


def _source(case: Case) -> dict[str, Any]:
    context = case["context"]
    view = read_tables(subscriptions=(), devices=context["DeviceSubscription"], aggregate_hosts=(), aggregates={})
    inventory = Inventory.of([Source(address=key, origin=uri) for key, uri in view.sources.items()], [])
    event = event_of(context["host"])
    # Whose an event without an origin is, it tells once it is placed.
    (record,) = place(event, inventory).event.records
    return {
        "systemID": context["host"] if is_pseudo_host(context["host"]) else record.origin.rpartition("/")[2],
        "error": not who_gets(event, [subscription_to()], inventory),
    }


def _class_of_host(case: Case) -> str:
    (host,) = case["subscription"]["Hosts"]
    if is_pseudo_host(host):
        return "collection"
    try:
        UUID(host)
    except ValueError:
        return "system"
    return "aggregate"


def _subscriptions(case: Case) -> list[str]:
    context = case["context"]
    rows = [
        {
            "SubscriptionID": id_,
            "Hosts": row["Hosts"],
            "EventDestination": {"Destination": row["Destination"], "OriginResources": row["OriginResources"]},
        }
        for id_, row in case["subscription"]["stored"].items()
    ]
    view = read_tables(
        subscriptions=map(json.dumps, rows),
        devices=[f"{context['hostIP']}||loc||[{SYSTEMS}/{context['systemID']}]"],
        aggregate_hosts=(),
        aggregates={
            f"{AGGREGATES}/{name}": json.dumps({"Elements": [{"@odata.id": uri} for uri in uris]})
            for name, uris in context["aggregates"].items()
        },
    )
    inventory = Inventory.of(
        [Source(address=key, origin=uri) for key, uri in view.sources.items()],
        [Aggregate(uri=uri, elements=elements) for uri, elements in view.aggregates.items()],
    )
    event = event_of(context["hostIP"], case["event"]["OriginOfCondition"]["@odata.id"])
    return who_gets(event, (row.subscription for row in view.subscriptions.values()), inventory)


def _of_system(case: Case) -> list[dict[str, str]]:
    host = case["context"]["hostIP"]
    inventory = Inventory.of([Source(address=host, origin=f"{SYSTEMS}/u.1")], [])
    found = who_gets(event_of(host, f"{SYSTEMS}/1"), [subscription_to(f"{SYSTEMS}/u.1")], inventory)
    return [case["subscription"] for _ in found]


def _aggregates_of(case: Case) -> dict[str, dict[str, bool]]:
    context = case["context"]
    told = [*context["before"].items(), (context["key"], {context["value"]: True})]
    aggregates = [Aggregate(uri=uri, elements=(element,)) for element, uris in told for uri in uris]
    found = Inventory.of([], aggregates).aggregates
    return {element: dict.fromkeys(uris, True) for element, uris in found.items()}


def _placed(case: Case) -> dict[str, str]:
    context = case["context"]
    origin = f"{SYSTEMS}/{context['systemID']}"
    inventory = Inventory.of([Source(address=context["host"], origin=origin)], [])
    decoded = redfish.decode(json.dumps(case["event"]).encode(), source=context["host"])
    assert isinstance(decoded, tuple)
    (record,) = json.loads(place(decoded[0], inventory).event.payload)["Events"]
    return {"origin": record["OriginOfCondition"]["@odata.id"], "deviceUUID": device_of(origin)}


def _sources_heard(case: Case) -> list[str]:
    origins: Mapping[str, str] = case["context"]["hosts_to_origin"]
    machines = {host: uri for host, uri in origins.items() if not is_pseudo_host(host)}
    inventory = Inventory.of([Source(address=host, origin=uri) for host, uri in machines.items()], [])
    asking = [subscription_to(*origins.values(), below=True)]
    events = {host: event_of(host, uri if host in machines else f"{uri}/u.1") for host, uri in origins.items()}
    return sorted(host for host, event in events.items() for _ in who_gets(event, asking, inventory))


def _origins_asked_for(case: Case) -> dict[str, int]:
    links = [{"@odata.id": f"{SYSTEMS}/{name}"} for name, _, _ in case["context"]["responses"]]
    document = {"Destination": "https://subscriber.example/", "Protocol": "Redfish", "OriginResources": links}
    return {"count": len(read_wish(document, EgressPolicy(), owner="").filters.origin_resources)}


def _without(case: Case) -> list[str]:
    context = case["context"]
    store = InMemoryInventoryStore(LedgerState(now_ms=lambda: 0))
    store.change(Keeper.ODIM, InventoryChange(sources=dict.fromkeys(context["in"], f"{SYSTEMS}/u.1")))
    store.change(Keeper.ODIM, InventoryChange(sources={context["remove"]: None}))
    return list(store.content(Keeper.ODIM).sources)


def _of_control_topic(case: Case) -> str:
    value = case["event"]
    decoded = odim.decode((value if isinstance(value, str) else json.dumps(value)).encode())
    return f"quarantined: {decoded.reason}" if isinstance(decoded, Undecodable) else str(decoded)


def _is_control_message(case: Case) -> bool:
    return odim.decode(json.dumps(case["event"]).encode()) == Ignored(kind="control_message")


def _topic_by_message(case: Case) -> str:
    told = {"PluginID": case["context"]["PluginID"], "EMBQueues": case["context"]["EMBQueueName"]}
    data = base64.b64encode(json.dumps(told).encode()).decode()
    return "ignored" if _is_control_message({"event": {"MessageType": 0, "Data": data}}) else "quarantined"


INVENTORY_ANSWERS: Final[dict[str, Callable[[Case], Any]]] = {
    "getSourceID": _source,
    "classifyHostKey": _class_of_host,
    "getSubscriptions": _subscriptions,
    "getSystemSubscriptionList": _of_system,
    "updateCacheMaps": _aggregates_of,
    "formatEvent": _placed,
    "getHostsData": _sources_heard,
    "ReadResponse.hosts": _origins_asked_for,
    "removeElement": _without,
    "consumeCtrlMsg": _of_control_topic,
    "ProcessCtrlMsg": _is_control_message,
    "subscribeEMB": _topic_by_message,
}
