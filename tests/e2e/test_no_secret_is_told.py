"""
Secrets of subscriptions stay where they belong: a run with every kind of them, and of failure, and a look for them
everywhere that anybody can read.
"""

import json
import uuid
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import httpx
import pytest

from odim_relay.adapters.redis.connection import Scripts
from odim_relay.adapters.redis.subscriptions import RedisSubscriptionStore
from odim_relay.adapters.security.sealing import AesGcmSealer
from odim_relay.domain.signing import RetiredSecret, signing_key_of, signing_secret_of
from odim_relay.domain.subscription import Subscription
from tests.support.api_process import ApiProcess
from tests.support.events import events
from tests.support.flower_process import FlowerProcess
from tests.support.ledger_view import PREFIX
from tests.support.receiver import Behaviour, Mode
from tests.support.redfish_client import SUBSCRIPTIONS, created, open_client
from tests.support.redis_dump import dump
from tests.support.relay import Relay
from tests.support.relay_settings import SHORT_OUTAGES
from tests.support.waiting import wait_until

pytestmark = pytest.mark.server

KEY = bytes(range(32))
RELAY_SETTINGS = {
    **SHORT_OUTAGES,
    "SECRETS__ENCRYPTION_KEYS": json.dumps([b64encode(KEY).decode()]),
    "FLOWER__TASK_EVENTS": "true",
    "LOG__LEVEL": "DEBUG",
}
HAPPENS_S = 60.0

HEADER, PASSWORD, QUERY, BEARER, CLIENT_SECRET, ACCESS_TOKEN = (
    f"marker-{name}-{uuid.uuid4().hex}" for name in ("header", "password", "query", "bearer", "client", "access")
)
SECRET, RETIRED = (signing_secret_of(f"a secret {uuid.uuid4().hex}".encode()) for _ in range(2))
SIGNING_KEY = signing_key_of(uuid.uuid4().bytes * 2, b"")
BASIC = b64encode(f"ann:{PASSWORD}".encode()).decode()
MARKERS = {
    "header value": HEADER,
    "password": PASSWORD,
    "password in Basic": BASIC.rstrip("="),
    "query": QUERY,
    "bearer token": BEARER,
    "client secret": CLIENT_SECRET,
    "client secret in Basic": b64encode(f"me:{CLIENT_SECRET}".encode()).decode().rstrip("="),
    "access token": ACCESS_TOKEN,
    "signing secret": SECRET.removeprefix("whsec_").rstrip("="),
    "retired secret": RETIRED.removeprefix("whsec_").rstrip("="),
    "signing key": SIGNING_KEY.removeprefix("whsk_").rstrip("="),
    "encryption key": b64encode(KEY).decode().rstrip("="),
}
ECHO = " ".join(MARKERS.values())
"""
What a receiver says that has nothing better to say than what it got.
"""
TOKEN = json.dumps({"access_token": ACCESS_TOKEN, "token_type": "Bearer", "expires_in": 3600})
BEHAVIOURS = {
    "/taken": Behaviour(body=ECHO),
    "/token": Behaviour(body=TOKEN),
    "/no-token": Behaviour(status=401, body=json.dumps({"error": ECHO, "error_description": ECHO})),
    "/failing": Behaviour(status=503, body=ECHO, headers=(("Retry-After", ECHO), ("X-Echo", ECHO))),
    "/unauthorized": Behaviour(status=401, body=ECHO, headers=(("WWW-Authenticate", f'Basic realm="{ECHO}"'),)),
    "/refusing": Behaviour(status=400, body=ECHO),
    "/gone": Behaviour(status=410, body=ECHO),
    "/moved": Behaviour(status=307, headers=(("Location", f"https://ann:{PASSWORD}@127.0.0.1/?{QUERY}"),)),
    "/no-http": Behaviour(mode=Mode.NOT_HTTP),
    "/closing": Behaviour(mode=Mode.CLOSE),
}


@dataclass
class Told:
    """
    What anybody can read, by where.
    """

    texts: dict[str, str] = field(default_factory=dict)

    def leaks(self, *, but: frozenset[str] = frozenset()) -> list[str]:
        """
        Which secret stands where.
        """
        return [
            f"the {name} in {where}"
            for where, text in self.texts.items()
            for name, marker in MARKERS.items()
            if name not in but and marker in text
        ]


