"""
Puts the adapters together; the only module that knows them all. Each function's result is one per process.
"""

import random
import secrets
import socket
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import cache
from threading import Event
from typing import Any
from uuid import uuid4

from celery import Celery
from kombu.exceptions import OperationalError

from odim_relay import __version__, telemetry
from odim_relay.adapters.celery.app import make_app
from odim_relay.adapters.celery.publisher import CeleryPublisher
from odim_relay.adapters.http.sender import RequestsSender
from odim_relay.adapters.kafka.configuration import accepted_configuration
from odim_relay.adapters.kafka.consumer import KafkaSource, Rebalance
from odim_relay.adapters.kafka.group import KafkaGroup
from odim_relay.adapters.kafka.producer import KafkaSink
from odim_relay.adapters.redis.accounts import RedisAccountStore
from odim_relay.adapters.redis.announcing import RedisAnnouncingLedger
from odim_relay.adapters.redis.backlog import RedisBacklogLedger
from odim_relay.adapters.redis.connection import Scripts, connect, refuse_cluster
from odim_relay.adapters.redis.delivery_ledger import RedisDeliveryLedger
from odim_relay.adapters.redis.event_service import RedisEventServiceStore
from odim_relay.adapters.redis.flow import RedisFlowListing
from odim_relay.adapters.redis.identity import RedisServiceIdentity
from odim_relay.adapters.redis.ingest_ledger import RedisIngestLedger
from odim_relay.adapters.redis.inspection import inspect_redis, maxmemory_bytes
from odim_relay.adapters.redis.journal import RedisJournal
from odim_relay.adapters.redis.listings import RedisDeliveryListing, RedisLedgerFigures
from odim_relay.adapters.redis.quarantine import RedisQuarantineLedger, RedisQuarantineListing
from odim_relay.adapters.redis.sessions import RedisSessionStore
from odim_relay.adapters.redis.subscriptions import RedisSubscriptionStore
from odim_relay.adapters.redis.turns import RedisTurn
from odim_relay.adapters.security import certificate
from odim_relay.adapters.security.passwords import Argon2Passwords
from odim_relay.domain.backoff import Backoff
from odim_relay.domain.decision import Schedule
from odim_relay.domain.egress import EgressPolicy
from odim_relay.domain.signing import signing_secret_of
from odim_relay.domain.throttle import Throttle
from odim_relay.errors import ConfigurationError
from odim_relay.formats import Decoder
from odim_relay.formats.registry import FORMATS
from odim_relay.formats.wrapping import WRAPPINGS
from odim_relay.ports import RedisFacts
from odim_relay.rules import rules_of
from odim_relay.settings import Settings, load
from odim_relay.use_cases.accounts import LONGEST_PASSWORD, SHORTEST_PASSWORD, ManageAccounts, is_user_name
from odim_relay.use_cases.announce import Announce
from odim_relay.use_cases.deliver import Deliver
from odim_relay.use_cases.directory import MatcherDirectory, SubscriptionDirectory
from odim_relay.use_cases.durability import WatchDurability, check_durability
from odim_relay.use_cases.duty import Duty
from odim_relay.use_cases.event_service import EventService
from odim_relay.use_cases.expire import Expire
from odim_relay.use_cases.heartbeat import INTERVAL_S as HEARTBEAT_LOOK_S
from odim_relay.use_cases.heartbeat import Heartbeat
from odim_relay.use_cases.identity import ServiceIdentity
from odim_relay.use_cases.letters_by_hand import LettersByHand
from odim_relay.use_cases.log_in import LogIn
from odim_relay.use_cases.offsets import ResetOffsets
from odim_relay.use_cases.patience import PatientLedger
from odim_relay.use_cases.publish import Publish
from odim_relay.use_cases.quarantine import ReplayQuarantine
from odim_relay.use_cases.readiness import Readiness, Unreachable
from odim_relay.use_cases.reap import Reap
from odim_relay.use_cases.replay import Replay
from odim_relay.use_cases.streams import Streams, SweepStreams
from odim_relay.use_cases.subscribe import Subscribe
from odim_relay.use_cases.suspend import Suspend

USER_AGENT = f"odim-relay/{__version__}"

_LONGEST_KNOCK_S = 5.0
_READY_WITHIN_S = 5.0

stopping = Event()
"""
Set when this process is to end: nobody waits for anything any more.
"""


@cache
def settings() -> Settings:
    """
    The settings of this process.
    """
    return load()


def configure_logs() -> None:
    """
    Set up logging as the settings say.
    """
    telemetry.configure_logs(level=settings().log.level, style=settings().log.format)


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
    client = connect(chosen.redis.url, ca_file=chosen.redis.ca_file, max_connections=most)
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
    return RedisSubscriptionStore(scripts())


@cache
def event_service_store() -> RedisEventServiceStore:
    """
    Where the EventService's settings are kept.
    """
    return RedisEventServiceStore(scripts())


@cache
def journal() -> RedisJournal:
    """
    The events that were taken in lately, for those who follow a stream.
    """
    return RedisJournal(scripts())


