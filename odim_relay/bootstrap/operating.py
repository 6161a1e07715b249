"""
What a person may do and ask.
"""

import time
from functools import cache

from odim_relay.adapters.kafka.consumer import KafkaSource
from odim_relay.bootstrap.engine import publisher
from odim_relay.bootstrap.odim import follows_odim, odim_store
from odim_relay.bootstrap.process import new_id, sealer, settings
from odim_relay.bootstrap.records import consumer_group, decoders, kafka_source
from odim_relay.bootstrap.stores import (
    attempt_listing,
    audit,
    backlog_ledger,
    delivery_listing,
    event_service_store,
    flow_listing,
    identity_store,
    ingest_ledger,
    inventory_store,
    ledger_figures,
    quarantine_ledger,
    quarantine_listing,
    subscription_store,
)
from odim_relay.errors import OdimRelayError, TransientError
from odim_relay.use_cases.directory import MatcherDirectory
from odim_relay.use_cases.follow_record import FollowRecord
from odim_relay.use_cases.letters_by_hand import LettersByHand
from odim_relay.use_cases.offsets import ResetOffsets
from odim_relay.use_cases.quarantine import ReplayQuarantine
from odim_relay.use_cases.readiness import Readiness, Unreachable
from odim_relay.use_cases.rotate_secrets import RotateSecrets

_READY_WITHIN_S = 5.0


def letters_by_hand() -> LettersByHand:
    """
    Replays and discards what is parked.
    """
    return LettersByHand(
        ledger=backlog_ledger(), flows=flow_listing(), publisher=publisher(), pause=time.sleep, audit=audit()
    )


def replay_quarantine() -> ReplayQuarantine:
    """
    Takes records out of quarantine in again.
    """
    return ReplayQuarantine(
        ledger=quarantine_ledger(),
        listing=quarantine_listing(),
        matchers=MatcherDirectory(subscription_store(), event_service_store(), inventory_store()),
        decoders=decoders(),
        publisher=publisher(),
        audit=audit(),
    )


def follow_record() -> FollowRecord:
    """
    Tells what became of a Kafka record.

    Raises:
        TransientError: Redis cannot be reached.
    """
    return FollowRecord(
        positions=ledger_figures().positions(),
        deliveries=delivery_listing(),
        attempts=attempt_listing(),
        quarantine=quarantine_listing(),
    )


def rotate_secrets() -> RotateSecrets:
    """
    Encrypts what is kept with the newest key.
    """
    return RotateSecrets(stores=(subscription_store(), identity_store()), can_seal=sealer().can_seal, audit=audit())


def reset_offsets(source: KafkaSource) -> ResetOffsets:
    """
    Makes bridges start elsewhere.
    """
    return ResetOffsets(ledger=ingest_ledger(), source=source, group=consumer_group(), new_id=new_id, audit=audit())


def readiness() -> list[Unreachable]:
    """
    Tell which stores cannot be reached, and why, within a few seconds; empty when all can.

    Raises:
        ConfigurationError: a setting is wrong.
    """
    settings()  # a wrong one is told here, once, and not by whoever stumbles over it first
    return _readiness()()


@cache
def _readiness() -> Readiness:
    def ask_odim() -> None:
        try:
            odim_store().ping()
        except OdimRelayError as exc:
            raise TransientError(f"{exc}; what was read of it last serves on") from exc

    def ask_kafka() -> None:
        source = kafka_source()
        try:
            source.partitions()
        finally:
            source.close()

    return Readiness(
        {
            "redis": lambda: ledger_figures().now_ms(),
            "broker": lambda: publisher().queue_depth(),
            "kafka": ask_kafka,
            **({"odim": ask_odim} if follows_odim() else {}),
        },
        _READY_WITHIN_S,
    )
