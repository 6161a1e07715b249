"""
OpenStack's library for Redfish, as it comes from PyPI: Ironic and metal3 subscribe by it.
"""

from collections.abc import Iterator
from typing import Any

import pytest
import sushy
from sushy import auth

from tests.e2e.clients.conftest import Served

pytestmark = pytest.mark.server

AS_METAL3 = {
    "Protocol": "Redfish",
    "EventTypes": ["Alert"],
    "HttpHeaders": [{"Content-Type": "Application/JSON"}, {"OData-Version": "4.0"}],
}
PLAIN = {"Protocol": "Redfish"}


@pytest.fixture(params=[auth.BasicAuth, auth.SessionAuth], ids=["basic", "session"])
def service(request: pytest.FixtureRequest, served: Served) -> Iterator[Any]:
    api = served.api
    how = request.param(api.user, api.password)
    root = sushy.Sushy(api.url, auth=how, verify=str(api.ca_file))
    yield root.get_event_service()
    how.close()
    root._conn.close()


@pytest.mark.parametrize("members", [AS_METAL3, PLAIN], ids=["as metal3", "plain"])
def test_it_subscribes_lists_gets_a_test_event_and_unsubscribes(
    served: Served, service: Any, members: dict[str, Any], request: pytest.FixtureRequest
) -> None:
    path = f"/sushy/{request.node.callspec.id.replace(' ', '-')}"
    wish = {**members, "Destination": served.receiver.url(path), "Context": "of sushy"}

    made = service.subscriptions.create(wish)
    listed = service.subscriptions.get_members()
    service.submit_test_event(
        event_id="1",
        event_timestamp="2026-11-25T02:28:00Z",
        event_type="Alert",
        message="A test of ours",
        message_args=["one", "two"],
        message_id="Contoso.1.0.Test",
        origin="/redfish/v1/Systems/1",
        severity="Critical",
    )
    ((_, event),) = served.arrived(path)
    made.delete()

    assert (made.destination, made.context, made.protocol) == (wish["Destination"], "of sushy", "Redfish")
    assert made.identity in {one.identity for one in listed}
    assert event["Context"] == "of sushy"
    (record,) = event["Events"]
    assert (record["MessageId"], record["EventType"], record["MessageArgs"]) == (
        "Contoso.1.0.Test",
        "Alert",
        ["one", "two"],
    )
    assert service.subscriptions.get_members() == []


def test_a_test_event_of_another_type_than_asked_for_does_not_arrive(served: Served, service: Any) -> None:
    name = type(service._conn._auth).__name__
    alerts, everything = (f"/sushy/{name}/{what}" for what in ("alerts", "everything"))
    wanting = [
        service.subscriptions.create({**members, "Destination": served.receiver.url(path)})
        for members, path in ((AS_METAL3, alerts), (PLAIN, everything))
    ]

    for event_type in ("StatusChange", "Alert"):
        service.submit_test_event(None, None, event_type, None, None, "Contoso.1.0.Test", None, None)

    came = [event["Events"][0] for _, event in served.arrived(everything, 2)]
    ((_, alert),) = served.arrived(alerts)
    assert sorted(record["EventType"] for record in came) == ["Alert", "StatusChange"]
    assert alert["Events"][0]["EventType"] == "Alert"
    # What sushy sends as null is as if it had not been sent.
    assert not any({"Message", "MessageArgs", "OriginOfCondition", "Severity"} & record.keys() for record in came)
    for one in wanting:
        one.delete()
