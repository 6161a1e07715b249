"""
What the ledger's scripts count is told: each counter has its row in the table of metrics.
"""

import re
from importlib.resources import files

import pytest

from odim_relay.api.metric_definitions import METRICS, PREFIX, Kind
from odim_relay.api.metrics import _RENAMED

_COUNT = re.compile(r"count\(\(?(.*?), ")
_LITERAL = re.compile(r"'([a-z_:]+)'")


def counted() -> set[str]:
    """
    Names of counters, those that end in `:` with a label that is not written there.
    """
    folder = files("odim_relay.adapters.redis") / "scripts"
    calls = [call for script in folder.iterdir() for call in _COUNT.findall(script.read_text(encoding="utf-8"))]
    return {name for call in calls for name in _LITERAL.findall(call)}


def test_the_scripts_count_something() -> None:
    assert {"replays", "deliveries:", "dead_letters:", "waiting:", "deliveries:delivered"} <= counted()


@pytest.mark.parametrize("name", sorted(counted()))
def test_what_a_script_counts_is_defined(name: str) -> None:
    counter, *labels = name.split(":")
    definition = METRICS[f"{PREFIX}{_RENAMED.get(counter, counter)}_total"]

    assert definition.kind is Kind.COUNTER
    if labels:
        assert len(labels) == len(definition.labels)
    if any(labels):
        assert tuple(labels) in definition.values


def test_the_values_of_all_labels_of_a_metric_are_few() -> None:
    for definition in METRICS.values():
        assert len(definition.values) <= 20


def test_a_subscription_has_at_most_20_series() -> None:
    assert 0 < sum("subscription" in definition.labels for definition in METRICS.values()) <= 20
