"""
What workers and the duties of the schedule do.
"""

import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache

from odim_relay import telemetry
from odim_relay.adapters.http.sender import RequestsSender
from odim_relay.adapters.http.token_endpoint import OAuthTokenEndpoint
from odim_relay.bootstrap.engine import publisher
from odim_relay.bootstrap.process import USER_AGENT, egress_policy, new_id, settings, signer, stopping
from odim_relay.bootstrap.records import partitions
from odim_relay.bootstrap.stores import (
    attempt_store,
    backlog_ledger,
    delivery_ledger,
    delivery_listing,
    durability_facts,
    event_service_store,
    flow_listing,
    journal,
    ledger_figures,
    notice_outbox,
    sample_store,
    subscription_store,
    turn,
)
from odim_relay.bootstrap.subscribing import announce
from odim_relay.bootstrap.tracing import tracer
from odim_relay.domain.backoff import Backoff, even_draws
from odim_relay.domain.decision import Schedule
from odim_relay.domain.proxy import read_no_proxy, read_proxy
from odim_relay.domain.sample import INTERVAL_S as SAMPLE_INTERVAL_S
from odim_relay.errors import TransientError
from odim_relay.use_cases.attempt_log import AttemptLog
from odim_relay.use_cases.backups import SendWithBackups
from odim_relay.use_cases.deliver import Deliver
from odim_relay.use_cases.directory import SubscriptionDirectory
from odim_relay.use_cases.durability import WatchDurability
from odim_relay.use_cases.duty import Duty
from odim_relay.use_cases.expire import Expire
from odim_relay.use_cases.heartbeat import INTERVAL_S as HEARTBEAT_INTERVAL_S
from odim_relay.use_cases.heartbeat import Heartbeat
from odim_relay.use_cases.patience import PatientLedger
from odim_relay.use_cases.reap import Reap
from odim_relay.use_cases.replay import Replay
from odim_relay.use_cases.sample import TakeSample
from odim_relay.use_cases.streams import SweepStreams
from odim_relay.use_cases.tell import Tell
from odim_relay.use_cases.tokens import SendWithTokens

_LONGEST_KNOCK_S = 5.0


@cache
def sender() -> RequestsSender:
    """
    Sends to destinations.

    Raises:
        ConfigurationError: a setting of TLS is wrong.
    """
    chosen = settings().delivery
    if not chosen.verify:
        telemetry.logger(__name__).warning(
            "tls.not_verified", setting="DELIVERY__VERIFY", detail="whoever answers for a destination gets its events"
        )
    way = settings().egress
    return RequestsSender(
        now=lambda: datetime.now(UTC),
        user_agent=USER_AGENT,
        egress=egress_policy(),
        verify=chosen.verify,
        ca_file=chosen.ca_file,
        concurrency=chosen.concurrency,
        tls_folder=chosen.tls_dir,
        proxy=None if way.proxy is None else read_proxy(way.proxy),
        no_proxy=read_no_proxy(way.no_proxy),
    )


@cache
def deliver() -> Deliver:
    """
    The work of the delivery task.
    """
    chosen = settings().delivery
    return Deliver(
        ledger=PatientLedger(delivery_ledger(), stopping.wait),
        directory=SubscriptionDirectory(subscription_store(), event_service_store()),
        send=SendWithBackups(sender=_sender_with_tokens(), now_s=time.time, is_ours=_is_ours),
        publisher=publisher(),
        schedule=Schedule(
            retries=chosen.retry_attempts,
            backoff=Backoff(
                interval_s=chosen.retry_interval_s,
                factor=chosen.retry_factor,
                max_interval_s=chosen.retry_max_interval_s,
            ),
        ),
        timeout_s=chosen.timeout_s,
        draw=even_draws(random.random()),  # noqa: S311 - jitter
        now_s=time.time,
        signer=signer(),
        note=attempt_log().note,
        tracer=tracer(),
    )


@cache
def attempt_log() -> AttemptLog:
    """
    What attempts of this process came to.
    """
    return AttemptLog(store=attempt_store(), attempts=settings().history.attempts)


def close_attempt_log() -> None:
    """
    Tell what was not told yet, where anything was attempted.
    """
    if attempt_log.cache_info().currsize:
        attempt_log().close()


def _sender_with_tokens() -> SendWithTokens:
    return SendWithTokens(sender=sender(), endpoint=OAuthTokenEndpoint(sender().ask), monotonic_s=time.monotonic)


def _is_ours(name: str, for_s: float) -> bool:
    try:
        return turn(name).take(for_s)
    except TransientError:
        return False  # who does not know leaves it to others


@cache
def reap() -> Reap:
    """
    The work of the reap task.
    """
    return Reap(ledger=delivery_ledger(), publisher=publisher())


@cache
def replay() -> Duty:
    """
    The work of the replay task.
    """
    work = Replay(
        ledger=backlog_ledger(),
        store=subscription_store(),
        connector=sender(),
        publisher=publisher(),
        timeout_s=min(settings().delivery.timeout_s, _LONGEST_KNOCK_S),
    )
    return _duty("replay", work, settings().dead_letters.replay_interval_s)


@cache
def expire() -> Duty:
    """
    The work of the expire task.
    """
    expire_letters = Expire(ledger=backlog_ledger(), publisher=publisher())
    sweep_streams = SweepStreams(
        subscriptions=subscription_store(),
        services=event_service_store(),
        journal=journal(),
        new_turn=turn,
        linger_s=settings().api.journal_linger_s,
    )

    def work() -> None:
        expire_letters()
        sweep_streams()

    return _duty("expire", work, settings().dead_letters.expire_interval_s)


@cache
def heartbeat() -> Duty:
    """
    The work of the heartbeat task.
    """
    work = Heartbeat(
        store=subscription_store(),
        services=event_service_store(),
        flows=flow_listing(),
        listing=delivery_listing(),
        announce=announce(),
        new_turn=turn,
        new_id=new_id,
        now_s=time.time,
    )
    return _duty("heartbeat", work, HEARTBEAT_INTERVAL_S)


@cache
def tell() -> Duty:
    """
    The work of the tell task. It holds its turn no longer than it works: who is called comes at once.
    """
    work = Tell(outbox=notice_outbox(), store=subscription_store(), services=event_service_store(), announce=announce())
    return _duty("tell", work, 0.0)


@cache
def take_sample() -> Duty:
    """
    The work of the sample task.
    """
    work = TakeSample(
        store=sample_store(),
        figures=ledger_figures(),
        flows=flow_listing(),
        queue_depth=lambda: publisher().queue_depth(),
        lag=lambda: sum(row.lag for row in partitions()),
        monotonic_s=time.monotonic,
    )
    return _duty("sample", work, SAMPLE_INTERVAL_S)


def _duty(name: str, work: Callable[[], object], interval_s: float) -> Duty:
    return Duty(name, work, new_turn=lambda: turn(name), interval_s=interval_s, monotonic_s=time.monotonic)


@cache
def watch_durability() -> WatchDurability:
    """
    The work of the examine task.
    """
    return WatchDurability(inspect=durability_facts, new_turn=lambda: turn("told:durability"))
