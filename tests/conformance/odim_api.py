"""
The API that the cases of ODIM's are put to, and hands on what lies behind it.
"""

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import httpx

from odim_relay.adapters.redis.connection import Scripts
from odim_relay.adapters.redis.subscriptions import RedisSubscriptionStore
from tests.conformance.ledgers import RULES
from tests.support.api_process import ApiProcess
from tests.support.ledger_view import PREFIX, LedgerView
from tests.support.redfish_client import ACCOUNTS, SESSIONS, created, log_in, open_client
from tests.support.redis_server import RedisServer
from tests.support.waiting import wait_until

ON_LOOPBACK = {"EGRESS__ALLOW": '["127.0.0.0/8", "::1/128"]'}
ORPHAN = ("orphan", "pass word of the orphan")


@dataclass(frozen=True, slots=True)
class Service:
    """
    A service that runs over a Redis of its own, and takes destinations on this machine, as ODIM does.

    Attributes:
        client: of an Administrator's session.
        store: past the API, for subscriptions with ids that the cases name.
        ledger: what was made of the events.
        orphaned: the token of a session whose account is gone.
    """

    redis: RedisServer
    client: httpx.Client
    store: RedisSubscriptionStore
    ledger: LedgerView
    orphaned: str

    @classmethod
    @contextmanager
    def running(cls, folder: Path) -> Iterator[Self]:
        """
        Start one; it ends with the context.
        """
        with ExitStack() as stack:
            redis = stack.enter_context(RedisServer(folder / "redis"))
            api = stack.enter_context(ApiProcess(folder, redis=redis, settings=ON_LOOPBACK))
            guest = stack.enter_context(open_client(api.url, api.ca_file))
            token = log_in(guest, api.user, api.password)
            client = stack.enter_context(open_client(api.url, api.ca_file, token=token))
            store = RedisSubscriptionStore(Scripts(stack.enter_context(redis.client()), PREFIX, RULES))
            ledger = stack.enter_context(closing(LedgerView(redis)))
            yield cls(redis, client, store, ledger, _orphaned(client, guest))

    def forget(self) -> None:
        """
        Remove all subscriptions.
        """
        for subscription_id in self.store.ids():
            self.store.delete(subscription_id)

    @contextmanager
    def without_store(self) -> Iterator[None]:
        """
        Nothing that is stored can be reached. Afterwards all is as it was.
        """
        self.redis.wait_until_written()
        self.redis.kill()
        try:
            yield
        finally:
            self.redis.start()
            wait_until(lambda: self.client.get(SESSIONS).status_code == httpx.codes.OK, timeout_s=20, what="the store")


def _orphaned(client: httpx.Client, guest: httpx.Client) -> str:
    user, password = ORPHAN
    account = created(client, ACCOUNTS, {"UserName": user, "Password": password, "RoleId": "Administrator"})
    token = log_in(guest, user, password)
    assert client.delete(account).is_success
    return token
