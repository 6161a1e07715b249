"""
The bridge process: `odim-relay bridge`.
"""

import signal
import time
from collections.abc import Callable
from typing import TypeVar

from odim_relay import bootstrap
from odim_relay.bridge.following import Following
from odim_relay.bridge.loop import Bridge
from odim_relay.errors import TransientError
from odim_relay.telemetry import logger
from odim_relay.use_cases.directory import MatcherDirectory
from odim_relay.use_cases.ingest import Ingest
from odim_relay.use_cases.start import StartPositions, check_ledger

log = logger(__name__)

T = TypeVar("T")

_STORES_WAIT_S = 60.0
_ASK_EVERY_S = 2.0


def run() -> None:
    """
    Run until SIGTERM or SIGINT.

    Raises:
        LedgerMissingError: the ledger in Redis is not the one behind the group's commits (L12).
        TransientError: Redis or Kafka could not be reached within a minute of the start.
        ConfigurationError: a setting is wrong.
    """
    note_alive = bootstrap.sign_of_life()
    decoders = bootstrap.decoders()
    source_for_checks = bootstrap.kafka_source()
    try:
        _wait_for(bootstrap.require_durable_ledger, note_alive)
        ledger = _wait_for(bootstrap.ingest_ledger, note_alive)
        birth = _wait_for(lambda: check_ledger(ledger, source_for_checks), note_alive)
    finally:
        source_for_checks.close()
    matchers = MatcherDirectory(
        bootstrap.subscription_store(), bootstrap.event_service_store(), bootstrap.inventory_store()
    )
    bridge = Bridge(
        ledger=ledger,
        ingest=Ingest(ledger=ledger, matchers=matchers, decoders=decoders, tracer=bootstrap.tracer()),
        matchers=matchers,
        publisher=bootstrap.publisher(),
        birth=birth,
        monotonic_s=time.monotonic,
        note_alive=note_alive,
    )
    source = bootstrap.kafka_source(rebalance=bridge)
    bridge.attach(source, StartPositions(ledger=ledger, source=source, new_id=bootstrap.new_id))
    follower = following() if bootstrap.follows_odim() else None

    def stop(*_: object) -> None:
        bridge.stop()
        if follower is not None:
            follower.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    log.info("bridge.started", birth=birth)
    if follower is None:
        bridge.run()
    else:
        with follower:
            # An event that came before the subscriptions are known would go to nobody.
            if follower.wait_until_read(note_alive):
                bridge.run()
    bootstrap.close_tracer()
    log.info("bridge.stopped")


def following() -> Following:
    """
    What follows ODIM's tables, by the settings of this process.

    Raises:
        ConfigurationError: it is not said where they are.
    """
    return Following(
        mirror=bootstrap.mirror(),
        odim=bootstrap.odim_store(),
        inventory=bootstrap.inventory_store(),
        turn=bootstrap.turn("odim-mirror"),
        interval_s=bootstrap.settings().odim.read_interval_s,
        monotonic_s=time.monotonic,
    )


def _wait_for(ask: Callable[[], T], note_alive: Callable[[], None]) -> T:
    deadline = time.monotonic() + _STORES_WAIT_S
    while True:
        note_alive()
        try:
            return ask()
        except TransientError as exc:
            if time.monotonic() >= deadline:
                raise
            log.warning("bridge.waiting", detail=str(exc))
            time.sleep(_ASK_EVERY_S)
