"""
Who may do what: every resource and method, for each of the three roles and for nobody.

Source: DSP0266, privilege model; Redfish_1.8.0_PrivilegeRegistry.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.support.api_process import ApiProcess
from tests.support.redfish_client import (
    ACCOUNT_SERVICE,
    ACCOUNTS,
    EVENT_SERVICE,
    ROLES,
    ROOT,
    SESSION_SERVICE,
    SESSIONS,
    STREAM,
    SUBMIT_TEST_EVENT,
    SUBSCRIPTIONS,
    TEST_EVENT_SUBSCRIPTION,
    created,
    members,
    open_client,
)
from tests.support.redis_server import RedisServer

pytestmark = pytest.mark.server

ROLES_OF_USERS = {"administrator": "Administrator", "operator": "Operator", "reader": "ReadOnly"}
WHO = (*ROLES_OF_USERS, "nobody")
PASSWORD = "one pass word for all"
WISH = {"Destination": "https://192.0.2.1/hook", "Protocol": "Redfish"}
SOURCES, AGGREGATES = "/inventory/sources", "/inventory/aggregates"
SUSPEND, RESUME = (f"Actions/EventDestination.{name}Subscription" for name in ("Suspend", "Resume"))


@dataclass(frozen=True, slots=True)
class Row:
    """
    One request, and the status that each of WHO gets, in that order.

    `{theirs}` is a subscription of the administrator's, `{own}` one of who asks, where they may have one.
    """

    method: str
    path: str
    statuses: tuple[int, int, int, int]
    document: Any = None

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


LOGIN = (200, 200, 200, 401)
OPEN = (200, 200, 200, 200)
FOR_ADMINISTRATORS = (200, 403, 403, 401)

READING = (
    *(Row(method, path, OPEN) for method in ("GET", "HEAD") for path in ("/redfish", ROOT, "/redfish/v1/odata")),
    *(Row("GET", path, OPEN) for path in ("/redfish/v1/$metadata", "/healthz", "/readyz", "/metrics")),
    *(
        Row(method, path, LOGIN)
        for method in ("GET", "HEAD")
        for path in (
            "/redfish/v1/openapi.yaml",
            "/redfish/v1/Schemas/OdimRelay_v1.xml",
            "/redfish/v1/Registries",
            "/redfish/v1/Registries/OdimRelay",
            "/redfish/v1/Registries/OdimRelay/OdimRelay.1.0.0.json",
            EVENT_SERVICE,
            SUBSCRIPTIONS,
            "{theirs}",
            SESSION_SERVICE,
            SESSIONS,
            ACCOUNT_SERVICE,
            ROLES,
            f"{ROLES}/Operator",
        )
    ),
)

EVENTS = (
    Row("PATCH", EVENT_SERVICE, FOR_ADMINISTRATORS, {"DeliveryRetryAttempts": 3}),
    Row("POST", SUBMIT_TEST_EVENT, (204, 403, 403, 401), {"MessageId": "ResourceEvent.1.4.TestMessage"}),
    Row("POST", TEST_EVENT_SUBSCRIPTION, (204, 403, 403, 401), {}),
    Row("POST", f"{EVENT_SERVICE}/Actions/EventService.Explode", (404, 403, 403, 401), {}),
    Row("POST", "{theirs}/Actions/EventDestination.Explode", (404, 404, 404, 401), {}),
    Row("POST", SUBSCRIPTIONS, (201, 201, 403, 401), WISH),
    Row("POST", f"{SUBSCRIPTIONS}/Members", (201, 201, 403, 401), WISH),
    Row("PATCH", "{theirs}", FOR_ADMINISTRATORS, {"Context": "mine now"}),
    Row("POST", f"{{theirs}}/{SUSPEND}", (204, 403, 403, 401), {}),
    Row("POST", f"{{theirs}}/{RESUME}", (204, 403, 403, 401), {}),
    Row("PATCH", "{own}", (200, 200, 403, 401), {"Context": "mine"}),
    Row("POST", f"{{own}}/{SUSPEND}", (204, 204, 403, 401), {}),
    Row("POST", f"{{own}}/{RESUME}", (204, 204, 403, 401), {}),
    Row("DELETE", "{own}", (204, 204, 403, 401)),
    Row("DELETE", "{theirs}", (204, 403, 403, 401)),
)

INVENTORY = (
    Row("PUT", f"{SOURCES}/h1", (201, 403, 403, 401), {"system": "/redfish/v1/Systems/a.1"}),
    Row("POST", SOURCES, (201, 403, 403, 401), {"address": "h2", "system": "/redfish/v1/Systems/b.1"}),
    *(Row(method, path, LOGIN) for method in ("GET", "HEAD") for path in (SOURCES, f"{SOURCES}/h1")),
    Row("DELETE", f"{SOURCES}/h1", (204, 403, 403, 401)),
    Row("PUT", f"{AGGREGATES}/a1", (201, 403, 403, 401), {"elements": []}),
    Row("POST", AGGREGATES, (201, 403, 403, 401), {"aggregate": "a2", "elements": []}),
    *(Row(method, path, LOGIN) for method in ("GET", "HEAD") for path in (AGGREGATES, f"{AGGREGATES}/a1")),
    Row("DELETE", f"{AGGREGATES}/a1", (204, 403, 403, 401)),
)

ACCOUNTS_AND_SESSIONS = (
    Row("PATCH", SESSION_SERVICE, FOR_ADMINISTRATORS, {"SessionTimeout": 1_800}),
    Row("PATCH", ACCOUNT_SERVICE, (405, 405, 405, 405), {"MinPasswordLength": 1}),
    Row("POST", SESSIONS, (201, 201, 201, 401), {"UserName": "{user}", "Password": PASSWORD}),
    Row("GET", "{administrator}", FOR_ADMINISTRATORS),
    Row("GET", "{account}", (200, 200, 200, 401)),
    Row("GET", ACCOUNTS, LOGIN),
    Row("POST", ACCOUNTS, (201, 403, 403, 401), {"UserName": "by-{user}", "Password": PASSWORD, "RoleId": "ReadOnly"}),
    Row("PATCH", "{administrator}", FOR_ADMINISTRATORS, {"Password": PASSWORD}),
    Row("PATCH", "{account}", (200, 200, 200, 401), {"Password": PASSWORD}),
    Row("PATCH", "{account}", FOR_ADMINISTRATORS, {"RoleId": "{role}"}),
    Row("DELETE", "{other}", (204, 403, 403, 401)),
    Row("GET", "{session}", (200, 403, 403, 401)),
    Row("DELETE", "{session}", (204, 403, 403, 401)),
)


class World:
    """
    A service with an account for each role, and what rows need made anew for each of them.
    """

    def __init__(self, api: ApiProcess, stack: ExitStack) -> None:
        def client(credentials: tuple[str, str] | None = None) -> httpx.Client:
            return stack.enter_context(open_client(api.url, api.ca_file, credentials=credentials))

        self.root = client((api.user, api.password))
        self.clients = {user: client((user, PASSWORD)) for user in ROLES_OF_USERS} | {"nobody": client()}
        self.accounts = {user: self._account(user, role) for user, role in ROLES_OF_USERS.items()}

    def _account(self, user: str, role: str) -> str:
        return created(self.root, ACCOUNTS, {"UserName": user, "Password": PASSWORD, "RoleId": role})

    def _subscription(self, who: str) -> str:
        maker = self.clients[who] if who in {"administrator", "operator"} else self.root
        return created(maker, SUBSCRIPTIONS, WISH)

    def names(self, row: Row, who: str) -> dict[str, str]:
        """
        What the row's braces stand for.
        """
        made = {
            "user": who,
            "role": ROLES_OF_USERS.get(who, "ReadOnly"),
            "account": self.accounts.get(who, self.accounts["reader"]),
            "administrator": self.accounts["administrator"],
        }
        if "{theirs}" in row.path:
            made["theirs"] = self._subscription("root")
        if "{own}" in row.path:
            made["own"] = self._subscription(who)
        if "{other}" in row.path:
            made["other"] = self._account(f"other-{who}", "ReadOnly")
        if "{session}" in row.path:
            made["session"] = created(self.root, SESSIONS, {"UserName": "administrator", "Password": PASSWORD})
        return made

    def ask(self, row: Row, who: str) -> int:
        names = self.names(row, who)
        document = row.document
        if document is not None:
            document = {
                name: value.format(**names) if isinstance(value, str) else value for name, value in document.items()
            }
        answer = self.clients[who].request(row.method, row.path.format(**names), json=document)
        return answer.status_code


@pytest.fixture(scope="module")
def world(redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    redis_server.empty()
    with ExitStack() as stack:
        api = stack.enter_context(ApiProcess(tmp_path_factory.mktemp("api"), redis=redis_server))
        yield World(api, stack)


@pytest.mark.parametrize("row", [*READING, *EVENTS, *INVENTORY, *ACCOUNTS_AND_SESSIONS], ids=str)
def test_each_role_may_do_what_the_privilege_registry_gives_it(world: World, row: Row) -> None:
    assert dict(zip(WHO, (world.ask(row, who) for who in WHO), strict=True)) == dict(
        zip(WHO, row.statuses, strict=True)
    )


@pytest.mark.parametrize(("who", "status"), list(zip(WHO, (200, 200, 403, 401), strict=True)))
def test_a_stream_is_opened_by_who_may_subscribe(world: World, who: str, status: int) -> None:
    with world.clients[who].stream("GET", STREAM) as answer:
        assert answer.status_code == status


def test_the_table_has_every_resource_that_is_described(world: World) -> None:
    """
    A new resource gets its rows here.
    """
    described = world.root.get("/redfish/v1/openapi.yaml").text
    stand_for = {
        f"{SUBSCRIPTIONS}/{{": "{theirs}",
        f"{SESSIONS}/{{": "{session}",
        f"{ACCOUNTS}/{{": "{account}",
        f"{ROLES}/{{": f"{ROLES}/Operator",
        f"{SOURCES}/{{": f"{SOURCES}/h1",
        f"{AGGREGATES}/{{": f"{AGGREGATES}/a1",
        "/redfish/v1/Registries/{": "/redfish/v1/Registries/OdimRelay",
    }
    paths = [line.strip().rstrip(":").strip("'\"") for line in described.splitlines() if line.startswith("  /")]
    rows = {row.path.rstrip("/") for row in (*READING, *EVENTS, *INVENTORY, *ACCOUNTS_AND_SESSIONS)} | {STREAM}

    assert paths
    missing = []
    for path in paths:
        shape = next((ours + path[path.index("}") + 1 :] for start, ours in stand_for.items() if start in path), path)
        if shape.rstrip("/") not in rows:
            missing.append(path)
    assert not missing


def test_an_account_may_be_read_by_nobody_but_its_own_and_who_configures_users(world: World) -> None:
    reader = world.clients["reader"]

    assert {uri for uri in members(reader, ACCOUNTS) if reader.get(uri).status_code == 200} == {
        world.accounts["reader"]
    }
