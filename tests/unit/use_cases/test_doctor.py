from dataclasses import replace

import pytest

from odim_relay.ports import Commit, OdimFacts, RedisFacts, SealState, TopicPartition
from odim_relay.use_cases.doctor import (
    LedgerFacts,
    examine_ledger,
    examine_odim,
    examine_redis,
    examine_secrets,
    examine_topics,
)

HERE = TopicPartition(topic="T", partition=0)
THERE = TopicPartition(topic="T", partition=1)
GOOD = RedisFacts(
    version=(7, 2, 4),
    is_cluster=False,
    is_behind_sentinel=False,
    role="master",
    appendonly="yes",
    appendfsync="everysec",
    maxmemory_policy="noeviction",
    min_replicas_to_write=0,
)


def wrong(facts: RedisFacts) -> list[str]:
    findings = examine_redis(facts)
    assert all(finding.remedy for finding in findings if finding.is_wrong)
    return [finding.subject for finding in findings if finding.is_wrong]


def test_a_good_server_has_nothing_wrong() -> None:
    assert wrong(GOOD) == []
    assert wrong(replace(GOOD, version=(6, 2, 9))) == []


@pytest.mark.parametrize(
    ("facts", "subject"),
    [
        (replace(GOOD, version=(6, 0, 16)), "redis version"),
        (replace(GOOD, is_cluster=True), "redis mode"),
        (replace(GOOD, role="slave"), "redis role"),
        (replace(GOOD, appendonly="no"), "redis persistence"),
        (replace(GOOD, appendfsync="no"), "redis fsync"),
        (replace(GOOD, maxmemory_policy="allkeys-lru"), "redis eviction"),
        (replace(GOOD, is_behind_sentinel=True), "redis fail-over"),
    ],
)
def test_each_fault_is_found_with_a_remedy(facts: RedisFacts, subject: str) -> None:
    assert wrong(facts) == [subject]


def test_sentinel_with_a_replica_to_wait_for_is_fine() -> None:
    """L34"""
    assert wrong(replace(GOOD, is_behind_sentinel=True, min_replicas_to_write=1)) == []


def test_a_server_that_does_not_tell_its_configuration_is_not_called_wrong() -> None:
    silent = replace(
        GOOD,
        is_behind_sentinel=True,
        appendonly=None,
        appendfsync=None,
        maxmemory_policy=None,
        min_replicas_to_write=None,
    )
    assert wrong(silent) == []
    assert sum("is not told" in finding.found for finding in examine_redis(silent)) == 4


def test_a_missing_topic_is_wrong() -> None:
    found = {finding.subject: finding.is_wrong for finding in examine_topics(("T", "U"), [HERE, THERE])}
    assert found == {"topic T": False, "topic U": True}


@pytest.mark.parametrize(
    ("facts", "is_wrong"),
    [
        (LedgerFacts(birth=None), False),
        (LedgerFacts(birth="b"), False),
        (LedgerFacts(birth=None, commits={HERE: Commit(offset=1, metadata="b")}), True),
        (LedgerFacts(birth="b", commits={HERE: Commit(offset=1, metadata="c")}, positions=frozenset({HERE})), True),
        (LedgerFacts(birth="b", commits={HERE: Commit(offset=1, metadata="b")}, positions=frozenset({HERE})), False),
        (LedgerFacts(birth="b", commits={HERE: Commit(offset=1, metadata="")}, positions=frozenset({HERE})), False),
        (LedgerFacts(birth="b", commits={HERE: Commit(offset=1, metadata="b")}, positions=frozenset({THERE})), True),
    ],
)
def test_a_ledger_that_a_bridge_would_refuse_is_wrong(facts: LedgerFacts, is_wrong: bool) -> None:
    """L12"""
    assert examine_ledger(facts).is_wrong is is_wrong


FOLLOWED = OdimFacts(role="master", notifications="Kz", counts={"Subscription": 3, "DeviceSubscription": 0})


def test_an_odim_that_can_be_followed_has_nothing_wrong_and_its_rows_are_told() -> None:
    findings = examine_odim(FOLLOWED)
    assert not any(finding.is_wrong or finding.remedy for finding in findings)
    assert "3 in Subscription, 0 in DeviceSubscription" in " ".join(finding.found for finding in findings)


@pytest.mark.parametrize(
    ("facts", "subject", "named"),
    [
        (replace(FOLLOWED, role="slave"), "odim redis role", "primary"),
        (replace(FOLLOWED, counts={"Subscription": 0}), "odim tables", "on-disk"),
    ],
)
def test_what_keeps_odim_from_being_followed_is_wrong(facts: OdimFacts, subject: str, named: str) -> None:
    (found,) = [finding for finding in examine_odim(facts) if finding.is_wrong]
    assert found.subject == subject
    assert named in found.remedy


@pytest.mark.parametrize("events", ["", "K", "Ez", "Kg", "AE"])
def test_notifications_that_are_off_are_not_wrong_but_how_to_turn_them_on_is_told(events: str) -> None:
    *_, found = examine_odim(replace(FOLLOWED, notifications=events))
    assert not found.is_wrong
    assert "notify-keyspace-events Kz" in found.remedy


@pytest.mark.parametrize("events", ["Kz", "zK", "AKE", "KEA"])
def test_notifications_may_be_more_than_odim_needs(events: str) -> None:
    *_, found = examine_odim(replace(FOLLOWED, notifications=events))
    assert (found.is_wrong, found.remedy) == (False, "")


def test_an_odim_that_tells_nothing_of_itself_is_not_called_wrong() -> None:
    findings = examine_odim(replace(FOLLOWED, role=None, notifications=None))
    assert not any(finding.is_wrong for finding in findings)


def test_secrets_that_stand_as_they_are_are_told_once_and_are_no_fault() -> None:
    (finding,) = examine_secrets([("s", SealState.PLAIN), ("t", SealState.PLAIN)], can_seal=False)

    assert not finding.is_wrong
    assert finding.found == "SECRETS__ENCRYPTION_KEYS is not set: 2 stand as they are"
    assert "odim-relay secrets new-key" in finding.remedy


@pytest.mark.parametrize(
    ("states", "found", "has_remedy"),
    [
        ([SealState.CURRENT], "1 encrypted with the newest key", False),
        (
            [SealState.CURRENT, SealState.OLDER, SealState.PLAIN],
            "1 encrypted with the newest key, 1 with an older one, 1 as they are",
            True,
        ),
    ],
)
def test_what_is_to_be_encrypted_anew_is_told(states: list[SealState], found: str, has_remedy: bool) -> None:
    (finding,) = examine_secrets([(str(at), state) for at, state in enumerate(states)], can_seal=True)

    assert (finding.is_wrong, finding.found) == (False, found)
    assert ("odim-relay secrets rotate" in finding.remedy) is has_remedy


def test_secrets_that_nobody_can_read_are_a_fault() -> None:
    states = [(f"s{at}", SealState.UNREADABLE) for at in range(7)]

    wrong_one, _ = examine_secrets(states, can_seal=True)

    assert wrong_one.is_wrong
    assert wrong_one.found.startswith("of s0, s1, s2, s3, s4 and 2 more: SECRETS__ENCRYPTION_KEYS lacks their key")
