"""
DMTF's scripts for the event service, as they come from PyPI and as an operator runs them.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.clients.conftest import Served
from tests.support.redfish_client import SUBMIT_TEST_EVENT

pytestmark = pytest.mark.server

EVENTS = "rf_event_service.py"
ENDS_IN_S = 60


def run(served: Served, script: str, *arguments: str) -> str:
    """
    Run a script, and return what it prints.
    """
    api = served.api
    who = ["-u", api.user, "-p", api.password, "-r", api.url]
    command = [sys.executable, str(Path(sys.executable).with_name(script)), *who, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=ENDS_IN_S, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_scripts_subscribe_list_get_a_test_event_and_unsubscribe(served: Served) -> None:
    destination = served.receiver.url("/script")
    subscribe = ["subscribe", "--destination", destination, "--context", "by a script", "--format", "Event"]
    filters = ["--registries", "ResourceEvent", "--resourcetypes", "Chassis", "--eventtypes", "Alert", "Other"]
    test_event = {
        "MessageId": "ResourceEvent.1.4.TestMessage",
        "OriginOfCondition": "/redfish/v1/Chassis/1",
        "EventType": "Alert",
    }

    told = run(served, EVENTS, *subscribe, *filters, "--httpheaders", "X-One: 1", "Authorization: Basic me:mine")
    (uri,) = served.subscriptions()
    listed = run(served, EVENTS, "info")
    posted = ["--method", "POST", "--request", SUBMIT_TEST_EVENT, "--body", json.dumps(test_event)]
    run(served, "rf_raw_request.py", *posted)
    ((headers, event),) = served.arrived("/script")
    run(served, EVENTS, "unsubscribe", "--id", uri.rpartition("/")[2])

    assert uri in told
    for part in (uri.rpartition("/")[2], destination, "by a script", "ResourceEvent", "Chassis", "Alert, Other"):
        assert part in listed
    assert "Enabled" in listed
    assert "me:mine" not in listed
    assert (headers["x-one"], headers["authorization"]) == ("1", "Basic bWU6bWluZQ==")
    assert event["Events"][0]["MessageId"] == test_event["MessageId"]


def test_the_scripts_know_a_service_that_has_no_subscription(served: Served) -> None:
    told = run(served, EVENTS, "info")

    assert "No subscriptions" in told
    assert "Event Formats: Event, MetricReport" in told
    assert "SSE URI: /redfish/v1/EventService/SSE" in told
