from collections.abc import Callable, Iterable, Mapping

import pytest

from odim_relay.domain.measures import BUCKETS_S, LATENCY
from odim_relay.errors import TransientError
from odim_relay.ports import DestinationFlow, LedgerSizes, Position, SubscriptionFlow, TopicPartition, Workforce
from odim_relay.use_cases.sample import TakeSample
from tests.fakes.sample_store import InMemorySampleStore


class Figures:
    """
    `LedgerFigures` that tell the same again and again.
    """

    def now_ms(self) -> int:
        return 1_000

    def counters(self) -> Mapping[str, int]:
        return {"events_ingested": 5, "deliveries:delivered": 4, "deliveries:expired": 9}

    def positions(self) -> Mapping[TopicPartition, Position]:
        return {}

    def parked_counts(self) -> Mapping[str, int]:
        return {"behind": 6, "rejected": 2, "exhausted": 1, "of a newer version": 1}

    def active_count(self) -> int:
        return 3

    def measures(self) -> Mapping[str, int]:
        return {
            "attempts:delivered:2xx": 4,
            "attempts:transient:5xx": 2,
            "attempts:rejected:4xx": 1,
            "attempt_failures:connect": 7,
            "delivery_latency:0.05": 3,
            "delivery_latency:+Inf": 1,
        }

    def sizes(self) -> LedgerSizes:
        raise AssertionError("not asked for")


class Flows:
    """
    `FlowListing` of which only the workers are asked for.
    """

    def subscriptions(self, subscription_ids: Iterable[str]) -> Mapping[str, SubscriptionFlow]:
        raise AssertionError(subscription_ids)

    def destinations(self, destination_ids: Iterable[str]) -> Mapping[str, DestinationFlow]:
        raise AssertionError(destination_ids)

    def workforce(self) -> Workforce:
        return Workforce(worker_count=2, slot_count=32)


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def store() -> InMemorySampleStore:
    return InMemorySampleStore()


def taking(
    store: InMemorySampleStore,
    *,
    queue_depth: Callable[[], int] = lambda: 11,
    lag: Callable[[], int] = lambda: 12,
    clock: Clock | None = None,
) -> TakeSample:
    return TakeSample(
        store=store, figures=Figures(), flows=Flows(), queue_depth=queue_depth, lag=lag, monotonic_s=clock or Clock()
    )


def test_a_sample_tells_what_was_done_and_how_everything_stands(store: InMemorySampleStore) -> None:
    sample = taking(store)()

    assert store.last(1) == [sample]
    assert sample.at_ms == 1_000
    assert (sample.ingested_count, sample.delivered_count, sample.failed_count) == (5, 4, 3)
    assert (sample.active_count, sample.waiting_count, sample.dead_letter_count) == (3, 7, 3)
    assert (sample.worker_count, sample.queue_depth, sample.lag) == (2, 11, 12)
    assert sample.latency_counts == (*[3] * len(BUCKETS_S[LATENCY]), 4)


def test_of_what_is_away_it_tells_nothing_and_of_the_rest_all(store: InMemorySampleStore) -> None:
    def away() -> int:
        raise TransientError("connection refused")

    sample = taking(store, queue_depth=away, lag=away)()

    assert (sample.queue_depth, sample.lag, sample.active_count) == (None, None, 3)


def test_what_is_away_is_left_alone_for_a_while_and_then_asked_again(store: InMemorySampleStore) -> None:
    asked: list[float] = []
    clock = Clock()

    def away() -> int:
        asked.append(clock.now_s)
        if clock.now_s < 60:
            raise TransientError("connection refused")
        return 7

    take = taking(store, lag=away, clock=clock)
    for at_s in (0, 10, 50, 61, 70):
        clock.now_s = at_s
        take()

    assert asked == [0, 61, 70]
    assert [sample.lag for sample in store.last(5)] == [None, None, None, 7, 7]
    assert [sample.queue_depth for sample in store.last(5)] == [11] * 5
