"""
Each alert fires in the bad state that it is for and is silent in the good one beside it, as Prometheus's own evaluation
of the rules tells. Where there is no promtool the states are still held against the metrics that there are.
"""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.promql import PROMTOOL_MISSING, flaws, promtool

ALERTS = Path(__file__).parents[2] / "helm" / "odim-relay" / "files" / "alerts.yaml"
RULES = {
    rule["alert"]: rule
    for group in yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
}
DAY_S = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """
    An alert in two states.

    Attributes:
        bad, good: series and their values, one per minute, as promtool writes them (`0+10x60` grows by 10 each minute).
        at: when it must fire in the bad state, minutes: half a minute before its `for` is over it must not.
        labels: of the alert that fires.
    """

    bad: Mapping[str, str]
    good: Mapping[str, str]
    at: int
    labels: Mapping[str, str] = field(default_factory=dict)


CASES = {
    "OdimRelayNotSeen": Case(
        bad={"odim_relay_workers": "1x60"}, good={'odim_relay_build_info{version="1"}': "1x60"}, at=6
    ),
    "OdimRelayStoreAway": Case(
        bad={'odim_relay_store_up{store="kafka"}': "0x60", 'odim_relay_store_up{store="redis"}': "1x60"},
        good={'odim_relay_store_up{store="kafka"}': "1x60", 'odim_relay_store_up{store="redis"}': "1x60"},
        at=3,
        labels={"store": "kafka"},
    ),
    "OdimRelayNoBeat": Case(bad={"odim_relay_beat_up": "0x60"}, good={"odim_relay_beat_up": "1x60"}, at=3),
    "OdimRelayNoWorkers": Case(
        bad={"odim_relay_workers": "0x60", "odim_relay_queue_depth": "5x60"},
        # Workers that have nothing to do are not seen.
        good={"odim_relay_workers": "0x60", "odim_relay_queue_depth": "0x60"},
        at=3,
    ),
    "OdimRelayMuchReaped": Case(
        bad={"odim_relay_reaped_total": "0+90x60"}, good={"odim_relay_reaped_total": "0+30x60"}, at=25
    ),
    "OdimRelaySeveralVersions": Case(
        bad={'odim_relay_build_info{version="1"}': "1x90", 'odim_relay_build_info{version="2"}': "1x90"},
        good={
            'odim_relay_build_info{version="1", pod="a"}': "1x90",
            'odim_relay_build_info{version="1", pod="b"}': "1x90",
        },
        at=61,
    ),
    "OdimRelayCertificateExpires": Case(
        bad={"odim_relay_api_certificate_expires_at_seconds": f"{13 * DAY_S}x90"},
        good={"odim_relay_api_certificate_expires_at_seconds": f"{15 * DAY_S}x90"},
        at=61,
    ),
    "OdimRelayIngestStopped": Case(
        bad={"odim_relay_kafka_lag": "7x60", "odim_relay_records_ingested_total": "50x60"},
        good={"odim_relay_kafka_lag": "7x60", "odim_relay_records_ingested_total": "50+1x60"},
        at=12,
    ),
    "OdimRelayLagGrows": Case(
        bad={"odim_relay_kafka_lag": "2000+10x60"}, good={"odim_relay_kafka_lag": "5000-10x60"}, at=30
    ),
    "OdimRelayQuarantineGrows": Case(
        bad={"odim_relay_records_quarantined_total": "0x9 3x30"},
        good={"odim_relay_records_quarantined_total": "3x60"},
        at=12,
    ),
    "OdimRelayQuarantineOverflows": Case(
        bad={'odim_relay_discarded_total{what="quarantine_over_quota"}': "0x9 3x30"},
        good={
            'odim_relay_discarded_total{what="quarantine_over_quota"}': "3x60",
            'odim_relay_discarded_total{what="deliveries"}': "0+5x60",
        },
        at=12,
        labels={"what": "quarantine_over_quota"},
    ),
    "OdimRelaySourcesUnknown": Case(
        bad={
            "odim_relay_events_unknown_source_total": "0+20x60",
            "odim_relay_events_ingested_total": "0+100x60",
            'odim_relay_sources{keeper="own"}': "4x60",
        },
        # Who keeps no inventory misses nobody.
        good={
            "odim_relay_events_unknown_source_total": "0+20x60",
            "odim_relay_events_ingested_total": "0+100x60",
            'odim_relay_sources{keeper="own"}': "0x60",
        },
        at=40,
    ),
    "OdimRelayOdimNotRead": Case(
        bad={"odim_relay_odim_read_age_seconds": "400+60x60"}, good={"odim_relay_odim_read_age_seconds": "31x60"}, at=6
    ),
    "OdimRelayEventsLeaveUnsent": Case(
        bad={'odim_relay_deliveries_total{outcome="over_quota"}': "0x9 4x30"},
        good={
            'odim_relay_deliveries_total{outcome="over_quota"}': "4x60",
            'odim_relay_deliveries_total{outcome="delivered"}': "0+9x60",
        },
        at=12,
    ),
    "OdimRelayLedgerFills": Case(
        bad={"odim_relay_ledger_bytes": "65x60", "odim_relay_ledger_max_bytes": "100x60"},
        good={"odim_relay_ledger_bytes": "55x60", "odim_relay_ledger_max_bytes": "100x60"},
        at=6,
    ),
    "OdimRelayLedgerFull": Case(
        bad={"odim_relay_ledger_bytes": "79x60", "odim_relay_ledger_max_bytes": "100x60"},
        good={"odim_relay_ledger_bytes": "70x60", "odim_relay_ledger_max_bytes": "100x60"},
        at=2,
    ),
    "OdimRelayQueueGrows": Case(
        bad={"odim_relay_queue_depth": "1100+10x60"}, good={"odim_relay_queue_depth": "5000-10x60"}, at=20
    ),
    "OdimRelayDeliveriesSlow": Case(
        bad={
            'odim_relay_delivery_latency_seconds_bucket{le="60"}': "0x60",
            'odim_relay_delivery_latency_seconds_bucket{le="300"}': "0+10x60",
            'odim_relay_delivery_latency_seconds_bucket{le="+Inf"}': "0+10x60",
        },
        good={
            'odim_relay_delivery_latency_seconds_bucket{le="60"}': "0+9x60",
            'odim_relay_delivery_latency_seconds_bucket{le="300"}': "0+10x60",
            'odim_relay_delivery_latency_seconds_bucket{le="+Inf"}': "0+10x60",
        },
        at=30,
    ),
    "OdimRelayAttemptsFail": Case(
        bad={
            'odim_relay_attempts_total{outcome="transient", status_class="none"}': "0+6x60",
            'odim_relay_attempts_total{outcome="delivered", status_class="2xx"}': "0+5x60",
        },
        good={
            'odim_relay_attempts_total{outcome="transient", status_class="5xx"}': "0+5x60",
            'odim_relay_attempts_total{outcome="delivered", status_class="2xx"}': "0+6x60",
        },
        at=30,
    ),
    "OdimRelayTlsFails": Case(
        bad={'odim_relay_attempt_failures_total{failure="sealed"}': "0+1x60"},
        good={
            'odim_relay_attempt_failures_total{failure="sealed"}': "5x60",
            'odim_relay_attempt_failures_total{failure="connect"}': "0+1x60",
        },
        at=30,
        labels={"failure": "sealed"},
    ),
    "OdimRelayDestinationFails": Case(
        # A probe under way makes it half-open now and then.
        bad={'odim_relay_breaker_state{subscription="s"}': "2x8 1 2x8 1 2x40"},
        good={'odim_relay_breaker_state{subscription="s"}': "2x8 0 2x8 0 2x8 0x40"},
        at=22,
        labels={"subscription": "s"},
    ),
    "OdimRelayEventsExpireSoon": Case(
        bad={'odim_relay_oldest_waiting_age_seconds{subscription="s"}': f"{5 * DAY_S + 60}x60"},
        good={'odim_relay_oldest_waiting_age_seconds{subscription="s"}': f"{4 * DAY_S}x60"},
        at=16,
        labels={"subscription": "s"},
    ),
    "OdimRelayDeadLetters": Case(
        bad={'odim_relay_dead_letters_total{reason="rejected"}': "0x9 1x30"},
        good={
            'odim_relay_dead_letters_total{reason="rejected"}': "1x60",
            'odim_relay_dead_letters_total{reason="exhausted"}': "0+4x60",
        },
        at=12,
        labels={"reason": "rejected"},
    ),
    "OdimRelaySubscriptionSuspended": Case(
        bad={'odim_relay_subscription_suspended{subscription="s"}': "1x90"},
        good={'odim_relay_subscription_suspended{subscription="s"}': "0x90"},
        at=61,
        labels={"subscription": "s"},
    ),
    "OdimRelaySubscriptionTerminated": Case(
        bad={"odim_relay_subscriptions_terminated_total": "0x9 1x30"},
        good={"odim_relay_subscriptions_terminated_total": "1x60"},
        at=12,
    ),
}


