"""
The page in a browser while what it needs is away.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.integration.operator.filled import Filled
from tests.support.api_process import ApiProcess
from tests.support.browser import operator
from tests.support.ledger_view import PREFIX
from tests.support.redis_server import RedisServer

pytestmark = pytest.mark.server

SEEN_S = 15.0


@pytest.fixture
def api(fresh_redis: RedisServer, tmp_path: Path) -> Iterator[ApiProcess]:
    with fresh_redis.client() as client:
        client.config_set("appendonly", "yes")
        client.config_set("appendfsync", "always")
        Filled(client, PREFIX).subscribe("here")
    with ApiProcess(tmp_path, redis=fresh_redis) as process:
        yield process
        assert not process.lines("page.failed"), process.log_tail()


def test_a_page_tells_that_redis_is_away_and_goes_on_by_itself(
    browser: Browser, fresh_redis: RedisServer, api: ApiProcess
) -> None:
    with operator(browser, api) as somebody:
        somebody.log_in(path="/ui/subscriptions/here")
        banner = somebody.page.locator("#freshness")
        expect(banner).to_have_attribute("data-state", "fresh")

        fresh_redis.kill()
        expect(banner).to_contain_text("A store cannot be reached", timeout=SEEN_S * 1000)
        expect(somebody.page.locator("#announcer")).to_contain_text("A store cannot be reached")
        assert somebody.page.locator("h1").inner_text() == "here"  # what was known stays
        assert somebody.faults() == []

        fresh_redis.start()
        expect(banner).to_have_attribute("data-state", "fresh", timeout=SEEN_S * 1000)
        expect(somebody.page.locator("#announcer")).to_have_text("Up to date again")
        # Nothing of that is a failure in the browser's eyes: `operator` looks at what it complained of.


def test_who_comes_while_redis_is_away_gets_the_page_when_it_is_back(
    browser: Browser, fresh_redis: RedisServer, api: ApiProcess
) -> None:
    with operator(browser, api) as somebody:
        somebody.log_in()
        fresh_redis.kill()
        somebody.open("/ui/subscriptions/here")
        expect(somebody.page.locator("h1")).to_have_text("A store cannot be reached")
        expect(somebody.page.locator(".facts")).to_contain_text("redis")
        assert somebody.faults() == []

        fresh_redis.start()
        expect(somebody.page.locator("h1")).to_have_text("here", timeout=SEEN_S * 1000)
        # The page itself was answered 503, and that alone.
        assert len(somebody.complaints) == 2
        assert all("503" in one for one in somebody.complaints)
        somebody.complaints.clear()


def test_a_page_tells_that_the_server_does_not_answer_and_goes_on_when_it_does(
    browser: Browser, api: ApiProcess
) -> None:
    with operator(browser, api) as somebody:
        somebody.log_in(path="/ui/subscriptions/here")
        api.kill()
        banner = somebody.page.locator("#freshness")
        expect(banner).to_contain_text("The server does not answer", timeout=SEEN_S * 1000)

        api.start()
        expect(banner).to_have_attribute("data-state", "fresh", timeout=SEEN_S * 1000)
        # A browser tells of each connection that is refused, and nobody can keep it from that.
        assert all("ERR_" in one or "net::" in one for one in somebody.complaints), somebody.complaints
        somebody.complaints.clear()
