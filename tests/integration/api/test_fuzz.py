"""
Requests that a machine makes up from the API's own description: none breaks the service, none hangs it.
"""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.api_process import ApiProcess
from tests.support.redfish_client import (
    ACCOUNTS,
    EVENT_SERVICE,
    SESSIONS,
    SUBSCRIPTIONS,
    created,
    log_in,
    members,
    open_client,
)
from tests.support.redis_server import RedisServer

pytestmark = pytest.mark.server

SEED = 20_261_125
EXAMPLES = 15
ANSWERS_IN_S = 10
ENDS_IN_S = 300

# An endless answer: there is no telling when it hangs.
STREAM = f"GET {EVENT_SERVICE}/SSE"
# Fuzzed by itself: it disables the service, which then answers 503, as it has to.
SWITCH = f"PATCH {EVENT_SERVICE}"

WISH = {"Destination": "https://192.0.2.1/fuzzed", "Protocol": "Redfish", "MessageIds": ["ResourceEvent.TestMessage"]}
FUZZED = ("fuzzed", "pass word of the fuzzed")
SOURCES, AGGREGATES = "/inventory/sources", "/inventory/aggregates"
# Requests about one resource go to one that is there; those that delete it, to another one.
COLLECTIONS = {
    "subscription_id": SUBSCRIPTIONS,
    "account_id": ACCOUNTS,
    "session_id": SESSIONS,
    "address": SOURCES,
    "aggregate_id": AGGREGATES,
}
# What a machine guesses seldom: else most bodies would be refused at their first member.
GOOD_VALUES = {
    "urls": ["https://192.0.2.1/fuzzed", "http://192.0.2.2:8080/?q=%20", "https://events.example.com/hook"],
    "uris": ["/redfish/v1/", "/redfish/v1/Chassis/1#/Status", "/x"],
    "words": ["ResourceEvent", "Base.1.0.Success", "Task", "a", "\u00e9"],
    "protocols": ["Redfish"],
    "addresses": ["192.0.2.7", "[2001:db8::1]:443", "bmc7.example"],
}
GOOD = {
    "Destination": "urls",
    "Protocol": "protocols",
    "BackupDestinations[*]": "urls",
    "OriginResources[*]": "uris",
    "MetricReportDefinitions[*]": "uris",
    "MessageIds[*]": "words",
    "RegistryPrefixes[*]": "words",
    "ResourceTypes[*]": "words",
    "ExcludeMessageIds[*]": "words",
    "ExcludeRegistryPrefixes[*]": "words",
    "address": "addresses",
    "system": "uris",
    "aggregate": "words",
    "elements[*]": "uris",
}


@pytest.fixture
def api(redis_server: RedisServer, tmp_path: Path) -> Iterator[ApiProcess]:
    redis_server.empty()
    with ApiProcess(tmp_path, redis=redis_server) as api:
        yield api


@pytest.fixture
def admin(api: ApiProcess) -> Iterator[httpx.Client]:
    with open_client(api.url, api.ca_file, credentials=(api.user, api.password)) as client:
        yield client


def make_one_of_each(admin: httpx.Client) -> dict[str, str]:
    """
    The ids of a new one of each, by the name that the description has for them.
    """
    name = f"{FUZZED[0]}-{len(members(admin, ACCOUNTS))}"
    documents: dict[str, dict[str, Any]] = {
        SUBSCRIPTIONS: WISH,
        ACCOUNTS: {"UserName": name, "Password": FUZZED[1], "RoleId": "Operator"},
        SESSIONS: {"UserName": name, "Password": FUZZED[1]},
        SOURCES: {"address": name, "system": "/redfish/v1/Systems/x.1"},
        AGGREGATES: {"aggregate": name, "elements": []},
    }
    return {
        parameter: created(admin, collection, documents[collection]).rpartition("/")[2]
        for parameter, collection in COLLECTIONS.items()
    }