@pytest.fixture
def api(relay: Relay) -> Iterator[ApiProcess]:
    names = {name.removeprefix("ODIM_RELAY_"): value for name, value in relay.env.items()}
    with ApiProcess(relay.folder, redis=relay.redis, settings=names) as process:
        yield process


@pytest.fixture
def flower(relay: Relay) -> Iterator[FlowerProcess]:
    with FlowerProcess(relay.folder, relay.env) as process:
        yield process


@pytest.fixture
def client(api: ApiProcess) -> Iterator[httpx.Client]:
    with open_client(api.url, api.ca_file, credentials=(api.user, api.password)) as found:
        yield found


def subscribe_by_command(relay: Relay) -> list[str]:
    """
    One for each way to authenticate, and some that cannot be reached.
    """
    wishes = [
        ("/taken", ["--bearer-auth", "--signing-key", "-"], f"{SIGNING_KEY}\n{BEARER}\n"),
        ("/failing", ["--basic-auth", "ann", "--header", f"X-Key={HEADER}"], f"{PASSWORD}\n"),
    ]
    for path in ("/token", "/no-token"):
        options = ["--oauth2-token-url", f"{relay.receiver.url(path)}?key={QUERY}", "--oauth2-client-id", "me"]
        wishes.append((f"/oauth?of={path[1:]}&", options, f"{CLIENT_SECRET}\n"))
    ids = []
    for path, options, stdin in wishes:
        url = f"{relay.receiver.url(path)}{'' if '?' in path else '?'}key={QUERY}"
        made = relay.run("subscriptions", "create", "--destination", url, *options, stdin=stdin)
        ids.append(made.splitlines()[0])
    return ids


def subscribe_by_store(relay: Relay) -> str:
    """
    One with user-info, as there are from the time before that was refused, in the middle of a rotation.
    """
    with relay.redis.client() as redis:
        store = RedisSubscriptionStore(Scripts(redis, PREFIX), AesGcmSealer([KEY]))
        url = relay.receiver.url("/unauthorized").replace("://", f"://ann:{PASSWORD}@")
        old = Subscription(
            subscription_id=str(uuid.uuid4()),
            destination=f"{url}?key={QUERY}",
            signing_secret=SECRET,
            retired_secrets=(RetiredSecret(secret=RETIRED, until_s=2**32),),
        )
        store.save(old)
        store.update(old.subscription_id, lambda found: replace(found, name="from before"))
    return old.subscription_id


def subscribe_by_api(relay: Relay, client: httpx.Client) -> list[str]:
    """
    One for each way that a delivery may go. Gives their URIs.
    """
    own = {"SigningSecret": SECRET, "Authentication": {"Kind": "Basic", "Username": "ann", "Password": PASSWORD}}
    backup = f"{relay.receiver.url('/failing')}?backup={QUERY}"
    destinations = [
        *((f"{relay.receiver.url(path)}?key={QUERY}api", []) for path in BEHAVIOURS),
        *((f"https://{host}/?key={QUERY}", [backup]) for host in ("127.0.0.3:9", "no.such.host.invalid")),
    ]
    return [
        created(
            client,
            SUBSCRIPTIONS,
            {
                "Destination": url,
                "BackupDestinations": backups,
                "Protocol": "Redfish",
                "HttpHeaders": [{"X-Key": HEADER}],
                "Oem": {"OdimRelay": own},
            },
        )
        for url, backups in destinations
    ]


BAD_BODIES = (
    {"HttpHeaders": [{"X Key": HEADER}]},
    {"HttpHeaders": HEADER},
    {"HttpHeaders": [{"Authorization": HEADER}], "Oem": {"OdimRelay": {"Authentication": {"Kind": "Bearer"}}}},
    {"Oem": {"OdimRelay": {"SigningSecret": f"whsec{SECRET}"}}},
    {"Oem": {"OdimRelay": {"SigningSecret": [SECRET]}}},
    {"Oem": {"OdimRelay": {"SigningKey": SECRET}}},
    {"Oem": {"OdimRelay": {"Authentication": BEARER}}},
    {"Oem": {"OdimRelay": {"Authentication": {"Kind": "Bearer", "Token": f"{BEARER} "}}}},
    {"Oem": {"OdimRelay": {"Authentication": {"Kind": "Bearer", "Password": PASSWORD}}}},
    {"Oem": {"OdimRelay": {"Authentication": {"Kind": CLIENT_SECRET}}}},
    {"Oem": {"OdimRelay": {"Authentication": {"Kind": "Basic", "Username": "a:b", "Password": PASSWORD}}}},
)


