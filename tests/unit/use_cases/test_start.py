from collections.abc import Callable

import pytest

from odim_relay.domain.topic_epoch import TopicOrigin
from odim_relay.errors import TransientError
from odim_relay.ports import Commit, Position, TopicPartition
from odim_relay.use_cases.start import LedgerMissingError, StartPositions, check_birth, check_ledger
from tests.fakes.ingest_ledger import InMemoryIngestLedger
from tests.fakes.kafka import InMemoryKafka
from tests.fakes.ledger_state import LedgerState
from tests.fakes.samples import PARTITION

OTHER = TopicPartition(topic=PARTITION.topic, partition=1)


@pytest.fixture
def kafka() -> InMemoryKafka:
    kafka = InMemoryKafka()
    kafka.append(PARTITION, *[b"A"] * 10)
    kafka.append(OTHER, *[b"A"] * 3)
    return kafka


@pytest.fixture
def ledger() -> InMemoryIngestLedger:
    return InMemoryIngestLedger(LedgerState(now_ms=lambda: 0))


@pytest.fixture
def starts(ledger: InMemoryIngestLedger, kafka: InMemoryKafka) -> StartPositions:
    return StartPositions(ledger=ledger, source=kafka, new_id=ids())


def ids() -> Callable[[], str]:
    names = iter(f"epoch-{number}" for number in range(1, 100))
    return lambda: next(names)


def at(offset: int, topic_epoch: str = "epoch-1", cursor: str = "") -> Position:
    return Position(topic_epoch=topic_epoch, offset=offset, cursor=cursor)


def move(ledger: InMemoryIngestLedger, offset: int, cursor: str = "") -> None:
    stands = ledger.position(PARTITION)
    assert stands is not None
    assert ledger.set_position(PARTITION, stands, at(offset, stands.topic_epoch, cursor))


def recreate(kafka: InMemoryKafka, partition: TopicPartition, count: int) -> None:
    del kafka.logs[partition]
    kafka.append(partition, *[b"B"] * count)


# --- L10 ---


def test_l10_a_partition_never_read_starts_at_its_first_record_which_is_stored_first(
    ledger: InMemoryIngestLedger, kafka: InMemoryKafka, starts: StartPositions
) -> None:
    kafka.logs[PARTITION].low = 4

    assert starts.of([PARTITION, OTHER]) == {PARTITION: at(4), OTHER: at(0)}
    assert (ledger.position(PARTITION), ledger.position(OTHER)) == (at(4), at(0))


def test_l10_a_partition_goes_on_where_the_ledger_stands_whatever_kafka_has_committed(
    ledger: InMemoryIngestLedger, kafka: InMemoryKafka, starts: StartPositions
) -> None:
    starts.of([PARTITION])
    move(ledger, 6, "000002/s")
    kafka.commits[PARTITION] = Commit(offset=9, metadata="")

    assert starts.of([PARTITION]) == {PARTITION: at(6, cursor="000002/s")}


def test_l10_a_partition_that_was_read_to_its_end_goes_on_there(
    ledger: InMemoryIngestLedger, starts: StartPositions
) -> None:
    starts.of([PARTITION])
    move(ledger, 10)

    assert starts.of([PARTITION]) == {PARTITION: at(10)}


def test_records_that_retention_took_do_not_move_the_ledgers_position(
    ledger: InMemoryIngestLedger, kafka: InMemoryKafka, starts: StartPositions
) -> None:
    starts.of([PARTITION])
    move(ledger, 2)
    kafka.logs[PARTITION].low = 5

    assert starts.of([PARTITION]) == {PARTITION: at(2)}
    assert ledger.position(PARTITION) == at(2)


def test_a_position_that_another_bridge_writes_meanwhile_is_asked_for_again(kafka: InMemoryKafka) -> None:
    class Overtaken(InMemoryIngestLedger):
        def set_position(self, partition: TopicPartition, believed: Position | None, position: Position) -> bool:
            self.state.positions.setdefault(partition, at(3, position.topic_epoch))
            return super().set_position(partition, believed, position)

    starts = StartPositions(ledger=Overtaken(LedgerState(now_ms=lambda: 0)), source=kafka, new_id=ids())

    with pytest.raises(TransientError, match="another bridge"):
        starts.of([PARTITION])
    assert starts.of([PARTITION]) == {PARTITION: at(3)}


# --- L11 ---


@pytest.mark.parametrize(
    "origin",
    [
        TopicOrigin(cluster_id="cluster", topic_id="another"),
        TopicOrigin(cluster_id="another", topic_id="id-of-events"),
    ],
    ids=["topic", "cluster"],
)
def test_l11_a_topic_that_was_made_anew_starts_at_its_first_record_under_a_new_epoch(
    ledger: InMemoryIngestLedger, kafka: InMemoryKafka, starts: StartPositions, origin: TopicOrigin
) -> None:
    starts.of([PARTITION])
    move(ledger, 6)
    kafka.origins["events"] = origin

    assert starts.of([PARTITION]) == {PARTITION: at(0, "epoch-2")}
    assert starts.of([PARTITION]) == {PARTITION: at(0, "epoch-2")}


