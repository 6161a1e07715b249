from collections.abc import Sequence
from dataclasses import replace

import pytest

from odim_relay.api.ui.listing import Row, row_of
from odim_relay.api.ui.pages.overview import figures_of, plots_of, troubles_of
from odim_relay.api.ui.standing import Standing
from odim_relay.domain.circuit_breaker import Breaker
from odim_relay.domain.measures import BUCKETS_S, LATENCY
from odim_relay.domain.sample import Sample
from odim_relay.domain.subscription import Subscription
from odim_relay.ports import DestinationFlow, SubscriptionFlow
from odim_relay.use_cases.status import SubscriptionStatus

BOUND_COUNT = len(BUCKETS_S[LATENCY]) + 1
BEFORE = Sample(
    at_ms=90_000, ingested_count=100, delivered_count=50, failed_count=0, latency_counts=(0,) * BOUND_COUNT, lag=5
)
NOW = Sample(
    at_ms=100_000,
    ingested_count=150,
    delivered_count=70,
    failed_count=1,
    latency_counts=(20,) * BOUND_COUNT,
    waiting_count=1_234,
    worker_count=2,
    queue_depth=3,
    lag=0,
)
WELL = Standing(rows=(), sample=NOW, is_enabled=True, has_beat=True, quarantined_count=0, slot_count=32)


def row(
    name: str,
    *,
    breaker: Breaker = Breaker.CLOSED,
    suspended: str = "",
    sealed: str = "",
    waiting: int = 0,
    dead: int = 0,
    oldest_s: float | None = None,
) -> Row:
    subscription = Subscription(subscription_id=name, destination=f"https://{name}/x", sealed_by=sealed)
    status = SubscriptionStatus(
        subscription_id=name,
        subscription=subscription,
        flow=SubscriptionFlow(subscription_id=name, exists=True, suspended_by=suspended),
        destination=DestinationFlow(destination_id=name, breaker=breaker),
        waiting_count=waiting,
        dead_letter_count=dead,
        oldest_age_s=oldest_s,
    )
    return row_of(status, subscription)


def texts(found: Standing, before: Sample | None = BEFORE) -> list[str]:
    return [trouble.text for trouble in troubles_of(found, before)]


def test_when_all_is_well_there_is_nothing_to_look_at() -> None:
    assert texts(replace(WELL, rows=[row("a"), row("b", waiting=5, oldest_s=10)])) == []


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (replace(WELL, is_enabled=False), "The EventService is disabled"),
        (replace(WELL, has_beat=False), "Nobody sends the schedule"),
        (replace(WELL, sample=replace(NOW, worker_count=0)), "No worker was at work"),
        (replace(WELL, sample=replace(NOW, ingested_count=100, lag=9)), "Nothing is taken in"),
        (replace(WELL, quarantined_count=2), "Could not be understood: 2 records"),
        (replace(WELL, rows=[row("a", breaker=Breaker.OPEN)]), "Destinations that fail: 1 subscription"),
        (replace(WELL, rows=[row("a", suspended="gone")]), "Suspended because they failed: 1 subscription"),
        (replace(WELL, rows=[row("a", suspended="by_hand")]), "Suspended by hand: 1 subscription"),
        (replace(WELL, rows=[row("a", sealed="key")]), "Secrets that no key of ours opens: 1 subscription"),
        (replace(WELL, rows=[row("a", dead=1)]), "Dead letters: 1 subscription"),
        (replace(WELL, rows=[row("a", waiting=1, oldest_s=901)]), "Events have waited for long: 1 subscription"),
    ],
)
def test_each_thing_that_is_wrong_is_told(found: Standing, text: str) -> None:
    (told,) = texts(found)

    assert told.startswith(text)


@pytest.mark.parametrize(
    "found",
    [
        replace(WELL, sample=replace(NOW, worker_count=0, queue_depth=0)),
        replace(WELL, sample=replace(NOW, worker_count=0, queue_depth=None)),
        replace(WELL, sample=replace(NOW, lag=9)),  # a bridge is at it
        replace(WELL, sample=replace(NOW, ingested_count=100, lag=None)),
    ],
)
def test_what_is_not_known_to_be_wrong_is_not_told(found: Standing) -> None:
    assert texts(found) == []


def test_one_that_is_suspended_by_hand_is_not_told_for_what_it_collects() -> None:
    rows: Sequence[Row] = [row("a", suspended="by_hand", breaker=Breaker.OPEN, waiting=9, oldest_s=90_000)]

    assert texts(replace(WELL, rows=rows)) == ["Suspended by hand: 1 subscription"]


def test_of_very_many_those_with_most_are_named_and_the_others_counted() -> None:
    (trouble,) = troubles_of(replace(WELL, rows=[row(f"s{number}", dead=number) for number in range(1, 9)]), BEFORE)

    assert [name for name, _ in trouble.links] == ["s8", "s7", "s6", "s5", "s4"]
    assert trouble.links[0][1] == "/ui/subscriptions/s8"
    assert trouble.more == ("and 3 more", "/ui/subscriptions?trouble=1")


def test_figures_compare_now_with_a_moment_ago() -> None:
    figures = {name: (value, of) for name, value, of in figures_of(WELL, BEFORE)}

    assert figures["Taken in"][0] == "5.0"
    assert figures["Delivered"][0] == "2.0"
    assert figures["Failed"][0] == "0.1"
    assert figures["Latency"] == ("25 ms", "median; 95 % within 48 ms")
    assert figures["Waiting"][0] == "1\u202f234"
    assert figures["Kafka lag"][0] == "0"
    assert "32 slots" in figures["Workers"][1]


def test_without_anything_to_compare_with_rates_are_unknown_and_the_rest_is_told() -> None:
    figures = {name: value for name, value, _ in figures_of(replace(WELL, sample=replace(NOW, lag=None)), None)}

    assert (figures["Taken in"], figures["Delivered"], figures["Kafka lag"]) == ("unknown",) * 3
    assert figures["Queue"] == "3"


def test_plots_end_now_and_leave_out_what_is_older_than_their_span() -> None:
    recent = [replace(BEFORE, at_ms=at_ms, waiting_count=1) for at_ms in (0, 50_000, 90_000, 100_000)]

    plots = {plot.plot_id: plot for plot in plots_of(recent, NOW, 60)}

    assert {plot.until_ms for plot in plots.values()} == {NOW.at_ms}
    assert {plot.from_ms for plot in plots.values()} == {40_000}
    waiting = plots["deliveries"].lines[1].points
    assert list(waiting) == [(50_000, 1), (90_000, 1), (100_000, 1_234)]
    assert [line.name for line in plots["rates"].lines] == ["Taken in", "Delivered", "Failed"]