def inventory(admin: httpx.Client) -> list[str]:
    """
    The URIs of all sources and aggregates.
    """
    sources = admin.get(f"{SOURCES}?$top=100000").json()["sources"]
    aggregates = admin.get(f"{AGGREGATES}?$top=100000").json()["aggregates"]
    return [one["uri"] for one in (*sources, *aggregates)]


def configuration(kept: dict[str, str], doomed: dict[str, str]) -> str:
    """
    For schemathesis, in TOML.
    """
    lines = [f"[dictionaries.{name}]\nvalues = {json.dumps(values)}" for name, values in GOOD_VALUES.items()]
    lines += ["[parameters]", *(f'"path.{name}" = {json.dumps(id_)}' for name, id_ in kept.items())]
    lines += [f'"body.{member}" = {{ dictionary = "{name}", probability = 0.9 }}' for member, name in GOOD.items()]
    for name, id_ in doomed.items():
        operation = f"DELETE {COLLECTIONS[name]}/{{{name}}}"
        lines += ["[[operations]]", f"include-name = {json.dumps(operation)}"]
        lines += [f'parameters = {{ "path.{name}" = {json.dumps(id_)} }}']
    return "\n".join(lines)


def fuzz(api: ApiProcess, token: str, folder: Path, *options: str) -> None:
    """
    Run schemathesis with every phase and kind of data it has; fails when an answer is a 5xx or late.
    """
    command = [str(Path(sys.executable).parent / "st"), "--config-file", str(folder / "schemathesis.toml"), "run"]
    chosen = {
        "--header": f"X-Auth-Token:{token}",
        "--tls-verify": str(api.ca_file),
        "--checks": "not_a_server_error",
        "--max-examples": str(EXAMPLES),
        "--seed": str(SEED),
        "--request-timeout": str(ANSWERS_IN_S),
        # Two threads that parse sources at once trip CPython 3.11: "AST constructor recursion depth mismatch".
        "--workers": "1",
    }
    arguments = [word for pair in chosen.items() for word in pair]
    done = subprocess.run(
        [*command, f"{api.url}/redfish/v1/openapi.yaml", *arguments, "--no-shrink", *options],
        cwd=folder,
        env={**os.environ, "HYPOTHESIS_STORAGE_DIRECTORY": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=ENDS_IN_S,
        check=False,
    )
    print(f"seed {SEED}, {' '.join(options)}\n{done.stdout}")
    assert done.returncode == 0, "see above"


def test_no_request_that_the_description_allows_or_forbids_breaks_or_hangs_the_service(
    api: ApiProcess, admin: httpx.Client, tmp_path: Path
) -> None:
    kept, doomed = make_one_of_each(admin), make_one_of_each(admin)
    (tmp_path / "schemathesis.toml").write_text(configuration(kept, doomed))
    token = log_in(admin, api.user, api.password)

    fuzz(api, token, tmp_path, "--exclude-name", STREAM, "--exclude-name", SWITCH)
    fuzz(api, token, tmp_path, "--include-name", SWITCH)

    answers = Counter((line["method"], line["status"]) for line in api.lines("api.answered"))
    print(*sorted(answers.items()), sep="\n")
    assert answers["POST", 201] > len(COLLECTIONS) * 2 + 1, "no body was good enough to get anywhere"
    assert not api.lines("api.failed")
    assert log_in(admin, api.user, api.password)
    assert admin.patch(EVENT_SERVICE, json={"ServiceEnabled": True}).status_code == 200
    there = [*members(admin), *members(admin, ACCOUNTS), *inventory(admin)]
    for name, uri in COLLECTIONS.items():
        if name != "session_id":  # a change of its account's password ended it
            assert f"{uri}/{kept[name]}" in there
            assert f"{uri}/{doomed[name]}" not in there
    assert created(admin, SUBSCRIPTIONS, WISH) in members(admin)
