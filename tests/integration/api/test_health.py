"""
What is served beside Redfish: whether it lives, whether it can work, and what was counted.
"""

from collections.abc import Iterator

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.api_process import ApiProcess
from tests.support.redfish_client import SUBSCRIPTIONS, created, open_client
from tests.support.redis_server import RedisServer
from tests.support.waiting import wait_until

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def api(redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiProcess]:
    redis_server.empty()
    with ApiProcess(tmp_path_factory.mktemp("api"), redis=redis_server) as api:
        yield api
        assert api.lines("api.failed") == []


@pytest.fixture
def nobody(api: ApiProcess) -> Iterator[httpx.Client]:
    with open_client(api.url, api.ca_file) as client:
        yield client


def samples(client: httpx.Client) -> dict[tuple[str, str], float]:
    """
    By name and the value of the label, if there is one.
    """
    answer = client.get("/metrics")
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"].startswith("text/plain")
    return {
        (sample.name.removeprefix("odim_relay_"), next(iter(sample.labels.values()), "")): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_health_is_told_to_anybody_and_changed_by_nobody(nobody: httpx.Client) -> None:
    for path in ("/healthz", "/readyz", "/metrics"):
        assert nobody.get(path).status_code == nobody.head(path).status_code == 200
        assert nobody.post(path).status_code == 405


def test_a_store_that_the_api_does_not_need_is_told_of_and_hinders_nothing(nobody: httpx.Client) -> None:
    def knows_of_kafka() -> bool:
        answer = nobody.get("/readyz")
        assert answer.status_code == 200
        assert answer.json()["ready"] is True
        return "kafka" in answer.json()["reasons"]

    wait_until(knows_of_kafka, timeout_s=20, what="Kafka's absence")


def test_what_any_process_counted_is_told(nobody: httpx.Client, redis_server: RedisServer) -> None:
    with redis_server.client() as redis:
        redis.hset("odim-relay:counters", mapping={"events_ingested": 5, "deliveries:delivered": 3})

    told = samples(nobody)

    assert told["events_ingested_total", ""] == 5
    assert told["deliveries_total", "delivered"] == 3
    assert told["deliveries_active", ""] == 0
    assert told["queue_depth", ""] == 0


def test_each_subscription_tells_how_it_stands(api: ApiProcess, nobody: httpx.Client) -> None:
    with open_client(api.url, api.ca_file, credentials=(api.user, api.password)) as admin:
        uri = created(admin, SUBSCRIPTIONS, {"Destination": "https://192.0.2.1/x", "Protocol": "Redfish"})
    subscription_id = uri.rpartition("/")[2]

    told = samples(nobody)

    for name in ("dead_letters", "waiting", "oldest_waiting_age_seconds", "breaker_state"):
        assert told[name, subscription_id] == 0
