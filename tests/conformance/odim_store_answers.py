"""
Our answers to the cases of ODIM's behaviour that are about what stands in its Redis: its rows, and what it could not
deliver.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final, TypeAlias
from uuid import UUID

from odim_relay.domain.event import EventRecord
from odim_relay.domain.inventory import Inventory, Source
from odim_relay.domain.matching import wants
from odim_relay.domain.subscription import Filters, Subscription
from odim_relay.formats.odim_rows import (
    RowFlaw,
    read_device,
    read_undelivered_key,
    read_undelivered_value,
)
from odim_relay.formats.odim_subscriptions import SubscriptionRow, read_subscription
from odim_relay.use_cases.odim_undelivered import ImportUndelivered
from tests.fakes.announcing_ledger import InMemoryAnnouncingLedger
from tests.fakes.imported_events import InMemoryImportedEvents
from tests.fakes.ingest_ledger import InMemoryIngestLedger
from tests.fakes.ledger_state import LedgerState
from tests.fakes.odim_store import InMemoryOdimStore
from tests.fakes.publisher import InMemoryPublisher
from tests.fakes.subscription_store import InMemorySubscriptionStore

Case: TypeAlias = Mapping[str, Any]

SYSTEM: Final = "/redfish/v1/Systems/uuid.1"
_FLAG: Final = "ReadInProgress:"
_EVENT: Final = b'{"Events":[{}]}'


def their_store_answer(case: Case) -> Any:
    """
    What ODIM does, in the form of our answer. Raises KeyError for a kind that belongs elsewhere.
    """
    expected = case["expected"]
    match case["kind"]:
        case "store" if "EventHostIP" in expected:
            # Where a device keeps the subscription of ODIM's is nothing that we ask.
            return {name: value for name, value in expected.items() if name != "Location"}
        case "undelivered" if "redis_value" in expected:
            return case["event"]
        case "undeliveredFlag":
            return "waits until somebody deletes the flag" if expected["ttl"] is None else "goes on by itself"
        case _:
            return expected


def _stored(case: Case) -> Any:
    context, subscription = case["context"], case["subscription"]
    match context:
        case {"member": str(member)}:
            return _of_device(member, context)
        case {"search": str(text)} if isinstance(subscription, str):
            return {"found": int(text.strip("*") in _text_of(read_subscription(subscription)))}
        case {"update": str()}:
            return _updated(json.loads(subscription)["SubscriptionID"])
        case {"search": str(origin)} | {"then search": str(origin)}:
            kept = _saved(subscription, times=1)
            if "delete" in context:
                assert kept.delete(context["delete"])
            return {"found": sum(wants(one, EventRecord(origin=origin)) for one in kept.state.subscriptions.values())}
        case _:
            kept = _saved(subscription, times=2 if "save" in context else 1)
            return "ok" if kept.count() == 1 else "two of them"


def _saved(members: Case, *, times: int) -> InMemorySubscriptionStore:
    store = InMemorySubscriptionStore(LedgerState(now_ms=lambda: 0))
    origins = tuple(link["@odata.id"] for link in members.get("OriginResources", ()))
    for _ in range(times):
        store.save(
            Subscription(
                subscription_id=members["SubscriptionID"],
                destination="https://subscriber.example/",
                filters=Filters(origin_resources=origins),
            )
        )
    return store


def _updated(id_: str) -> str:
    store = _saved({"SubscriptionID": id_}, times=1)
    changed = store.update(id_, lambda stands: replace(stands, name="changed"))
    return "replaced" if changed is not None and [changed] == list(store.state.subscriptions.values()) else "lost"


def _text_of(row: SubscriptionRow | RowFlaw) -> str:
    """
    What is known of a row: of one that is no subscription, nothing.
    """
    return "" if isinstance(row, RowFlaw) else str(row)


def _of_device(member: str, context: Case) -> Any:
    source = read_device(member.replace("[...]", f"[{SYSTEM}]"))
    assert isinstance(source, Source)
    if "search" in context:
        return {"found": int(Inventory.of([source], []).origin_of(context["search"].removesuffix("*")) == SYSTEM)}
    return {"EventHostIP": source.address, "OriginResources": [source.origin]}


def _undelivered(case: Case) -> Any:
    expected, context = case["expected"], case["context"]
    if "redis_value" in expected:
        return read_undelivered_value(expected["redis_value"].encode()).decode()
    return {"found": not isinstance(read_undelivered_key(context["lookup"]), RowFlaw)}


def _waiting(keys: Mapping[str, str], destination: str) -> list[str]:
    """
    Which of these keys are imported for a subscription with that destination.
    """
    state = LedgerState(now_ms=lambda: 0)
    store = InMemorySubscriptionStore(state)
    store.save(Subscription(subscription_id="s", destination=destination))
    odim = InMemoryOdimStore()
    odim.events = dict.fromkeys(keys, _EVENT)
    importing = ImportUndelivered(
        odim=odim,
        ledger=InMemoryAnnouncingLedger(InMemoryIngestLedger(state)),
        store=store,
        imported=InMemoryImportedEvents(),
        publisher=InMemoryPublisher(),
        now_s=lambda: 0.0,
    )
    return [keys[one.key] for one in importing.survey(read=lambda _: None).waiting]


def _with_id(key: str) -> str:
    """
    A key as ODIM's service writes it: with a UUID, where the case has a letter.
    """
    return f"{key.rpartition(':')[0]}:{UUID(int=1)}"


def _flag(case: Case) -> str:
    destination = case["context"]["set"]
    event = _with_id(f"UndeliveredEvents:{destination}:1")
    keys = {event: event, f"{_FLAG}{destination}": ""}
    return "goes on by itself" if _waiting(keys, destination) == [event] else "waits until somebody deletes the flag"


def _scan(case: Case) -> list[str]:
    page = case["context"]["scan_page"]
    destinations = {key.removeprefix("UndeliveredEvents:").rpartition(":")[0] for key in page} or {"https://a/1"}
    (destination,) = destinations
    return _waiting({_with_id(key): key for key in page}, destination)


def _is_matched(case: Case) -> bool:
    context = case["context"]
    return bool(_waiting({_with_id(context["key"]): context["key"]}, context["destination"]))


def _body(case: Case) -> dict[str, object]:
    body = read_undelivered_value(case["event"].encode()).decode()
    json.loads(body)
    return {"body": body, "valid_json": True}


STORE_ANSWERS: Final[dict[str, Callable[[Case], Any]]] = {
    "store": _stored,
    "undelivered": _undelivered,
    "undeliveredFlag": _flag,
    "undeliveredScan": _scan,
    "undeliveredScanMatch": _is_matched,
    "undeliveredReplayBody": _body,
}
