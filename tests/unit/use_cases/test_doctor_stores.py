from dataclasses import replace
from ipaddress import ip_network
from types import MappingProxyType

import pytest

from odim_relay.ports import FileProblem, Position, RedisCondition, TopicFacts, TopicPartition, WorkerFacts
from odim_relay.use_cases.doctor_kafka import examine_group, examine_lost, examine_retention
from odim_relay.use_cases.doctor_processes import examine_beat, examine_workers
from odim_relay.use_cases.doctor_redis import Needs, examine_condition
from odim_relay.use_cases.doctor_settings import (
    ChosenTimes,
    examine_certificate,
    examine_egress,
    examine_files,
    examine_proxy,
    examine_times,
)
from odim_relay.use_cases.findings import Finding, size, some, span

GIB = 2**30
WELL = RedisCondition(
    maxmemory_bytes=4 * GIB,
    used_bytes=GIB,
    host_bytes=8 * GIB,
    client_count=10,
    most_clients=10_000,
    hz=10,
    answer_ms=0.3,
)
NEEDS = Needs(ledger_bytes=2 * GIB, beside_bytes=GIB // 10, connections=132, worker_count=4)
P0, P1 = TopicPartition(topic="T", partition=0), TopicPartition(topic="T", partition=1)
TOPIC = TopicFacts(
    partition_count=2,
    replica_count=3,
    configuration=MappingProxyType({"retention.ms": "604800000", "retention.bytes": "-1", "cleanup.policy": "delete"}),
)
TIMES = ChosenTimes(
    timeout_s=15,
    lease_margin_s=15,
    reap_interval_s=5,
    retry_attempts=5,
    retry_interval_s=15,
    retry_factor=3,
    retry_max_interval_s=900,
    max_countdown_s=900,
    probe_interval_s=30,
    probe_max_interval_s=300,
    replay_interval_s=30,
    retention_s=604_800,
)


def wrong(findings: list[Finding]) -> list[str]:
    assert all(finding.found for finding in findings)
    assert all(finding.remedy for finding in findings if finding.is_wrong)
    return [finding.subject for finding in findings if finding.is_wrong]


def hints(findings: list[Finding]) -> list[str]:
    return [finding.subject for finding in findings if finding.remedy and not finding.is_wrong]


# --- Redis ---


def test_a_server_that_does_well_has_nothing_to_mend() -> None:
    findings = examine_condition(WELL, NEEDS)

    assert wrong(findings) == hints(findings) == []
    assert "1.0 GiB of 4.0 GiB used" in [finding.found for finding in findings]


@pytest.mark.parametrize(
    ("facts", "needs", "subject"),
    [
        (replace(WELL, used_bytes=int(3.7 * GIB)), NEEDS, "redis memory"),
        (WELL, replace(NEEDS, ledger_bytes=int(3.2 * GIB)), "ledger budget"),
        (WELL, replace(NEEDS, beside_bytes=int(1.3 * GIB)), "ledger budget"),
        (replace(WELL, host_bytes=5 * GIB), NEEDS, "redis host memory"),
        (replace(WELL, evicted_count=1), NEEDS, "redis evicted keys"),
        (replace(WELL, aof_write="err"), NEEDS, "redis writes to its AOF"),
        (replace(WELL, aof_rewrite="err"), NEEDS, "redis writes to its AOF"),
        (replace(WELL, client_count=9_001), NEEDS, "redis connections"),
        (replace(WELL, most_clients=500), NEEDS, "redis connections"),
        (replace(WELL, answer_ms=21), NEEDS, "redis answers"),
        (replace(WELL, ahead_ms=2_001), NEEDS, "redis clock"),
        (replace(WELL, ahead_ms=-2_001), NEEDS, "redis clock"),
    ],
    ids=str,
)
def test_each_trouble_of_redis_is_found(facts: RedisCondition, needs: Needs, subject: str) -> None:
    assert wrong(examine_condition(facts, needs)) == [subject]


def test_what_redis_lacks_without_being_wrong_is_a_hint() -> None:
    assert hints(examine_condition(replace(WELL, maxmemory_bytes=0, hz=1), NEEDS)) == ["redis memory", "redis hz"]
    silent = replace(WELL, maxmemory_bytes=None, most_clients=None, hz=None)
    assert hints(examine_condition(silent, NEEDS)) == ["redis memory", "redis connections"]
    assert wrong(examine_condition(silent, NEEDS)) == []


def test_the_way_a_clock_is_off_is_told() -> None:
    (ahead,) = [one for one in examine_condition(replace(WELL, ahead_ms=7_200_000), NEEDS) if one.is_wrong]
    (behind,) = [one for one in examine_condition(replace(WELL, ahead_ms=-3_000), NEEDS) if one.is_wrong]

    assert ahead.found == "2 hours before this host's"
    assert behind.found == "3.0 s behind this host's"


# --- Kafka ---


def test_a_topic_that_keeps_its_records_for_days_is_well() -> None:
    findings = examine_retention("T", TOPIC)

    assert wrong(findings) == hints(findings) == []
    assert findings[0].found == "7 days"


@pytest.mark.parametrize(
    ("configuration", "subject"),
    [
        ({"retention.ms": "3600000"}, "topic T retention"),
        ({"retention.ms": "0"}, "topic T retention"),
        ({"retention.ms": "3600000", "retention.bytes": "1000"}, "topic T retention"),
        ({"cleanup.policy": "compact"}, "topic T cleanup"),
        ({"cleanup.policy": "compact,delete"}, "topic T cleanup"),
    ],
)
def test_a_topic_that_forgets_is_wrong(configuration: dict[str, str], subject: str) -> None:
    facts = replace(TOPIC, configuration={**TOPIC.configuration, **configuration})

    assert wrong(examine_retention("T", facts)) == [subject]


def test_what_may_be_too_little_is_a_hint() -> None:
    few_bytes = replace(TOPIC, configuration={**TOPIC.configuration, "retention.bytes": "1000"})

    assert hints(examine_retention("T", few_bytes)) == ["topic T retention"]
    assert hints(examine_retention("T", replace(TOPIC, replica_count=1))) == ["topic T replicas"]
    assert hints(examine_retention("T", replace(TOPIC, configuration={}))) == ["topic T retention"]
    for_ever = replace(TOPIC, configuration={**TOPIC.configuration, "retention.ms": "-1"})
    assert hints(examine_retention("T", for_ever)) == []
    assert examine_retention("T", TopicFacts(partition_count=0)) == []


def test_records_that_kafka_removed_before_they_were_taken_in_are_counted() -> None:
    positions = {P0: Position(topic_epoch="e", offset=90), P1: Position(topic_epoch="e", offset=100)}

    (found,) = examine_lost(positions, {P0: (100, 200), P1: (100, 200)})

    assert found.is_wrong
    assert found.found.startswith("10 of T/0 were removed")
    assert examine_lost(positions, {P0: (90, 200), P1: (0, 200)}) == []
    # A position beyond the end is of a log that is gone.
    assert examine_lost(positions, {P0: (0, 5)}) == []


def test_a_group_without_a_bridge_is_wrong_and_one_with_too_many_is_told() -> None:
    assert wrong([examine_group(0, [P0])]) == ["bridges"]
    assert hints([examine_group(3, [P0, P1])]) == ["bridges"]
    assert hints([examine_group(2, [P0, P1])]) == []
    assert hints([examine_group(None, [P0])]) == ["bridges"]


# --- processes ---

WORKER = WorkerFacts(name="deliveries@a", version="1.0", queues=frozenset({"deliveries"}), ahead_ms=0)
KEEPER = WorkerFacts(name="maintenance@a", version="1.0", queues=frozenset({"maintenance"}), ahead_ms=0)


def test_workers_for_both_queues_of_our_version_are_well() -> None:
    findings = examine_workers([WORKER, KEEPER], "1.0")

    assert wrong(findings) == []
    assert findings[0].found == "1 for deliveries, 1 for maintenance"


@pytest.mark.parametrize(
    ("workers", "subjects", "named"),
    [
        ([], ["workers"], "-Q deliveries` `celery -A odim_relay worker -Q maintenance`"),
        ([WORKER], ["workers"], "-Q maintenance"),
        ([KEEPER], ["workers"], "-Q deliveries"),
        ([WORKER, replace(KEEPER, version="0.9")], ["worker versions"], "maintenance@a 0.9"),
        ([WORKER, replace(KEEPER, ahead_ms=-60_000)], ["worker clocks"], "maintenance@a -1 minute"),
        ([WORKER, WorkerFacts(name="old@a")], ["worker versions"], "old@a without a version"),
    ],
)
def test_each_trouble_of_workers_is_found(workers: list[WorkerFacts], subjects: list[str], named: str) -> None:
    findings = examine_workers(workers, "1.0")

    assert wrong(findings) == subjects
    assert any(named in f"{one.found} {one.remedy}" for one in findings if one.is_wrong)


def test_a_schedule_that_nobody_sends_is_wrong() -> None:
    assert wrong([examine_beat(has_beat=False), examine_beat(has_beat=True)]) == ["beat"]


# --- settings ---


def test_the_defaults_do_not_contradict_each_other() -> None:
    assert wrong(examine_times(TIMES)) == []
    assert wrong(examine_times(replace(TIMES, is_rabbitmq=True))) == []


@pytest.mark.parametrize(
    ("chosen", "named"),
    [
        (replace(TIMES, lease_margin_s=1), "LEDGER__LEASE_MARGIN_S"),
        (replace(TIMES, timeout_s=1, lease_margin_s=3, reap_interval_s=5), "LEDGER__REAP_INTERVAL_S"),
        (replace(TIMES, retry_interval_s=901), "DELIVERY__RETRY_MAX_INTERVAL_S"),
        (replace(TIMES, probe_interval_s=301), "BREAKER__PROBE_MAX_INTERVAL_S"),
        (replace(TIMES, replay_interval_s=301), "DEAD_LETTERS__REPLAY_INTERVAL_S"),
        (replace(TIMES, retention_s=1_400), "DEAD_LETTERS__RETENTION_S"),
        (replace(TIMES, is_rabbitmq=True, max_countdown_s=1_801), "consumer_timeout"),
    ],
)
def test_each_contradiction_names_its_settings(chosen: ChosenTimes, named: str) -> None:
    findings = examine_times(chosen)

    assert len(wrong(findings)) == 1
    assert findings[0].subject.startswith("settings: ")
    assert named in findings[0].found


def test_all_retries_take_as_long_as_their_waits_each_bounded() -> None:
    assert TIMES.retrying_s == 15 + 45 + 135 + 405 + 900


def test_what_is_allowed_in_vain_is_told() -> None:
    allow = (ip_network("10.1.0.0/16"), ip_network("127.0.0.0/8"), ip_network("fd00::/8"))

    (found,) = examine_egress(allow, (ip_network("10.0.0.0/8"), ip_network("fe80::/10")))

    assert found.is_wrong
    assert "10.1.0.0/16, which" in found.found
    assert examine_egress(allow, (ip_network("10.1.2.0/24"),)) == []


def test_a_proxy_that_takes_no_connections_is_wrong() -> None:
    assert wrong([examine_proxy("http://p:80", ""), examine_proxy("http://p:80", "takes none")]) == ["egress proxy"]


def test_files_that_cannot_be_used_are_told_one_by_one() -> None:
    problems = [FileProblem(used_for="subscription s", problem="no key"), FileProblem(used_for="X", problem="empty")]

    findings = examine_files(problems, 5)

    assert [one.found for one in findings] == ["no key", "empty"]
    assert wrong(findings) == ["tls files: subscription s", "tls files: X"]
    assert [one.found for one in examine_files([], 2)] == ["2 can be used"]
    assert examine_files([], 0) == []


@pytest.mark.parametrize(
    ("left_s", "is_own", "is_wrong", "found"),
    [
        (90 * 86_400, False, False, "expires in 90 days"),
        (13 * 86_400, False, True, "expires in 13 days"),
        (-7_200, False, True, "expired 2 hours ago"),
        (13 * 86_400, True, False, "self-signed, expires in 13 days"),
    ],
)
def test_a_certificate_that_expires_soon_is_wrong_unless_it_renews_itself(
    left_s: float, is_own: bool, is_wrong: bool, found: str
) -> None:
    finding = examine_certificate("c", left_s, is_own=is_own)

    assert (finding.is_wrong, finding.found) == (is_wrong, found)
    assert bool(finding.remedy) == (left_s < 14 * 86_400)


# --- words ---


def test_sizes_and_spans_are_in_units_of_their_own() -> None:
    assert [size(count) for count in (512, 1536, 5 * 2**20, 3 * 2**31, 2**42)] == [
        "512 bytes",
        "1.5 KiB",
        "5.0 MiB",
        "6.0 GiB",
        "4,096.0 GiB",
    ]
    assert [span(s) for s in (0.5, 59, 60, 3_600, 86_400, 172_800)] == [
        "0.5 s",
        "59.0 s",
        "1 minute",
        "1 hour",
        "1 day",
        "2 days",
    ]
    assert some([str(number) for number in range(7)]) == "0, 1, 2, 3, 4 and 2 more"
