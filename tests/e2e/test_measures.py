"""
What a person on call sees: metrics of all processes, and changes of state within seconds, asked of real ones.
"""

import json
import time
from collections.abc import Callable, Iterator

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from odim_relay.api.metric_definitions import METRICS
from odim_relay.domain.subscription import Mode as SubscriptionMode
from tests.support.api_process import ApiProcess
from tests.support.events import event, events
from tests.support.receiver import Behaviour
from tests.support.redfish_client import open_client
from tests.support.relay import Relay
from tests.support.relay_settings import SHORT_OUTAGES
from tests.support.waiting import wait_until

pytestmark = pytest.mark.server

RELAY_SETTINGS = SHORT_OUTAGES
SOON_S = 30.0
VISIBLE_WITHIN_S = 5.0

Samples = dict[tuple[str, tuple[str, ...]], float]


@pytest.fixture(scope="module")
def api(relay: Relay, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiProcess]:
    settings = {"KAFKA__BOOTSTRAP_SERVERS": relay.env["ODIM_RELAY_KAFKA__BOOTSTRAP_SERVERS"]}
    settings["KAFKA__TOPICS"] = relay.env["ODIM_RELAY_KAFKA__TOPICS"]
    settings["KAFKA__GROUP_ID"] = relay.env["ODIM_RELAY_KAFKA__GROUP_ID"]
    with ApiProcess(tmp_path_factory.mktemp("api"), redis=relay.redis, settings=settings) as process:
        yield process
        assert process.lines("api.failed") == []


@pytest.fixture
def scrape(api: ApiProcess) -> Iterator[Callable[[], Samples]]:
    with open_client(api.url, api.ca_file) as client:
        yield lambda: samples(client)


def samples(client: httpx.Client) -> Samples:
    """
    By name without its prefix, and the values of its labels.
    """
    answer = client.get("/metrics")
    assert answer.status_code == 200, answer.text
    return {
        (sample.name.removeprefix("odim_relay_"), tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_every_metric_of_the_table_is_told_by_the_process(scrape: Callable[[], Samples]) -> None:
    known = {name for definition in METRICS.values() for name in definition.series}
    # Nothing of ODIM is followed, and nobody has a subscription.
    absent = {name for name in known if name.startswith("odim_relay_odim_")}
    absent |= {name for name, one in METRICS.items() if one.labels == ("subscription",)}

    told = {name if name.startswith("process_") else f"odim_relay_{name}" for name, _ in scrape()}

    assert told == known - absent


def test_attempts_of_all_workers_are_measured_and_none_is_forgotten_by_one_that_ends(
    relay: Relay, scrape: Callable[[], Samples]
) -> None:
    before = scrape()
    other = relay.make_worker("other")
    other.start()
    try:
        steady, shaky = relay.subscribe(), relay.subscribe()
        once = relay.subscribe(mode=SubscriptionMode.AT_MOST_ONCE)
        relay.receiver.behave(shaky.path, Behaviour(first=(503, 503)))
        relay.publish(events(50))
        account = relay.wait_for_all(SOON_S)
        assert account.lost == 0, str(account)
        for worker in (other, relay.worker):
            worker.terminate(20)
    finally:
        other.kill()
        relay.worker.start()

    after = scrape()

    def grown(name: str, *labels: str) -> float:
        return after.get((name, labels), 0) - before.get((name, labels), 0)

    requests = sum(relay.receiver.request_count(one.path) for one in (steady, shaky, once))
    assert grown("attempts_total", "delivered", "2xx") == grown("delivery_latency_seconds_count") == 150
    failed = grown("attempts_total", "transient", "5xx")
    assert failed >= 2
    assert grown("attempt_duration_seconds_count") == 150 + failed == requests
    assert 0 < grown("attempt_duration_seconds_sum") < SOON_S
    assert grown("delivery_latency_seconds_bucket", "+Inf") == 150
    assert 0 < grown("delivery_latency_seconds_sum") < 150 * SOON_S
    # Told by the end of the processes and not by chance: within their last second nothing had been told.
    assert after["workers", ()] >= 1
    assert after["beat_up", ()] == 1
    # Whoever answers late on a busy machine is taken for away until the next scrape.
    wait_until(
        lambda: all(scrape()["store_up", (store,)] for store in ("redis", "broker", "kafka")),
        timeout_s=SOON_S,
        what="all stores to be up",
    )

    history = json.loads(relay.run("subscriptions", "show", shaky.id, "--json"))["history"]
    assert len(history) == 20
    assert {one["address"] for one in history} == {f"127.0.0.1:{relay.receiver.port}"}
    ids = [name for name, _, _ in relay.receiver.bodies(shaky.path)[:2]]
    told = json.loads(relay.run("deliveries", "show", ids[0], "--json"))
    assert [one["status"] for one in told["history"]][-1] == 503
    assert told["history"][0]["decision"] == "delivered"


def until_seen(look: Callable[[], object], what: str) -> float:
    """
    How long after now the look began that saw it: how long the command line's own start takes is another matter.
    """
    since_s = began_s = time.monotonic()

    def begin_to_look() -> object:
        nonlocal began_s
        began_s = time.monotonic()
        return look()

    wait_until(begin_to_look, timeout_s=SOON_S, what=what)
    return began_s - since_s


def test_a_change_of_state_is_seen_within_5_s_in_metrics_and_status(
    relay: Relay, scrape: Callable[[], Samples]
) -> None:
    subscriber = relay.subscribe()
    label = (subscriber.id,)
    relay.publish([event(0)])
    relay.receiver.wait_for_accepted(subscriber.path, 1, SOON_S)

    def status() -> dict[str, object]:
        told = json.loads(relay.run("status", "--json"))
        (row,) = [row for row in told["subscriptions"] if row["id"] == subscriber.id]
        return dict(row)

    took: dict[str, float] = {}
    relay.receiver.behave(subscriber.path, Behaviour(status=503))
    relay.publish(events(20, first=1))
    # What the ledger says is what happened; how long until others say it is what counts.
    wait_until(lambda: relay.ledger.breaker(subscriber.id) == "open", timeout_s=SOON_S, what="the breaker to open")
    took["breaker open, in metrics"] = until_seen(lambda: scrape()["breaker_state", label], "the breaker")
    took["breaker open, in status"] = until_seen(lambda: status()["breaker"] != "closed", "the breaker")
    wait_until(lambda: relay.ledger.parked_of(subscriber.id), timeout_s=SOON_S, what="some to wait")
    took["waiting, in metrics"] = until_seen(lambda: scrape()["waiting", label], "what waits")
    took["waiting, in status"] = until_seen(lambda: status()["waiting"], "what waits")

    relay.run("subscriptions", "suspend", subscriber.id)
    took["suspended, in metrics"] = until_seen(lambda: scrape()["subscription_suspended", label], "the suspension")
    took["suspended, in status"] = until_seen(lambda: status()["suspended"], "the suspension")
    assert scrape()["subscriptions_suspended_total", ("by_hand",)] >= 1

    relay.receiver.behave(subscriber.path, Behaviour())
    relay.run("subscriptions", "resume", subscriber.id)
    account = relay.wait_for_all(SOON_S)
    assert account.lost == 0, str(account)
    took["all well, in metrics"] = until_seen(
        lambda: not any(scrape()[name, label] for name in ("waiting", "breaker_state", "subscription_suspended")),
        "nothing to be wrong",
    )
    print(", ".join(f"{what}: {seconds:.2f} s" for what, seconds in took.items()))
    assert max(took.values()) < VISIBLE_WITHIN_S, took