def test_l11_each_start_of_an_embedded_kafka_is_a_new_epoch(
    ledger: InMemoryIngestLedger, kafka: InMemoryKafka, starts: StartPositions
) -> None:
    kafka.origins["events"] = TopicOrigin(cluster_id="mock", incarnation="first")
    starts.of([PARTITION])
    move(ledger, 6)
    kafka.origins["events"] = TopicOrigin(cluster_id="mock", incarnation="second")

    assert starts.of([PARTITION]) == {PARTITION: at(0, "epoch-2")}


def test_l11_a_broker_that_now_tells_more_is_no_new_topic(
    ledger: InMemoryIngestLedger, kafka: InMemoryKafka, starts: StartPositions
) -> None:
    kafka.origins["events"] = TopicOrigin(cluster_id="cluster")
    starts.of([PARTITION])
    move(ledger, 6)
    del kafka.origins["events"]

    assert starts.of([PARTITION]) == {PARTITION: at(6)}


def test_l11_a_ledger_behind_the_logs_end_gives_that_partition_alone_an_epoch_of_its_own(
    ledger: InMemoryIngestLedger, kafka: InMemoryKafka, starts: StartPositions
) -> None:
    starts.of([PARTITION, OTHER])
    move(ledger, 10)
    recreate(kafka, PARTITION, 4)

    moved = starts.of([PARTITION, OTHER])

    assert moved == {PARTITION: at(0, "epoch-1+epoch-2"), OTHER: at(0)}
    assert starts.of([PARTITION, OTHER]) == moved


def test_l11_it_may_happen_twice_to_one_partition(
    ledger: InMemoryIngestLedger, kafka: InMemoryKafka, starts: StartPositions
) -> None:
    starts.of([PARTITION])
    move(ledger, 10)
    recreate(kafka, PARTITION, 4)
    starts.of([PARTITION])
    move(ledger, 4)
    recreate(kafka, PARTITION, 1)

    assert starts.of([PARTITION]) == {PARTITION: at(0, "epoch-1+epoch-3")}


def test_l11_two_bridges_agree_on_one_epoch(ledger: InMemoryIngestLedger, kafka: InMemoryKafka) -> None:
    first = StartPositions(ledger=ledger, source=kafka, new_id=lambda: "first")
    second = StartPositions(ledger=ledger, source=kafka, new_id=lambda: "second")

    first.of([PARTITION])

    assert second.of([OTHER]) == {OTHER: at(0, "first")}


# --- L12 ---


def test_l12_without_any_offset_anywhere_the_ledger_is_born(ledger: InMemoryIngestLedger, kafka: InMemoryKafka) -> None:
    birth = check_ledger(ledger, kafka)

    assert birth == ledger.birth()
    assert check_ledger(ledger, kafka) == birth


def test_l12_commits_of_this_ledger_are_no_obstacle(
    ledger: InMemoryIngestLedger, kafka: InMemoryKafka, starts: StartPositions
) -> None:
    birth = check_ledger(ledger, kafka)
    starts.of([PARTITION])
    kafka.commit({PARTITION: 4}, birth, wait=True)

    assert check_ledger(ledger, kafka) == birth


def test_l12_commits_without_a_ledger_stop_the_bridge_and_no_ledger_is_made(
    ledger: InMemoryIngestLedger, kafka: InMemoryKafka
) -> None:
    kafka.commit({PARTITION: 4}, "another", wait=True)

    with pytest.raises(LedgerMissingError, match="offsets reset"):
        check_ledger(ledger, kafka)
    assert not ledger.is_born()


def test_l12_commits_of_another_ledger_stop_the_bridge_and_name_the_partitions(
    ledger: InMemoryIngestLedger, kafka: InMemoryKafka, starts: StartPositions
) -> None:
    birth = ledger.birth()
    starts.of([PARTITION, OTHER])
    kafka.commit({PARTITION: 4}, birth, wait=True)
    kafka.commit({OTHER: 1}, "another", wait=True)

    with pytest.raises(LedgerMissingError, match=r"events/1 belong to another ledger"):
        check_ledger(ledger, kafka)


def test_l12_a_commit_for_a_partition_that_the_ledger_does_not_know_stops_the_bridge(
    ledger: InMemoryIngestLedger, kafka: InMemoryKafka
) -> None:
    kafka.commit({PARTITION: 4}, ledger.birth(), wait=True)

    with pytest.raises(LedgerMissingError, match="no position for events/0"):
        check_ledger(ledger, kafka)


def test_l12_a_ledger_that_is_emptied_under_a_running_bridge_is_noticed(ledger: InMemoryIngestLedger) -> None:
    birth = ledger.birth()
    check_birth(ledger, birth)
    ledger.state.birth = ""

    with pytest.raises(LedgerMissingError):
        check_birth(ledger, birth)
    assert not ledger.is_born()


def test_l12_another_ledger_in_its_place_is_noticed(ledger: InMemoryIngestLedger) -> None:
    ledger.birth()

    with pytest.raises(LedgerMissingError):
        check_birth(ledger, "of before")
