"""
The whole relay with its page, and a browser.
"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.support.api_process import ApiProcess
from tests.support.browser import Operator, operator
from tests.support.relay import Relay


@pytest.fixture(scope="module")
def api(relay: Relay) -> Iterator[ApiProcess]:
    """
    The API of the relay, with its own certificate.
    """
    settings = {name.removeprefix("ODIM_RELAY_"): value for name, value in relay.env.items()}
    with ApiProcess(relay.folder, redis=relay.redis, settings=settings) as process:
        yield process
        assert not process.lines("page.failed"), process.log_tail()


@pytest.fixture
def admin(browser: Browser, api: ApiProcess) -> Iterator[Operator]:
    """
    Who is logged in, at the overview.
    """
    with operator(browser, api) as somebody:
        somebody.log_in()
        yield somebody
