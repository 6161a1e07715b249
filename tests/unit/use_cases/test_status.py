from collections.abc import Iterable, Mapping, Sequence

import pytest

from odim_relay.domain.circuit_breaker import Breaker
from odim_relay.domain.delivery import ParkReason
from odim_relay.domain.keeper import Keeper
from odim_relay.domain.subscription import Subscription
from odim_relay.domain.topic_epoch import TopicOrigin
from odim_relay.ports import (
    Backlog,
    Commit,
    DestinationFlow,
    InventoryContent,
    Position,
    SubscriptionFlow,
    TopicPartition,
    Workforce,
)
from odim_relay.use_cases.status import InventoryStatus, partition_status, read_inventory, read_subscriptions
from tests.fakes.inventory_store import InMemoryInventoryStore
from tests.fakes.ledger_state import LedgerState

HERE = TopicPartition(topic="T", partition=0)


class Kafka:
    """
    `RecordSource` of one partition.
    """

    def __init__(self, first: int, end: int) -> None:
        self._bounds = first, end

    def committed(self, partitions: Iterable[TopicPartition]) -> Mapping[TopicPartition, Commit]:
        raise NotImplementedError

    def bounds(self, partition: TopicPartition) -> tuple[int, int]:
        assert partition == HERE
        return self._bounds

    def partitions(self) -> Sequence[TopicPartition]:
        return [HERE]

    def origin(self, topic: str) -> TopicOrigin:
        raise NotImplementedError


class Flows:
    """
    `FlowListing` of subscriptions that all send to one destination, which is open.
    """

    def __init__(self) -> None:
        self.asked: list[str] = []

    def subscriptions(self, subscription_ids: Iterable[str]) -> Mapping[str, SubscriptionFlow]:
        return {
            id_: SubscriptionFlow(subscription_id=id_, exists=id_ != "gone", destination_id="d")
            for id_ in subscription_ids
        }

    def destinations(self, destination_ids: Iterable[str]) -> Mapping[str, DestinationFlow]:
        self.asked += destination_ids
        return {id_: DestinationFlow(destination_id=id_, breaker=Breaker.OPEN) for id_ in self.asked}

    def workforce(self) -> Workforce:
        raise NotImplementedError


@pytest.mark.parametrize(
    ("first", "end", "offset", "lag"),
    [(0, 10, 10, 0), (0, 10, 4, 6), (5, 10, 2, 5), (3, 10, None, 7), (0, 2, 8, 2), (0, 0, None, 0)],
)
def test_the_lag_counts_what_kafka_still_holds_and_was_not_taken_in(
    first: int, end: int, offset: int | None, lag: int
) -> None:
    positions = {} if offset is None else {HERE: Position(topic_epoch="e", offset=offset)}
    (row,) = partition_status(Kafka(first, end), positions)
    assert row.lag == lag


def test_backlogs_are_summed_by_subscription_with_the_oldest_age() -> None:
    one = Subscription(subscription_id="s1", destination="http://a/")
    quiet = Subscription(subscription_id="s0", destination="http://b/")
    backlogs = [
        Backlog(subscription_id="s1", reason=ParkReason.EXHAUSTED, count=2, oldest_at_ms=4_000),
        Backlog(subscription_id="s1", reason=ParkReason.BEHIND, count=5, oldest_at_ms=1_000),
        Backlog(subscription_id="gone", reason=ParkReason.REJECTED, count=1, oldest_at_ms=9_000),
    ]
    rows = read_subscriptions([quiet, one], backlogs, Flows(), now_ms=11_000)
    assert [
        (row.subscription_id, row.subscription, row.waiting_count, row.dead_letter_count, row.oldest_age_s)
        for row in rows
    ] == [("s0", quiet, 0, 0, None), ("s1", one, 5, 2, 10.0), ("gone", None, 0, 1, 2.0)]


def test_each_subscription_is_told_with_how_it_flows_and_its_destination() -> None:
    one = Subscription(subscription_id="s1", destination="http://a/")

    (row,) = read_subscriptions([one], [], Flows(), now_ms=0)

    assert row.flow.subscription_id == "s1"
    assert (row.destination.destination_id, row.destination.breaker) == ("d", Breaker.OPEN)
    assert row.oldest_age_s is None


def test_the_inventory_is_told_by_keeper_and_with_the_last_reading_of_odims_tables() -> None:
    store = InMemoryInventoryStore(LedgerState(now_ms=lambda: 10_000))
    store.replace(Keeper.OWN, InventoryContent(sources={"10.0.0.1": "/redfish/v1/Systems/a.1"}))
    store.replace(Keeper.ODIM, InventoryContent(aggregates={"/a": (), "/b": ()}))
    store.note_reading('{"rows": {"Subscription": 3}, "skipped": {"no_uuid": 1}}')

    assert read_inventory(store, 12_500) == InventoryStatus(
        source_counts={Keeper.OWN: 1, Keeper.ODIM: 0},
        aggregate_counts={Keeper.OWN: 0, Keeper.ODIM: 2},
        read_age_s=2.5,
        row_counts={"Subscription": 3},
        skipped_counts={"no_uuid": 1},
    )


def test_an_inventory_that_nobody_uses_is_nothing_to_tell_of() -> None:
    store = InMemoryInventoryStore(LedgerState(now_ms=lambda: 0))
    assert not read_inventory(store, 0).is_used

    store.note_reading("{}")

    assert read_inventory(store, 0).is_used
