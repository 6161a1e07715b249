"""
What the ports to the audit log promise, kept by Redis and by memory alike.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Protocol

import pytest

from odim_relay.adapters.redis import keys
from odim_relay.adapters.redis.audit import RedisAuditLog
from odim_relay.adapters.redis.connection import Scripts
from odim_relay.domain.actor import Actor, Channel
from odim_relay.ports import Action, AuditEntry, AuditListing, AuditLog, AuditSelection, Deed
from tests.conformance.ledgers import RULES
from tests.fakes.audit_log import InMemoryAuditLog
from tests.support.redis_server import RedisServer

MOST = 300
ADMIN = Actor(name="admin", channel=Channel.API, client="192.0.2.7")
ROOT = Actor(name="root", channel=Channel.CLI)


class Log(AuditLog, AuditListing, Protocol):
    pass


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.server)])
def log(request: pytest.FixtureRequest, key_prefix: str) -> Iterator[Log]:
    if request.param == "memory":
        yield InMemoryAuditLog(most=MOST)
        return
    server: RedisServer = request.getfixturevalue("redis_server")
    with server.client() as client:
        yield RedisAuditLog(Scripts(client, key_prefix, RULES), most=MOST, retention_s=86_400)


def deed(action: Action = Action.SUBSCRIPTION_CREATED, actor: Actor = ADMIN, subject: str = "") -> Deed:
    return Deed(action=action, actor=actor, subject=subject)


def subjects(entries: Sequence[AuditEntry]) -> list[str]:
    return [entry.deed.subject for entry in entries]


def chosen(log: AuditListing, **given: object) -> list[str]:
    return subjects(list(log.entries(AuditSelection(**given))))  # type: ignore[arg-type] # as each test gives it


def test_an_empty_log_has_no_entries(log: Log) -> None:
    assert list(log.entries()) == []


def test_every_member_of_a_deed_comes_back(log: Log) -> None:
    full = Deed(
        action=Action.LETTERS_REPLAYED,
        actor=ADMIN,
        subject="s",
        count=0,
        detail="2 subscriptions",
        error="Redis failed",
    )
    log.note(full)
    log.note(Deed(action=Action.SECRETS_ROTATED))

    bare, first = log.entries()

    assert first.deed == full
    assert bare.deed == Deed(action=Action.SECRETS_ROTATED)
    assert first.noted_at_ms == int(first.entry_id.partition("-")[0])


def test_entries_come_newest_first_also_where_the_kinds_are_kept_apart(log: Log) -> None:
    for number in range(250):
        log.note(deed(Action.LOG_IN_REFUSED if number % 3 == 0 else Action.SESSION_OPENED, subject=str(number)))

    found = list(log.entries())

    instants = [entry.noted_at_ms for entry in found]
    assert instants == sorted(instants, reverse=True)
    assert sorted(map(int, subjects(found))) == list(range(250))
    assert subjects([entry for entry in found if entry.deed.action is Action.SESSION_OPENED]) == [
        str(number) for number in reversed(range(250)) if number % 3
    ]


def test_a_page_is_read_and_no_more(log: Log) -> None:
    for number in range(20):
        log.note(deed(subject=str(number)))

    assert subjects(list(islice(log.entries(), 3))) == ["19", "18", "17"]


def test_entries_are_chosen_by_who_what_and_to_what(log: Log) -> None:
    log.note(deed(Action.SUBSCRIPTION_CREATED, ADMIN, "a"))
    log.note(deed(Action.SUBSCRIPTION_DELETED, ROOT, "b"))
    log.note(deed(Action.ACCOUNT_CREATED, ADMIN, "c"))

    assert chosen(log, actors=("admin",)) == ["c", "a"]
    assert chosen(log, actors=("cli",)) == ["b"]
    assert chosen(log, actors=("nobody",)) == []
    assert chosen(log, actions=("subscription",)) == ["b", "a"]
    assert chosen(log, actions=("account.created", "subscription.deleted")) == ["c", "b"]
    assert chosen(log, subjects=("a", "c")) == ["c", "a"]
    assert chosen(log, actors=("admin",), actions=("subscription",)) == ["a"]


def test_entries_are_chosen_by_when(log: Log) -> None:
    log.note(deed(subject="a"))
    (entry,) = log.entries()
    at_ms = entry.noted_at_ms

    assert chosen(log, since_ms=at_ms, until_ms=at_ms) == ["a"]
    assert chosen(log, since_ms=at_ms + 1) == []
    assert chosen(log, until_ms=at_ms - 1) == []
    assert chosen(log, until_ms=-5) == []
    assert chosen(log, since_ms=-5) == ["a"]


def test_the_oldest_leave_when_there_are_too_many(log: Log) -> None:
    for number in range(MOST + 5):
        log.note(deed(subject=str(number)))

    assert subjects(list(log.entries())) == [str(number) for number in reversed(range(5, MOST + 5))]


def test_who_tries_passwords_pushes_nothing_else_out(log: Log) -> None:
    log.note(deed(Action.SUBSCRIPTION_DELETED, subject="kept"))
    for number in range(MOST + 5):
        log.note(deed(Action.LOG_IN_REFUSED, subject=str(number)))

    assert chosen(log, actions=("subscription",)) == ["kept"]
    assert len(chosen(log, actions=("log_in",))) == MOST


def test_what_is_too_old_leaves() -> None:
    now_ms = [1_000]
    log = InMemoryAuditLog(retention_ms=100, now_ms=lambda: now_ms[0])
    log.note(deed(subject="old"))
    now_ms[0] = 1_101
    log.note(deed(subject="new"))

    assert subjects(list(log.entries())) == ["new"]


@pytest.mark.server
def test_what_is_too_old_leaves_redis_and_all_of_it_when_nobody_does_anything(
    redis_server: RedisServer, key_prefix: str
) -> None:
    with redis_server.client() as client:
        log = RedisAuditLog(Scripts(client, key_prefix, RULES), most=MOST, retention_s=3_600)
        now_ms = int(client.time()[0]) * 1000
        old = {"action": str(Action.ACCOUNT_CREATED), "subject": "old"}
        client.xadd(key_prefix + keys.AUDIT, old, id=f"{now_ms - 3_601_000}-0")
        assert chosen(log) == ["old"]

        log.note(deed(subject="new"))

        assert chosen(log) == ["new"]
        assert 3_590_000 < client.pttl(key_prefix + keys.AUDIT) <= 3_600_000


@pytest.mark.server
def test_what_a_newer_version_noted_is_passed_over(redis_server: RedisServer, key_prefix: str) -> None:
    with redis_server.client() as client:
        log = RedisAuditLog(Scripts(client, key_prefix, RULES), most=MOST, retention_s=3_600)
        log.note(deed(subject="known"))
        client.xadd(key_prefix + keys.AUDIT, {"action": "moon.landed"})
        client.xadd(key_prefix + keys.AUDIT, {"action": str(Action.ACCOUNT_CREATED), "channel": "telepathy"})

        assert chosen(log) == ["known"]