@cache
def celery_app() -> Celery:
    """
    The Celery app of this process.

    Raises:
        ConfigurationError: a setting is wrong.
    """
    return make_app(beat_turn=lambda: turn("beat"))


@cache
def publisher() -> CeleryPublisher:
    """
    Hands out delivery tasks.
    """
    return CeleryPublisher(celery_app())


def egress_policy() -> EgressPolicy:
    """
    Which addresses events may be sent to.
    """
    chosen = settings().egress
    return EgressPolicy(allow=chosen.allow, deny=chosen.deny)


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
    return RequestsSender(
        now=lambda: datetime.now(UTC),
        user_agent=USER_AGENT,
        egress=egress_policy(),
        verify=chosen.verify,
        ca_file=chosen.ca_file,
        concurrency=chosen.concurrency,
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
        sender=sender(),
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
        draw=random.random,
        now_s=time.time,
    )


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
    return _duty("heartbeat", work, HEARTBEAT_LOOK_S)


def _duty(name: str, work: Callable[[], object], interval_s: float) -> Duty:
    return Duty(name, work, new_turn=lambda: turn(name), interval_s=interval_s, monotonic_s=time.monotonic)


@cache
def watch_durability() -> WatchDurability:
    """
    The work of the examine task.
    """
    return WatchDurability(inspect=_durability_facts, new_turn=lambda: turn("told:durability"))


def require_durable_ledger() -> None:
    """
    Check, at the start of a process that writes to the ledger, that it is kept.

    Raises:
        ConfigurationError: it is not, and REDIS__REQUIRE_DURABLE says that it must be.
        TransientError: its server cannot be reached.
    """
    chosen = settings().redis
    check_durability(
        _durability_facts(), is_required=chosen.require_durable, server=chosen.url.partition("?")[0].rpartition("@")[2]
    )


def _durability_facts() -> RedisFacts:
    return inspect_redis(scripts().client, is_behind_sentinel=False)


def turn(name: str) -> RedisTurn:
    """
    The right to do what only one is to do at a time. A new one for each that may hold it.
    """
    return RedisTurn(scripts(), name)


def decoders() -> dict[str, Decoder]:
    """
    The decoder of each topic.

    Raises:
        ConfigurationError: a format is not known.
    """
    chosen = settings().kafka
    unknown = sorted({name for name in chosen.formats.values() if name not in FORMATS})
    if unknown:
        raise ConfigurationError(
            f"KAFKA__FORMATS names {', '.join(unknown)}; the formats are {', '.join(sorted(FORMATS))}"
        )
    return {topic: FORMATS[chosen.formats.get(topic, "odim")] for topic in chosen.topics}


def kafka_config() -> dict[str, Any]:
    """
    The connection to Kafka, as librdkafka names its parts.
    """
    chosen = settings().kafka
    named = {
        "bootstrap.servers": chosen.bootstrap_servers,
        "security.protocol": chosen.security.protocol,
        "ssl.ca.location": chosen.security.ca_file,
        "ssl.certificate.location": chosen.security.cert_file,
        "ssl.key.location": chosen.security.key_file,
        "sasl.mechanism": chosen.security.sasl_mechanism,
        "sasl.username": chosen.security.sasl_username,
        "sasl.password": chosen.security.sasl_password,
    }
    return {name: str(value) for name, value in named.items() if value}


def kafka_source(rebalance: Rebalance | None = None) -> KafkaSource:
    """
    A consumer of the group; without `rebalance` one that only asks.
    """
    chosen = settings().kafka
    session_ms = round(chosen.session_timeout_s * 1000)
    with accepted_configuration():
        return KafkaSource(
            {
                **kafka_config(),
                "group.id": chosen.group_id,
                "client.id": "odim-relay",
                "session.timeout.ms": session_ms,
                "heartbeat.interval.ms": session_ms // 3,
            },
            chosen.topics,
            incarnation=chosen.incarnation,
            rebalance=rebalance,
        )


def new_id() -> str:
    """
    A uuid4.
    """
    return str(uuid4())


def new_signing_secret() -> str:
    """
    A secret to sign requests with.
    """
    return signing_secret_of(secrets.token_bytes(32))


# --- for the API ---


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
def passwords() -> Argon2Passwords:
    """
    Hashes and verifies passwords.
    """
    return Argon2Passwords(monotonic_s=time.monotonic)


@cache
def throttle() -> Throttle:
    """
    Slows those down who guess passwords.
    """
    return Throttle()


@cache
def log_in() -> LogIn:
    """
    Tells who asks.
    """
    return LogIn(
        accounts=account_store(),
        sessions=session_store(),
        passwords=passwords(),
        throttle=throttle(),
        new_token=new_secret,
        now_s=time.time,
    )


@cache
def manage_accounts() -> ManageAccounts:
    """
    Creates, changes and deletes accounts.
    """
    return ManageAccounts(accounts=account_store(), sessions=session_store(), passwords=passwords(), new_id=new_id)


