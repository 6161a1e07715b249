"""
Our answers to the cases of ODIM's API, by what a client can rely on: the status, the messages' keys, and those members
of a resource that the case tells.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from typing import Any, Final, TypeAlias

import httpx

from tests.conformance.odim_answers import COLLECTIONS, Case, subscription_of
from tests.conformance.odim_api import Service
from tests.support.redfish_client import EVENT_SERVICE, SUBMIT_TEST_EVENT, SUBSCRIPTIONS, keys_told, members

Said: TypeAlias = str | dict[str, Any]
"""
`400 PropertyUnknown`; an object with that as `answer` where the case tells members too.
"""

_TOKENS: Final = {
    "X-Auth-Token invalid": "invalid",
    "gateway: X-Auth-Token empty": "",
    "token 'invalidtoken'": "invalidtoken",
    "token 'InvalidToken'": "InvalidToken",
}
_ORPHANED: Final = "session user lookup fails"
_UNREACHABLE: Final = {"task service unreachable", "gateway: RPC error", "subscription lookup fails"}
_NO_JSON: Final = "gateway: no JSON body"
_CUT_OFF: Final = "JSON parse failure (mocked)"
_NOT_MEMBERS: Final = {"status", "messageId", "args", "stored", "payload", "subtask"}
_WHOLE_ID: Final = 36
_SYSTEM: Final = "/redfish/v1/Systems/6d4a0a66-7efa-578e-83cf-44dc68d2874e.1"
_OF_A_SYSTEM: Final = ("TestDeleteEventSubscriptionOnDeletedServer", "TestDeleteEventSubscriptionwithUUID")
_AT, _NOWHERE = "/inventory/sources/10.24.0.4", "/inventory/sources/10.24.0.99"
_AN_ID: Final = "81de0110-c35a-4859-984c-072d6c5a32d7"


def our_api_answer(service: Service, case: Case) -> Any:
    """
    What the service answers in the case. Raises KeyError for a kind that belongs elsewhere.
    """
    service.forget()
    answer = _ANSWERS[case["kind"]](service, case)
    expected = case["expected"]
    tells_status_alone = isinstance(expected, dict) and not expected.keys() - {"status"}
    return answer.partition(" ")[0] if isinstance(answer, str) and tells_status_alone else answer


def their_api_answer(case: Case) -> Any:
    """
    What ODIM answers, in the form of `our_api_answer`.
    """
    expected = case["expected"]
    if not isinstance(expected, dict):
        return expected
    key = expected.get("messageId", "").rpartition(".")[2]
    if key == "OK":  # of a subscription that passes the checks: its task ends with 201
        return _said("201", _kept(expected["stored"], expected["stored"]))
    return _said(f"{expected['status']} {key}".strip(), _members(expected))


def _said(answer: str, told: Mapping[str, Any]) -> Said:
    return {"answer": answer, **told} if told else answer


def _members(expected: Case) -> dict[str, Any]:
    return {name: value for name, value in expected.items() if name not in _NOT_MEMBERS}


def _kept(document: Case, stored: Iterable[str]) -> dict[str, Any]:
    """
    Those members of a subscription that ODIM stores; an empty one is none. Of the policy it stores what was asked for,
    which in these cases is nothing, and goes by its default.
    """
    return {name: document[name] for name in stored if name != "DeliveryRetryPolicy" and document.get(name)}


def _short(response: httpx.Response) -> str:
    if response.is_success:
        return str(response.status_code)
    return " ".join([str(response.status_code), *sorted(set(keys_told(response)))])


def _shown(response: httpx.Response, names: Iterable[str]) -> Said:
    """
    With these members of the resource, when there is one.
    """
    if not response.is_success or not response.content:
        return _short(response)
    document = response.json()
    odata = {"MembersCount": "Members@odata.count"}
    return _said(_short(response), {name: document.get(odata.get(name, name)) for name in names})


def _ask(service: Service, method: str, path: str, context: Any, body: bytes | None = None) -> httpx.Response:
    """
    Ask as the case's context says: with which token, and with what behind the API.
    """
    named = context if isinstance(context, str) else ""
    said = context if isinstance(context, dict) else {}
    token = _TOKENS.get(named, "invalid" if said.get("token") == "invalid" else None)
    if named == _ORPHANED:
        token = service.orphaned
    headers = {} if token is None else {"X-Auth-Token": token}
    if body is not None:
        headers["Content-Type"] = "application/json"
    is_down = named in _UNREACHABLE or "db" in said
    with service.without_store() if is_down else nullcontext():
        return service.client.request(method, path, content=body, headers=headers)


def _creation(service: Service, case: Case) -> Said:
    context, subscription = case["context"], case["subscription"]
    there = context.get("existing_destinations", ()) if isinstance(context, dict) else ()
    for number, destination in enumerate(there):
        service.store.save(subscription_of({"Destination": destination}, str(number)))
    if there:
        # Some of these cases tell the one member that matters.
        subscription = {"Protocol": "Redfish", "SubscriptionType": "RedfishEvent", **subscription}
    body = b"no JSON" if context == _NO_JSON else _body(subscription)
    response = _ask(service, "POST", SUBSCRIPTIONS, context, body)
    if not response.is_success:
        assert len(service.store.ids()) == len(there)
        return _short(response)
    made = service.client.get(response.headers["Location"]).json()
    assert made["Destination"] == subscription["Destination"]
    return _said(_short(response), _kept(made, case["expected"].get("stored", ())))


def _body(document: Any) -> bytes:
    return b"" if document == "" else json.dumps({} if document is None else document).encode()


def _list(service: Service, case: Case) -> Said:
    if case["expected"] == "omitted":
        made = service.client.post(SUBSCRIPTIONS, json={"Protocol": "Redfish", **case["subscription"]})
        assert not made.is_success
        return "listed" if members(service.client) else "omitted"
    service.store.save(subscription_of({}, _AN_ID))
    return _shown(_ask(service, "GET", SUBSCRIPTIONS, case["context"]), _members(case["expected"]))


def _get(service: Service, case: Case) -> Said:
    context, subscription = case["context"], case["subscription"] or {}
    service.store.save(subscription_of(subscription, subscription.get("SubscriptionID", _AN_ID)))
    asked = context.get("id", _AN_ID)
    return _shown(_ask(service, "GET", f"{SUBSCRIPTIONS}/{asked}", context), _members(case["expected"]))


def _delete(service: Service, case: Case) -> Said:
    if case["source_test"].endswith(_OF_A_SYSTEM):
        return _removal(service, case)
    context = case["context"]
    asked = context.get("id", _AN_ID)
    origins = context.get("origins", ())
    if isinstance(origins, str):
        origins = COLLECTIONS.values() if origins == "all five collections" else [origins]
    # A part of an id is none.
    is_there = len(asked) == _WHOLE_ID and context.get("found") != 0
    links = {"OriginResources": [{"@odata.id": origin} for origin in origins]}
    service.store.save(subscription_of(links, asked if is_there else _AN_ID))
    response = _ask(service, "DELETE", f"{SUBSCRIPTIONS}/{asked}", context)
    assert len(service.store.ids()) == (0 if response.is_success else 1)
    return _short(response)


def _removal(service: Service, case: Case) -> Said:
    """
    A system is removed: its address is forgotten. Who subscribed to it stays subscribed.
    """
    context = case["context"]
    there = subscription_of({"OriginResources": [{"@odata.id": _SYSTEM}]}, _AN_ID)
    service.store.save(there)
    assert service.client.put(_AT, json={"system": _SYSTEM}).is_success
    asked = _AT if context.get("systemUUID", _SYSTEM) == _SYSTEM else _NOWHERE
    response = _ask(service, "DELETE", asked, context)
    assert service.store.get(_AN_ID) == there
    is_known = service.client.get(_AT).is_success
    assert is_known is not response.is_success
    if is_known:
        assert service.client.delete(_AT).is_success
    return _said(_short(response), {"subscriptions": len(service.store.ids())} if response.is_success else {})


def _event_service(service: Service, case: Case) -> Said:
    return _shown(_ask(service, "GET", EVENT_SERVICE, case["context"]), _members(case["expected"]))


def _test_event(service: Service, case: Case) -> Said:
    context, event = case["context"], case["event"]
    if case["id"] == "te-d12":
        # What is asked here is who gets it, and not whether a parameter is known.
        event = {"MessageId": "Base.1.0.Success", "OriginOfCondition": event["OriginOfCondition"]}
        (row,) = case["subscription"]["stored"]
        service.store.save(subscription_of(row, _AN_ID))
        response = _ask(service, "POST", SUBMIT_TEST_EVENT, context, _body(event))
        return _said(_short(response), {"posts": service.ledger.open_count()})
    body = _body(event)
    return _short(_ask(service, "POST", SUBMIT_TEST_EVENT, context, body[:-1] if context == _CUT_OFF else body))


_ANSWERS: Final[dict[str, Callable[[Service, Case], Said]]] = {
    "createSubscription": _creation,
    "listSubscriptions": _list,
    "getSubscription": _get,
    "deleteSubscription": _delete,
    "getEventService": _event_service,
    "submitTestEvent": _test_event,
}
API_KINDS: Final = frozenset(_ANSWERS)
