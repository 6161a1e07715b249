"""
What `/metrics` really tells in a bad state is what the alerts compare with: the other half of test_alert_rules.py.
"""

from collections.abc import Mapping

import pytest
from click.testing import CliRunner
from prometheus_client.parser import text_string_to_metric_families

from odim_relay.api import metrics
from odim_relay.domain.delivery import ParkReason
from odim_relay.ports import QuarantineEntry
from tests.integration.operator.filled import Filled

pytestmark = pytest.mark.server


def told() -> Mapping[str, float]:
    """
    What `/metrics` tells, by the series as alerts write them.
    """
    found = {}
    for family in text_string_to_metric_families(metrics.metrics_text().decode()):
        for sample in family.samples:
            labels = ",".join(f'{name}="{value}"' for name, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


def test_a_bad_state_has_the_values_that_its_alerts_wait_for(
    filled: Filled, cli: CliRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli
    monkeypatch.setenv("ODIM_RELAY_LEDGER__MAX_BYTES", str(2**20))
    filled.subscribe("s", "t")
    before = told()
    filled.fill("s", 700)
    (gone,) = filled.ingest(("of-t", "t"))
    filled.park(gone, ParkReason.GONE)
    filled.ingest(
        quarantine=[
            QuarantineEntry(entry_id="e", record="r", recorded_at_ms=0, reason="not_json", detail="", value=b"{")
        ]
    )
    after = told()

    def rise(series: str) -> float:
        return after[series] - before[series]

    assert after['odim_relay_store_up{store="kafka"}'] == 0  # OdimRelayStoreAway
    assert after['odim_relay_store_up{store="redis"}'] == 1
    assert "odim_relay_kafka_lag" not in after
    assert after["odim_relay_beat_up"] == 0  # OdimRelayNoBeat
    assert after["odim_relay_ledger_bytes"] / after["odim_relay_ledger_max_bytes"] > 0.6  # OdimRelayLedgerFills
    assert before["odim_relay_ledger_bytes"] / before["odim_relay_ledger_max_bytes"] < 0.6
    assert rise("odim_relay_records_quarantined_total") == 1  # OdimRelayQuarantineGrows
    assert rise('odim_relay_dead_letters_total{reason="rejected"}') == 700  # OdimRelayDeadLetters
    suspended = 'odim_relay_subscription_suspended{subscription="t"}'
    assert (before[suspended], after[suspended]) == (0, 1)  # OdimRelaySubscriptionSuspended
    # OdimRelayEventsExpireSoon: what waits has an age by the clock of its record.
    assert after['odim_relay_oldest_waiting_age_seconds{subscription="s"}'] > 5 * 86_400
    assert before['odim_relay_oldest_waiting_age_seconds{subscription="s"}'] == 0
    assert 'odim_relay_build_info{version="' in "".join(after)  # OdimRelayNotSeen is silent
