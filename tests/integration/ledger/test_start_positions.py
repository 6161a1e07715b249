"""
Where reading starts, over the real ledger: L10, L11, L12. Every case of the decision is among the unit tests.
"""

import pytest

from odim_relay.domain.topic_epoch import TopicOrigin
from odim_relay.ports import Position
from odim_relay.use_cases.start import LedgerMissingError, StartPositions, check_birth, check_ledger
from tests.fakes.kafka import InMemoryKafka
from tests.fakes.samples import PARTITION
from tests.integration.ledger.bench import Bench

pytestmark = pytest.mark.server


@pytest.fixture
def kafka() -> InMemoryKafka:
    kafka = InMemoryKafka()
    kafka.append(PARTITION, *[b"A"] * 10)
    return kafka


@pytest.fixture
def starts(bench: Bench, kafka: InMemoryKafka) -> StartPositions:
    names = iter(f"epoch-{number}" for number in range(1, 10))
    return StartPositions(ledger=bench.ingest, source=kafka, new_id=lambda: next(names))


def test_l10_the_first_position_is_stored_before_anything_is_read(
    bench: Bench, kafka: InMemoryKafka, starts: StartPositions
) -> None:
    kafka.logs[PARTITION].low = 4

    first = starts.of([PARTITION])[PARTITION]

    assert first == bench.ingest.position(PARTITION) == Position(topic_epoch="epoch-1", offset=4)


def test_l10_reading_goes_on_where_the_last_batch_ended(bench: Bench, starts: StartPositions) -> None:
    starts.of([PARTITION])
    bench.fill(6)

    assert starts.of([PARTITION])[PARTITION] == Position(topic_epoch="epoch-1", offset=6)


def test_l11_a_topic_made_anew_gets_new_names_and_old_deliveries_stay(
    bench: Bench, kafka: InMemoryKafka, starts: StartPositions
) -> None:
    starts.of([PARTITION])
    bench.fill(6)
    kafka.origins["events"] = TopicOrigin(cluster_id="cluster", topic_id="another")

    assert starts.of([PARTITION])[PARTITION] == Position(topic_epoch="epoch-2", offset=0)
    assert len(bench.database.deliveries) == 6


def test_l11_a_ledger_behind_the_logs_end_starts_anew(
    bench: Bench, kafka: InMemoryKafka, starts: StartPositions
) -> None:
    starts.of([PARTITION])
    bench.fill(6)
    del kafka.logs[PARTITION].records[3:]

    assert starts.of([PARTITION])[PARTITION] == Position(topic_epoch="epoch-1+epoch-2", offset=0)
    assert starts.of([PARTITION])[PARTITION] == Position(topic_epoch="epoch-1+epoch-2", offset=0)


def test_l12_a_flushed_redis_is_not_read_on_from(bench: Bench, kafka: InMemoryKafka, starts: StartPositions) -> None:
    birth = check_ledger(bench.ingest, kafka)
    starts.of([PARTITION])
    kafka.commit({PARTITION: 4}, birth, wait=True)
    assert check_ledger(bench.ingest, kafka) == birth
    bench.client.flushdb()

    with pytest.raises(LedgerMissingError, match="holds no ledger"):
        check_ledger(bench.ingest, kafka)
    with pytest.raises(LedgerMissingError):
        check_birth(bench.ingest, birth)
    assert bench.database.content == {}


def test_l12_another_ledger_is_not_read_on_from(bench: Bench, kafka: InMemoryKafka) -> None:
    kafka.commit({PARTITION: 4}, "another", wait=True)
    bench.ingest.birth()

    with pytest.raises(LedgerMissingError, match="another ledger"):
        check_ledger(bench.ingest, kafka)
