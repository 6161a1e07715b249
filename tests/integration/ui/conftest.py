"""
The api process over a filled ledger, and browsers without a window.
"""

from collections.abc import Iterator

import pytest

from tests.integration.operator.filled import Filled
from tests.support.api_process import ApiProcess
from tests.support.ledger_view import PREFIX
from tests.support.page_client import PageClient
from tests.support.redfish_client import ACCOUNTS, open_client
from tests.support.redis_server import RedisServer

READER = ("reader", "pass word of the reader")


@pytest.fixture(scope="module")
def redis(redis_server: RedisServer) -> RedisServer:
    redis_server.empty()
    return redis_server


@pytest.fixture(scope="module")
def filled(redis: RedisServer) -> Iterator[Filled]:
    with redis.client() as client:
        yield Filled(client, PREFIX)


@pytest.fixture(scope="module")
def api(filled: Filled, redis: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiProcess]:
    assert filled.prefix == PREFIX
    with ApiProcess(tmp_path_factory.mktemp("api"), redis=redis) as process:
        with open_client(process.url, process.ca_file, credentials=(process.user, process.password)) as client:
            name, password = READER
            made = client.post(ACCOUNTS, json={"UserName": name, "Password": password, "RoleId": "ReadOnly"})
            assert made.status_code == 201, made.text
        yield process
        assert not process.lines("page.failed"), process.log_tail()


@pytest.fixture
def stranger(api: ApiProcess) -> Iterator[PageClient]:
    """
    Who is not logged in.
    """
    with PageClient(api) as client:
        yield client


@pytest.fixture
def admin(api: ApiProcess) -> Iterator[PageClient]:
    with PageClient(api) as client:
        assert client.log_in(api.user, api.password).status_code == 303
        yield client


@pytest.fixture
def reader(api: ApiProcess) -> Iterator[PageClient]:
    """
    Who may only look.
    """
    with PageClient(api) as client:
        assert client.log_in(*READER).status_code == 303
        yield client
