"""
From settings to the rules that the ledger's scripts obey.
"""

from odim_relay.adapters.redis.rules import LedgerRules
from odim_relay.settings import Settings

_DEFAULT_MAX_BYTES = 1_073_741_824
_SHARE_OF_MAXMEMORY = 0.6
_SHARE_OF_BACKLOGS = 0.8
_FLIGHT_MARGIN_MS = 5_000
_FAILURE_SPACING = 0.75
"""
Of the retry interval: two failures that are closer, jitter and all, belong together.
"""


def rules_of(settings: Settings, maxmemory_bytes: int) -> LedgerRules:
    """
    Derive the rules.

    Args:
        maxmemory_bytes: of the ledger's server; 0 is no limit.
    """
    delivery, breaker, letters, ledger = settings.delivery, settings.breaker, settings.dead_letters, settings.ledger
    max_bytes = ledger.max_bytes or round(maxmemory_bytes * _SHARE_OF_MAXMEMORY) or _DEFAULT_MAX_BYTES
    lease_ms, patience_ms = _ms(settings.lease_s), _ms(ledger.queue_patience_s)
    return LedgerRules(
        lease_ms=lease_ms,
        flight_ms=min(_ms(delivery.timeout_s) + _FLIGHT_MARGIN_MS, lease_ms),
        patience_ms=patience_ms,
        max_countdown_ms=_ms(delivery.max_countdown_s),
        window=delivery.window,
        cap=delivery.max_in_flight_per_destination,
        slots=delivery.concurrency,
        breaker_failures=breaker.failures,
        probe_ms=_ms(breaker.probe_interval_s),
        probe_max_ms=max(_ms(breaker.probe_max_interval_s), _ms(breaker.probe_interval_s)),
        probe_lease_ms=lease_ms + 2 * patience_ms,
        replay_ms=_ms(letters.replay_interval_s),
        retries=delivery.retry_attempts,
        failure_spacing_ms=round(_ms(delivery.retry_interval_s) * _FAILURE_SPACING),
        spacing_share=_FAILURE_SPACING,
        retention_ms=_ms(letters.retention_s),
        quota_bytes=round(max_bytes * letters.max_share),
        quota_count=letters.max_count,
        backlog_bytes=round(max_bytes * _SHARE_OF_BACKLOGS),
        max_bytes=max_bytes,
        drain_rate=letters.drain_rate,
        quarantine_bytes=settings.quarantine.max_bytes,
        journal_bytes=settings.api.journal_max_bytes,
    )


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
