"""
Subscriptions, what is said for all of them, and events of our own.
"""

import time
from functools import cache

from odim_relay.adapters.redis.announcing import RedisAnnouncingLedger
from odim_relay.bootstrap.engine import publisher
from odim_relay.bootstrap.process import egress_policy, new_id, settings
from odim_relay.bootstrap.stores import (
    audit,
    backlog_ledger,
    event_service_store,
    inventory_store,
    journal,
    scripts,
    subscription_store,
    turn,
)
from odim_relay.domain.keeper import Keeper
from odim_relay.use_cases.announce import Announce
from odim_relay.use_cases.directory import MatcherDirectory, SubscriptionDirectory
from odim_relay.use_cases.event_service import EventService
from odim_relay.use_cases.streams import Streams
from odim_relay.use_cases.subscribe import Subscribe
from odim_relay.use_cases.suspend import Suspend


def subscribe() -> Subscribe:
    """
    Creates, changes and deletes subscriptions.
    """
    return Subscribe(
        store=subscription_store(),
        wake=lambda id_: suspend().wake(id_),
        new_id=new_id,
        now_s=time.time,
        egress=egress_policy(),
        read_only=frozenset({Keeper.ODIM} if settings().odim.redis_url else ()),
        audit=audit(),
    )


def suspend() -> Suspend:
    """
    Suspends and resumes subscriptions.
    """
    return Suspend(ledger=backlog_ledger(), publisher=publisher(), audit=audit())


def event_service() -> EventService:
    """
    Reads and changes what is said for all subscriptions.
    """
    return EventService(store=event_service_store(), ledger=backlog_ledger(), publisher=publisher(), audit=audit())


@cache
def subscription_directory() -> SubscriptionDirectory:
    """
    All subscriptions as this process knows them, for who looks at all of them again and again.
    """
    return SubscriptionDirectory(subscription_store(), event_service_store())


@cache
def announce() -> Announce:
    """
    Sends events of our own.
    """
    return Announce(
        ledger=RedisAnnouncingLedger(scripts()),
        matchers=MatcherDirectory(subscription_store(), event_service_store(), inventory_store()),
        publisher=publisher(),
        new_id=new_id,
        now_s=time.time,
        audit=audit(),
    )


@cache
def streams() -> Streams:
    """
    The streams that clients hold open at this process.
    """
    return Streams(subscriptions=subscription_store(), services=event_service_store(), journal=journal(), new_turn=turn)