@cache
def service_identity() -> ServiceIdentity:
    """
    What makes all processes of the API one service.
    """
    return ServiceIdentity(
        store=RedisServiceIdentity(scripts()),
        new_id=new_id,
        make_certificate=new_certificate,
        is_usable=lambda pem: certificate.is_usable(pem, datetime.now(UTC)),
    )


def first_account() -> tuple[str, str]:
    """
    User name and password of the account that the first start makes; the password is empty when it is to be generated.

    Raises:
        ConfigurationError: no account can have them.
    """
    chosen = settings().api
    if not is_user_name(chosen.admin_username):
        raise ConfigurationError(
            f"API__ADMIN_USERNAME is {chosen.admin_username!r}; a user name is 1 to 64 letters, digits, and _ . @ -"
        )
    if chosen.admin_password and not SHORTEST_PASSWORD <= len(chosen.admin_password) <= LONGEST_PASSWORD:
        raise ConfigurationError(
            f"API__ADMIN_PASSWORD must have {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters; unset it to have one "
            "generated"
        )
    return chosen.admin_username, chosen.admin_password


def new_certificate() -> str:
    """
    A self-signed certificate and its key, for the names of this machine, as PEM.
    """
    bind = settings().api.bind
    names = ["localhost", "127.0.0.1", "::1", socket.gethostname(), *([] if bind in {"0.0.0.0", "::"} else [bind])]
    return certificate.self_signed(names, datetime.now(UTC))


def fingerprint(pem: str) -> str:
    """
    The SHA-256 fingerprint of a certificate, as `AB:CD:...`.
    """
    return certificate.fingerprint(pem)


def new_secret() -> str:
    """
    A text that nobody can guess.
    """
    return secrets.token_urlsafe(32)


# --- for the command line ---


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
    )


def suspend() -> Suspend:
    """
    Suspends and resumes subscriptions.
    """
    return Suspend(ledger=backlog_ledger(), publisher=publisher())


def event_service() -> EventService:
    """
    Reads and changes what is said for all subscriptions.
    """
    return EventService(store=event_service_store(), ledger=backlog_ledger(), publisher=publisher())


@cache
def announce() -> Announce:
    """
    Sends events of our own.
    """
    return Announce(
        ledger=RedisAnnouncingLedger(scripts()),
        matchers=MatcherDirectory(subscription_store(), event_service_store()),
        publisher=publisher(),
        new_id=new_id,
        now_s=time.time,
    )


@cache
def streams() -> Streams:
    """
    The streams that clients hold open at this process.
    """
    return Streams(subscriptions=subscription_store(), services=event_service_store(), journal=journal(), new_turn=turn)


def letters_by_hand() -> LettersByHand:
    """
    Replays and discards what is parked.
    """
    return LettersByHand(ledger=backlog_ledger(), flows=flow_listing(), publisher=publisher(), pause=time.sleep)


def delivery_listing() -> RedisDeliveryListing:
    """
    The ledger's deliveries, for people.
    """
    return RedisDeliveryListing(scripts())


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


def quarantine_ledger() -> RedisQuarantineLedger:
    """
    Takes records out of quarantine.
    """
    return RedisQuarantineLedger(scripts())


def replay_quarantine() -> ReplayQuarantine:
    """
    Takes records out of quarantine in again.
    """
    return ReplayQuarantine(
        ledger=quarantine_ledger(),
        listing=quarantine_listing(),
        matchers=MatcherDirectory(subscription_store(), event_service_store()),
        decoders=decoders(),
        publisher=publisher(),
    )


def publish(topic: str, format_name: str) -> Publish:
    """
    Writes events to a topic.
    """
    with accepted_configuration():
        sink = KafkaSink({**kafka_config(), "client.id": "odim-relay"})
    return Publish(sink=sink, topic=topic, wrap=WRAPPINGS[format_name])


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
    def ask_kafka() -> None:
        source = kafka_source()
        try:
            source.partitions()
        finally:
            source.close()

    return Readiness(
        {
            "redis": lambda: RedisLedgerFigures(scripts()).now_ms(),
            "broker": lambda: publisher().queue_depth(),
            "kafka": ask_kafka,
        },
        _READY_WITHIN_S,
    )


def consumer_group() -> KafkaGroup:
    """
    The bridges' group, from outside.
    """
    return KafkaGroup(kafka_config(), settings().kafka.group_id)


def reset_offsets(source: KafkaSource) -> ResetOffsets:
    """
    Makes bridges start elsewhere.
    """
    return ResetOffsets(ledger=ingest_ledger(), source=source, group=consumer_group(), new_id=new_id)


def redis_facts() -> RedisFacts:
    """
    What the ledger's server says of itself; also a server that would be refused.
    """
    chosen = settings().redis
    client = connect(chosen.url, ca_file=chosen.ca_file)
    return inspect_redis(client, is_behind_sentinel=chosen.url.startswith("sentinel://"))


def answering_workers(names: Iterable[str], wait_s: float) -> set[str]:
    """
    Tell which of these Celery nodes (`name@host`) answer a ping in time; none when the broker does not answer.
    """
    try:
        return set(celery_app().control.inspect(destination=list(names), timeout=wait_s).ping() or ())
    except (OSError, OperationalError):
        return set()
