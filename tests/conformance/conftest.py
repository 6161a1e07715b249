from collections.abc import Iterator

import pytest

from odim_relay.ports import TaskTicket
from tests.conformance.ledgers import Ledger, LedgerInMemory, LedgerInRedis, write
from tests.fakes.samples import PARTITION, START, subscription
from tests.support.redis_server import RedisServer


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.server)])
def ledger(request: pytest.FixtureRequest, key_prefix: str) -> Iterator[Ledger]:
    if request.param == "memory":
        yield LedgerInMemory()
        return
    server: RedisServer = request.getfixturevalue("redis_server")
    with server.client() as client:
        yield LedgerInRedis(client, key_prefix)


@pytest.fixture
def ticket(ledger: Ledger) -> TaskTicket:
    """
    Of the one delivery there is, to subscription `s`.
    """
    ledger.subscriptions.save(subscription("s"))
    ledger.ingest.set_position(PARTITION, None, START)
    return write(ledger, "s")[0]
