"""
What the ports to accounts and sessions promise, kept by Redis and by memory alike.
"""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from odim_relay.adapters.redis.accounts import RedisAccountStore
from odim_relay.adapters.redis.connection import Scripts
from odim_relay.adapters.redis.sessions import RedisSessionStore
from odim_relay.domain.account import Account, Role, Session
from odim_relay.ports import AccountStore, SessionStore
from odim_relay.ports.accounts import Accounts
from tests.fakes.account_store import InMemoryAccountStore, InMemorySessionStore
from tests.support.redis_server import RedisServer

ANN = Account(account_id="1", user_name="ann", password_hash="$argon2id$ä", role=Role.ADMINISTRATOR)
BOB = Account(account_id="2", user_name="bob", password_hash="", role=Role.READ_ONLY, is_enabled=False)
FIRST = Session(session_id="f", account_id="1", user_name="ann", created_at_s=10, client="127.0.0.1")
SECOND = Session(session_id="s", account_id="2", user_name="bob", created_at_s=20)
IN_MEMORY_AND_REDIS = ["memory", pytest.param("redis", marks=pytest.mark.server)]


@pytest.fixture
def scripts(request: pytest.FixtureRequest, key_prefix: str) -> Iterator[Scripts]:
    server: RedisServer = request.getfixturevalue("redis_server")
    with server.client() as client:
        yield Scripts(client, key_prefix)


@pytest.fixture(params=IN_MEMORY_AND_REDIS)
def accounts(request: pytest.FixtureRequest) -> AccountStore:
    if request.param == "memory":
        return InMemoryAccountStore()
    return RedisAccountStore(request.getfixturevalue("scripts"))


@pytest.fixture(params=IN_MEMORY_AND_REDIS)
def sessions(request: pytest.FixtureRequest) -> SessionStore:
    if request.param == "memory":
        return InMemorySessionStore()
    return RedisSessionStore(request.getfixturevalue("scripts"))


def test_accounts_come_back_as_they_were_stored_by_user_name(accounts: AccountStore) -> None:
    assert accounts.everybody() == ()

    assert accounts.update(lambda _: (BOB, ANN)) == (ANN, BOB)

    assert accounts.everybody() == (ANN, BOB)
    assert accounts.get("2") == BOB
    assert accounts.get("3") is None


def test_an_update_changes_adds_and_removes_at_once(accounts: AccountStore) -> None:
    accounts.update(lambda _: (ANN, BOB))
    carl = replace(BOB, account_id="3", user_name="carl")

    accounts.update(lambda _: (replace(ANN, role=Role.OPERATOR), carl))

    assert accounts.everybody() == (replace(ANN, role=Role.OPERATOR), carl)


def test_an_update_that_raises_writes_nothing(accounts: AccountStore) -> None:
    accounts.update(lambda _: (ANN,))

    def refused(_: Accounts) -> Accounts:
        raise LookupError

    with pytest.raises(LookupError):
        accounts.update(refused)

    assert accounts.everybody() == (ANN,)


def test_an_update_begins_anew_when_another_one_was_faster(accounts: AccountStore) -> None:
    seen: list[Accounts] = []

    def add_bob(everybody: Accounts) -> Accounts:
        seen.append(everybody)
        if len(seen) == 1:
            accounts.update(lambda _: (ANN,))
        return (*everybody, BOB)

    assert accounts.update(add_bob) == (ANN, BOB)
    assert seen == [(), (ANN,)]
    assert accounts.everybody() == (ANN, BOB)


def test_sessions_are_listed_oldest_first_until_they_end(sessions: SessionStore) -> None:
    sessions.save(SECOND)
    sessions.save(FIRST)

    assert list(sessions.everything()) == [FIRST, SECOND]
    assert sessions.get("f") == sessions.use("f") == FIRST
    assert sessions.delete("f")
    assert not sessions.delete("f")
    assert sessions.get("f") is None
    assert sessions.use("f") is None
    assert list(sessions.everything()) == [SECOND]


def test_the_timeout_is_half_an_hour_until_it_is_changed(sessions: SessionStore) -> None:
    assert sessions.timeout_s() == 1_800

    sessions.set_timeout_s(30)

    assert sessions.timeout_s() == 30


@pytest.mark.server
def test_in_redis_a_session_lasts_for_its_timeout_and_each_use_renews_it(scripts: Scripts) -> None:
    sessions, key = RedisSessionStore(scripts), f"{scripts.prefix}session:f"
    sessions.save(FIRST)
    assert 1_790 < scripts.client.ttl(key) <= 1_800

    sessions.set_timeout_s(60)
    sessions.get("f")
    assert scripts.client.ttl(key) > 60
    sessions.use("f")
    assert scripts.client.ttl(key) <= 60

    scripts.client.pexpire(key, 1)
    while sessions.get("f") is not None:
        pass
    assert sessions.everything() == []
    assert scripts.client.zcard(f"{scripts.prefix}sessions") == 0
