from dataclasses import fields
from typing import Any

import pytest

from odim_relay.adapters.redis.rules import LedgerRules
from odim_relay.rules import rules_of
from odim_relay.settings import (
    ApiSettings,
    BreakerSettings,
    DeadLetterSettings,
    DeliverySettings,
    LedgerSettings,
    QuarantineSettings,
    Settings,
)

GIB = 2**30


def settings(**groups: Any) -> Settings:
    """
    Whatever the environment says, these are as they are by default.
    """
    defaults: dict[str, Any] = {
        "delivery": DeliverySettings(),
        "breaker": BreakerSettings(),
        "dead_letters": DeadLetterSettings(),
        "quarantine": QuarantineSettings(),
        "ledger": LedgerSettings(),
        "api": ApiSettings(),
    }
    return Settings.model_construct(**{**defaults, **groups})


def test_the_defaults_of_settings_and_rules_are_the_same() -> None:
    assert rules_of(settings(), 0) == LedgerRules()


@pytest.mark.parametrize(
    ("set_bytes", "maxmemory_bytes", "max_bytes"),
    [
        (None, 0, GIB),
        (None, 10 * GIB, 6 * GIB),
        (None, 100_000_000, 60_000_000),
        (2 * GIB, 0, 2 * GIB),
        (2 * GIB, 10 * GIB, 2 * GIB),
    ],
)
def test_the_budget_is_as_set_else_a_share_of_what_redis_may_hold(
    set_bytes: int | None, maxmemory_bytes: int, max_bytes: int
) -> None:
    rules = rules_of(settings(ledger=LedgerSettings(max_bytes=set_bytes)), maxmemory_bytes)

    assert rules.max_bytes == max_bytes
    assert rules.backlog_bytes == round(0.8 * max_bytes)
    assert rules.quota_bytes == round(0.2 * max_bytes)


def test_a_subscriptions_share_of_the_budget_is_as_set() -> None:
    chosen = settings(
        dead_letters=DeadLetterSettings(max_share=0.5, max_count=7), ledger=LedgerSettings(max_bytes=10_000_000)
    )

    rules = rules_of(chosen, 0)

    assert (rules.quota_bytes, rules.quota_count) == (5_000_000, 7)


def test_a_lease_is_the_timeout_and_a_margin_and_a_lost_probe_waits_for_the_reaper() -> None:
    chosen = settings(
        delivery=DeliverySettings(timeout_s=2.5), ledger=LedgerSettings(lease_margin_s=0.5, queue_patience_s=1)
    )

    rules = rules_of(chosen, 0)

    assert (rules.lease_ms, rules.patience_ms, rules.probe_lease_ms) == (3_000, 1_000, 5_000)


def test_the_longest_interval_of_probes_is_no_shorter_than_the_first() -> None:
    chosen = settings(breaker=BreakerSettings(failures=3, probe_interval_s=60, probe_max_interval_s=30))

    rules = rules_of(chosen, 0)

    assert (rules.breaker_failures, rules.probe_ms, rules.probe_max_ms) == (3, 60_000, 60_000)


def test_failures_that_count_apart_are_closer_than_the_shortest_retry() -> None:
    rules = rules_of(settings(delivery=DeliverySettings(retry_interval_s=10, retry_attempts=2)), 0)

    assert rules.retries == 2
    assert rules.failure_spacing_ms == 7_500
    assert rules.failure_spacing_ms == rules.spacing_share * 10_000 < 0.8 * 10_000  # with jitter


def test_each_setting_has_its_rule() -> None:
    chosen = settings(
        delivery=DeliverySettings(window=5, max_in_flight_per_destination=6, concurrency=7, max_countdown_s=8),
        dead_letters=DeadLetterSettings(replay_interval_s=9, retention_s=10, drain_rate=0.5),
        quarantine=QuarantineSettings(max_bytes=11),
        api=ApiSettings(journal_max_bytes=70_000),
    )

    rules = rules_of(chosen, 0)

    assert (rules.window, rules.cap, rules.slots, rules.max_countdown_ms) == (5, 6, 7, 8_000)
    assert (rules.replay_ms, rules.retention_ms, rules.drain_rate) == (9_000, 10_000, 0.5)
    assert (rules.quarantine_bytes, rules.journal_bytes) == (11, 70_000)


def test_the_rules_are_written_for_lua_in_full() -> None:
    written = LedgerRules(drain_rate=0.5, window=3).as_lua()

    head, _, rest = written.partition("{ ")
    members = dict(member.split(" = ") for member in rest.removesuffix(" }\n").split(", "))
    assert head == "local RULES = "
    assert members.keys() == {field.name for field in fields(LedgerRules)} | {"letter_version", "urgent", "live"}
    assert (members["drain_rate"], members["window"]) == ("0.5", "3")
    assert all(float(value) >= 0 for value in members.values())
