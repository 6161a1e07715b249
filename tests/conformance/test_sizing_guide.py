"""
The arithmetic of docs/sizing.md, and the figures that it takes from the code.
"""

import re
from pathlib import Path

import pytest

from odim_relay.adapters.redis.rules import LedgerRules
from odim_relay.rules import rules_of
from odim_relay.settings import Settings

DOCUMENT = (Path(__file__).parents[2] / "docs" / "sizing.md").read_text(encoding="utf-8")
GIB = 2**30


def computed() -> dict[str, float]:
    """
    What the sums of the example come to.
    """
    (block,) = re.findall(r"^```python\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL)
    names: dict[str, float] = {}
    exec(block, {"max": max}, names)  # noqa: S102 - the document's own
    return names


def told() -> dict[str, tuple[str, str]]:
    """
    Number and unit of each row of the table.
    """
    example = DOCUMENT.partition("| what | comes to |")[2].partition("\nSo:")[0]
    rows = re.findall(r"^\| `(\w+)` \| ([\d.,]+)(?: (GiB|s))?", example, re.MULTILINE)
    return {name: (number, unit) for name, number, unit in rows}


NAMES = sorted(told())


def test_the_table_has_every_result() -> None:
    inputs = {
        "events_per_s",
        "worst_events_per_s",
        "payload_bytes",
        "subscriptions_per_event",
        "answer_s",
        "one_away_s",
        "all_away_s",
        "per_delivery",
        "max_share",
    }
    assert computed().keys() - inputs == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_row_is_what_the_sum_comes_to(name: str) -> None:
    number, unit = told()[name]
    value = computed()[name] / (GIB if unit == "GiB" else 1)
    digits = len(number.partition(".")[2])
    assert f"{value:,.{digits}f}" == number


def test_the_sums_are_those_of_the_ledger() -> None:
    names = computed()
    rules = rules_of(Settings.model_construct(), round(names["redis_maxmemory"]))
    assert names["per_delivery"] == LedgerRules().overhead_bytes
    assert rules.max_bytes == pytest.approx(names["ledger_max_bytes"], abs=2)
    assert rules.backlog_bytes == pytest.approx(0.8 * names["ledger_max_bytes"], abs=2)
    assert names["one_waits"] < rules.quota_count == 1_000_000
    assert names["one_bytes"] <= names["max_share"] * names["ledger_max_bytes"]


def test_so_many_connections_are_what_a_worker_may_open() -> None:
    chosen = Settings.model_construct()
    ledger = max(chosen.delivery.concurrency, 2 * chosen.api.threads) + 16
    broker = chosen.delivery.concurrency + 20
    assert f"up to {ledger + broker} connections" in DOCUMENT
