"""
The page while stores are away, and with as many subscriptions as there may be.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

from odim_relay.adapters.redis.rules import LedgerRules
from odim_relay.domain.delivery import ParkReason
from odim_relay.domain.subscription import Subscription
from odim_relay.ports import SuspendedBy
from tests.integration.operator.filled import BUSY, Filled
from tests.support.api_process import ApiProcess
from tests.support.ledger_view import PREFIX
from tests.support.page_client import PageClient
from tests.support.redis_server import RedisServer
from tests.support.waiting import wait_until

pytestmark = pytest.mark.server

PAGES = ("/ui", "/ui/subscriptions", "/ui/subscriptions/s", "/ui/deliveries/d", "/ui/quarantine", "/ui/audit")
ANSWERS_WITHIN_S = 8.0
COMES_BACK_WITHIN_S = 10.0
MANY = 10_000
PAGE_WITHIN_S = 1.0
SEEN_WITHIN_S = 5.0


@pytest.fixture
def api(fresh_redis: RedisServer, tmp_path: Path) -> Iterator[ApiProcess]:
    with ApiProcess(tmp_path, redis=fresh_redis) as process:
        yield process
        assert not process.lines("page.failed"), process.log_tail()


@pytest.fixture
def admin(api: ApiProcess) -> Iterator[PageClient]:
    with PageClient(api) as client:
        assert client.log_in(api.user, api.password).status_code == 303
        yield client


def test_without_redis_each_page_says_so_and_comes_back_by_itself(
    fresh_redis: RedisServer, api: ApiProcess, admin: PageClient
) -> None:
    fresh_redis.client().bgrewriteaof()
    assert admin.get("/ui/subscriptions").status_code == 200
    fresh_redis.kill()

    for path in PAGES:
        started_at = time.monotonic()
        answer = admin.get(path)
        assert answer.status_code == 503, path
        assert time.monotonic() - started_at < ANSWERS_WITHIN_S
        assert "A store cannot be reached" in answer.text
        assert "<dt>redis</dt>" in answer.text
        assert int(answer.headers["Retry-After"]) > 0
    document = admin.get("/ui", **{"X-Live": "1"})
    # The asking went well: a browser would tell of a failure of its own otherwise, each time.
    assert document.status_code == 200
    assert document.json()["status"] == 503
    assert document.json()["said"] == "A store cannot be reached"
    with PageClient(api) as other:
        assert other.get("/ui/log-in").status_code == 200  # it needs no store
        assert other.log_in(api.user, api.password).status_code == 503

    fresh_redis.start()
    wait_until(
        lambda: admin.get("/ui/subscriptions").status_code in {200, 303},
        timeout_s=COMES_BACK_WITHIN_S,
        what="the page to come back",
    )


def test_a_form_that_redis_could_not_be_asked_about_says_that_it_is_not_known(
    fresh_redis: RedisServer, admin: PageClient
) -> None:
    with fresh_redis.client() as client:
        Filled(client, PREFIX).subscribe("s")
    fields = admin.fields("/ui/subscriptions/s/suspend", "/ui/subscriptions/s/suspend")
    fresh_redis.kill()

    answer = admin.post("/ui/subscriptions/s/suspend", fields)

    assert answer.status_code == 503
    assert "whether this was done is not known" in answer.text


def test_what_kafka_and_the_broker_would_have_told_is_unknown_and_the_rest_is_there(
    fresh_redis: RedisServer, tmp_path: Path
) -> None:
    with fresh_redis.client() as client:
        Filled(client, PREFIX).subscribe("s")
    settings = {"BROKER__URL": "redis://127.0.0.1:1/0"}
    with ApiProcess(tmp_path, redis=fresh_redis, settings=settings) as alone, PageClient(alone) as admin:
        admin.log_in(alone.user, alone.password)

        def told() -> str:
            started_at = time.monotonic()
            answer = admin.get("/ui")
            assert answer.status_code == 200
            assert time.monotonic() - started_at < 2.0
            return answer.text

        wait_until(
            lambda: "broker cannot be reached" in told() and "kafka cannot be reached" in told(),
            timeout_s=20,
            what="the page to tell what cannot be reached",
        )
        page = told()
        for name in ("Queue", "Kafka lag"):
            assert "unknown" in page.partition(f"<dt>{name}</dt>")[2].partition("</dd>")[0]
        assert "0" in page.partition("<dt>Waiting</dt>")[2].partition("</dd>")[0]
        assert admin.get("/ui/subscriptions/s").status_code == 200
        assert not alone.lines("page.failed"), alone.log_tail()


def test_ten_thousand_subscriptions_are_a_page_within_a_second(
    fresh_redis: RedisServer, api: ApiProcess, admin: PageClient
) -> None:
    with fresh_redis.client() as client:
        filled = Filled(client, PREFIX, LedgerRules(breaker_failures=1_000_000, drain_failures=1_000_000))
        for number in range(MANY):
            filled.store.save(
                Subscription(
                    subscription_id=f"id-{number:05}", name=f"name {number:05}", destination=f"https://h{number}/x"
                )
            )
        tickets = filled.ingest(*((f"d-{number:05}", f"id-{number:05}") for number in range(0, MANY, 10)))
        for ticket in tickets:
            filled.park(ticket, ParkReason.REJECTED, BUSY)
        paths = (
            "/ui/subscriptions",
            "/ui/subscriptions?page=200",
            "/ui/subscriptions?q=name+01",
            "/ui/subscriptions?trouble=1&sort=-dead&page=3",
            "/ui/subscriptions?sort=name",
            "/ui",
            "/ui/subscriptions/id-00010",
        )
        assert admin.get("/ui").status_code == 200  # the first reads every subscription
        took: dict[str, list[float]] = {path: [] for path in paths}
        for path in paths * 5:
            time.sleep(0.3)  # so that what is kept gets old, as while somebody looks
            started_at = time.perf_counter()
            answer = admin.get(path)
            took[path].append(time.perf_counter() - started_at)
            assert answer.status_code == 200
        print({path: f"{median(seconds):.3f} s, at most {max(seconds):.3f} s" for path, seconds in took.items()})
        assert "1 to 50 of 10\u202f000 subscriptions" in admin.get("/ui/subscriptions").text
        assert "101 to 150 of 1\u202f000 subscriptions" in admin.get(paths[3]).text

        began_at = time.monotonic()
        filled.backlog.suspend("id-00777", SuspendedBy.HAND)
        wait_until(
            lambda: "Suspended" in admin.get("/ui/subscriptions?q=id-00777", **{"X-Live": "1"}).json()["html"],
            timeout_s=SEEN_WITHIN_S,
            what="the change to be seen",
        )
        print(f"seen after {time.monotonic() - began_at:.2f} s")
        # The median: one request may have had to wait for what else this machine does.
        assert all(median(seconds) < PAGE_WITHIN_S for seconds in took.values()), took
    assert api.running