def test_every_alert_has_its_case() -> None:
    assert CASES.keys() == RULES.keys()


@pytest.mark.parametrize("alert", CASES)
def test_the_states_are_made_of_metrics_that_there_are(alert: str) -> None:
    for series in (*CASES[alert].bad, *CASES[alert].good):
        assert flaws(series) == []


def test_prometheus_fires_each_alert_in_its_bad_state_and_not_in_the_good_one(tmp_path: Path) -> None:
    tool = promtool()
    if tool is None:
        pytest.skip(PROMTOOL_MISSING)
    # Without their words, which would have to be repeated here.
    document = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))
    for group in document["groups"]:
        for rule in group["rules"]:
            del rule["annotations"]
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(document))
    (tmp_path / "tests.yaml").write_text(yaml.safe_dump(checks()))

    done = subprocess.run(
        [tool, "test", "rules", str(tmp_path / "tests.yaml")], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr


def checks() -> dict[str, Any]:
    """
    What promtool is to look at: each state as two api processes tell it.
    """
    tests = []
    for alert, case in CASES.items():
        fires = {"exp_labels": {"severity": RULES[alert]["labels"]["severity"], "job": "relay", **case.labels}}
        if alert in {"OdimRelayNotSeen", "OdimRelaySeveralVersions"}:
            del fires["exp_labels"]["job"]
        tests += [
            _check(f"{alert}, bad", alert, case.bad, case.at, [fires]),
            _check(f"{alert}, good", alert, case.good, case.at, []),
        ]
    return {"rule_files": ["rules.yaml"], "evaluation_interval": "30s", "tests": tests}


def _check(name: str, alert: str, series: Mapping[str, str], at: int, fires: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "name": name,
        "interval": "1m",
        "input_series": [
            {"series": _labelled(one, pod), "values": values} for one, values in series.items() for pod in ("p1", "p2")
        ],
        "alert_rule_test": [{"eval_time": f"{at}m", "alertname": alert, "exp_alerts": fires}],
    }


def _labelled(series: str, pod: str) -> str:
    name, _, labels = series.rstrip("}").partition("{")
    given = f"{labels}, " if labels else ""
    own = "" if "pod=" in labels else f'pod="{pod}", '
    return f'{name}{{{given}{own}instance="{pod}:8443", job="relay"}}'