def refusals(relay: Relay, client: httpx.Client) -> str:
    """
    What the API has to say against bodies with a secret in the wrong place.
    """
    texts = []
    for bad in BAD_BODIES:
        wish = {"Destination": relay.receiver.url("/taken"), "Protocol": "Redfish", **bad}
        answer = client.post(SUBSCRIPTIONS, json=wish)
        assert answer.status_code == 400, answer.text
        texts.append(answer.text)
    answer = client.get(SUBSCRIPTIONS, auth=("ann", PASSWORD))
    assert answer.status_code == 401
    return "\n".join([*texts, answer.text])


def what_commands_print(relay: Relay, ids: list[str]) -> dict[str, str]:
    """
    Of the commands that tell something, about one letter of each destination where they tell of one.
    """
    letters = {letter["subscription"]: id_ for id_, letter in relay.ledger.dead_letters().items()}
    commands = [
        ["status"],
        ["status", "--json"],
        ["settings"],
        ["settings", "--json"],
        ["doctor"],
        ["subscriptions", "list"],
        ["dead-letters", "list"],
        ["dead-letters", "list", "--json"],
        ["dead-letters", "stats"],
        ["quarantine", "list", "--json"],
        *(["dead-letters", "show", id_, "--json"] for id_ in list(letters.values())[:4]),
        *(["deliveries", "show", id_] for id_ in list(letters.values())[:2]),
    ]
    with ThreadPoolExecutor(2) as pool:
        shown = dict(zip(map(" ".join, commands), pool.map(lambda command: relay.run(*command), commands), strict=True))
    # Who may see a subscription may see its URL.
    for command in (["subscriptions", "list", "--json"], *(["subscriptions", "show", id_] for id_ in ids[-2:])):
        shown[" ".join(command)] = relay.run(*command).replace(QUERY, "")
    return shown


def test_no_secret_is_told_anywhere(relay: Relay, api: ApiProcess, flower: FlowerProcess, client: httpx.Client) -> None:
    for path, behaviour in BEHAVIOURS.items():
        relay.receiver.behave(path, behaviour)
    ids = [*subscribe_by_command(relay), subscribe_by_store(relay)]
    told = Told()
    told.texts["what the API refuses"] = refusals(relay, client)
    uris = subscribe_by_api(relay, client)

    relay.worker.stop()
    relay.publish([*events(3), b"not JSON at all"], wanted_by=())
    wait_until(lambda: relay.ledger.queue_depth() > 0, timeout_s=HAPPENS_S, what="tasks to wait")
    with relay.redis.client(1) as broker:
        told.texts["the broker while tasks wait"] = dump(broker)
    relay.worker.cont()
    wait_until(lambda: _reasons(relay) >= {"rejected", "exhausted", "gone"}, timeout_s=HAPPENS_S, what="letters")
    relay.receiver.wait_for_accepted("/oauth", 3, HAPPENS_S)
    wait_until(lambda: len(flower.tasks()) > 10, timeout_s=HAPPENS_S, what="Flower to see tasks")

    told.texts["Flower's tasks"] = json.dumps(flower.tasks())
    told.texts["Flower's workers"] = flower.read("/api/workers")
    told.texts["the metrics"] = client.get("/metrics").text
    told.texts["the API's subscriptions"] = "".join(client.get(uri).text.replace(QUERY, "") for uri in uris)
    told.texts |= what_commands_print(relay, ids)
    for database, name in enumerate(("the ledger", "the broker")):
        with relay.redis.client(database) as redis:
            told.texts[name] = dump(redis)
    for process in (*relay.processes, api, flower):
        told.texts[f"the log of {process.name}"] = process.log()

    assert told.leaks() == []
    # The secrets were in use: who may know them got them.
    sent = {value for path in ("/taken", "/oauth") for _, pairs, _ in relay.receiver.bodies(path) for _, value in pairs}
    assert {HEADER, f"Bearer {BEARER}", f"Basic {BASIC}", f"Bearer {ACCESS_TOKEN}"} <= sent
    relay.check_health()


def _reasons(relay: Relay) -> set[str]:
    return {str(letter["reason"]) for letter in relay.ledger.dead_letters().values()}
