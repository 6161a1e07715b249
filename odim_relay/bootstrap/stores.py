"""
What stands in Redis.
"""

from dataclasses import replace
from functools import cache

from odim_relay.adapters.redis.accounts import RedisAccountStore
from odim_relay.adapters.redis.attempts import RedisAttemptListing, RedisAttemptStore
from odim_relay.adapters.redis.audit import RedisAuditLog
from odim_relay.adapters.redis.backlog import RedisBacklogLedger
from odim_relay.adapters.redis.connection import Scripts, TlsFiles, connect, refuse_cluster
from odim_relay.adapters.redis.delivery_ledger import RedisDeliveryLedger
from odim_relay.adapters.redis.event_service import RedisEventServiceStore
from odim_relay.adapters.redis.flow import RedisFlowListing
from odim_relay.adapters.redis.identity import RedisServiceIdentity
from odim_relay.adapters.redis.ingest_ledger import RedisIngestLedger
from odim_relay.adapters.redis.inspection import inspect_condition, inspect_redis, maxmemory_bytes
from odim_relay.adapters.redis.inventory import RedisInventoryStore
from odim_relay.adapters.redis.journal import RedisJournal
from odim_relay.adapters.redis.listings import RedisDeliveryListing, RedisLedgerFigures
from odim_relay.adapters.redis.outbox import RedisNoticeOutbox
from odim_relay.adapters.redis.quarantine import RedisQuarantineLedger, RedisQuarantineListing
from odim_relay.adapters.redis.samples import RedisSampleStore
from odim_relay.adapters.redis.sessions import RedisSessionStore
from odim_relay.adapters.redis.subscriptions import RedisSubscriptionStore
from odim_relay.adapters.redis.turns import RedisTurn
from odim_relay.bootstrap.process import new_id, sealer, settings
from odim_relay.ports import AuditListing, QuarantineLedger, RedisFacts
from odim_relay.rules import rules_of
from odim_relay.use_cases.audit import Audit
from odim_relay.use_cases.durability import check_durability
from odim_relay.use_cases.quarantine import NotedQuarantine


@cache
def scripts() -> Scripts:
    """
    The ledger's server.

    Raises:
        ConfigurationError: it is a Redis Cluster (L34).
        TransientError: it cannot be reached.
    """
    chosen = settings()
    # A thread of the API may hold two: one to read while another watches.
    most = max(chosen.delivery.concurrency, 2 * chosen.api.threads) + 16
    client = connect(chosen.redis.url, tls=TlsFiles(ca=chosen.redis.ca_file), max_connections=most)
    refuse_cluster(client)
    return Scripts(client, chosen.redis.key_prefix, rules_of(chosen, maxmemory_bytes(client)))


@cache
def delivery_ledger() -> RedisDeliveryLedger:
    """
    The ledger for workers and maintenance.
    """
    return RedisDeliveryLedger(scripts(), worker=new_id())


@cache
def backlog_ledger() -> RedisBacklogLedger:
    """
    The ledger for those who look after what is parked.
    """
    return RedisBacklogLedger(scripts())


@cache
def ingest_ledger() -> RedisIngestLedger:
    """
    The ledger for the bridge.
    """
    return RedisIngestLedger(scripts())


@cache
def subscription_store() -> RedisSubscriptionStore:
    """
    Where subscriptions are kept.
    """
    return RedisSubscriptionStore(scripts(), sealer())


@cache
def event_service_store() -> RedisEventServiceStore:
    """
    Where the EventService's settings are kept.
    """
    return RedisEventServiceStore(scripts())


@cache
def inventory_store() -> RedisInventoryStore:
    """
    Where sources and aggregates are kept.
    """
    return RedisInventoryStore(scripts())


@cache
def journal() -> RedisJournal:
    """
    The events that were taken in lately, for those who follow a stream.
    """
    return RedisJournal(scripts())


@cache
def audit_log() -> RedisAuditLog:
    """
    Where it is kept who did what.
    """
    chosen = settings().audit
    return RedisAuditLog(scripts(), most=chosen.max_entries, retention_s=chosen.retention_s)


@cache
def audit() -> Audit:
    """
    Notes who does what.
    """
    return Audit(audit_log())


def audit_listing() -> AuditListing:
    """
    Who did what, for people.
    """
    return audit_log()


@cache
def account_store() -> RedisAccountStore:
    """
    Where accounts are kept.
    """
    return RedisAccountStore(scripts())


@cache
def session_store() -> RedisSessionStore:
    """
    Where sessions are kept.
    """
    return RedisSessionStore(scripts())


@cache
def identity_store() -> RedisServiceIdentity:
    """
    Where the API's certificate and UUID are kept.
    """
    return RedisServiceIdentity(scripts(), sealer())


def sample_store() -> RedisSampleStore:
    """
    How everything stood lately.
    """
    return RedisSampleStore(scripts())


def delivery_listing() -> RedisDeliveryListing:
    """
    The ledger's deliveries, for people.
    """
    return RedisDeliveryListing(scripts())


def attempt_store() -> RedisAttemptStore:
    """
    Where this process's attempts are remembered.
    """
    chosen = settings().history
    return RedisAttemptStore(
        scripts(),
        worker=new_id(),
        attempts=chosen.attempts,
        deliveries=chosen.deliveries,
        retention_s=chosen.retention_s,
    )


def attempt_listing() -> RedisAttemptListing:
    """
    The last attempts, for people.
    """
    return RedisAttemptListing(scripts(), retention_s=settings().history.retention_s)


def ledger_figures() -> RedisLedgerFigures:
    """
    The ledger in figures.
    """
    return RedisLedgerFigures(scripts())


def flow_listing() -> RedisFlowListing:
    """
    Breakers, suspensions and workers, for people.
    """
    return RedisFlowListing(scripts())


def quarantine_listing() -> RedisQuarantineListing:
    """
    What could not be understood, for people.
    """
    return RedisQuarantineListing(scripts())


def quarantine_ledger() -> QuarantineLedger:
    """
    Takes records out of quarantine.
    """
    return NotedQuarantine(RedisQuarantineLedger(scripts()), audit())


def notice_outbox() -> RedisNoticeOutbox:
    """
    What changed and is to be told.
    """
    return RedisNoticeOutbox(scripts())


def turn(name: str) -> RedisTurn:
    """
    The right to do what only one is to do at a time. A new one for each that may hold it.
    """
    return RedisTurn(scripts(), name)


def redis_facts() -> RedisFacts:
    """
    What the ledger's server says of itself; also a server that would be refused.
    """
    chosen = settings().redis
    client = connect(chosen.url, tls=TlsFiles(ca=chosen.ca_file))
    facts = inspect_redis(client, is_behind_sentinel=chosen.url.startswith("sentinel://"))
    return replace(facts, condition=inspect_condition(client))


def durability_facts() -> RedisFacts:
    """
    What tells whether the ledger's server keeps what is written to it.
    """
    return inspect_redis(scripts().client, is_behind_sentinel=False)


def require_durable_ledger() -> None:
    """
    Check, at the start of a process that writes to the ledger, that it is kept.

    Raises:
        ConfigurationError: it is not, and REDIS__REQUIRE_DURABLE says that it must be.
        TransientError: its server cannot be reached.
    """
    chosen = settings().redis
    check_durability(
        durability_facts(), is_required=chosen.require_durable, server=chosen.url.partition("?")[0].rpartition("@")[2]
    )
