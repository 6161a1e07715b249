from collections.abc import Callable, Sequence

import pytest

from odim_relay.bridge.loop import Bridge
from odim_relay.errors import TransientError
from odim_relay.ports import Commit, IngestBatch, Position, TaskTicket, TopicPartition
from odim_relay.use_cases.directory import MatcherDirectory
from odim_relay.use_cases.ingest import Ingest
from odim_relay.use_cases.start import LedgerMissingError, StartPositions
from odim_relay.use_cases.untraced import Untraced
from tests.fakes.event_service_store import InMemoryEventServiceStore
from tests.fakes.ingest_ledger import InMemoryIngestLedger
from tests.fakes.inventory_store import InMemoryInventoryStore
from tests.fakes.kafka import InMemoryKafka
from tests.fakes.ledger_state import LedgerState
from tests.fakes.publisher import InMemoryPublisher
from tests.fakes.samples import PARTITION, decode, subscription
from tests.fakes.subscription_store import InMemorySubscriptionStore

OTHER = TopicPartition(topic=PARTITION.topic, partition=1)


class Ledger(InMemoryIngestLedger):
    """
    Fails when told: before it writes, or after, when only the answer is lost.
    """

    fails_before = 0
    fails_after = 0

    def __init__(self, state: LedgerState) -> None:
        super().__init__(state)
        self.batches: list[IngestBatch] = []

    def ingest(self, batch: IngestBatch) -> Sequence[TaskTicket] | None:
        self.batches.append(batch)
        if self.fails_before:
            self.fails_before -= 1
            raise TransientError("Redis is away")
        tickets = super().ingest(batch)
        if self.fails_after:
            self.fails_after -= 1
            raise TransientError("Redis went away")
        return tickets


class World:
    """
    A bridge that stops by itself once its Kafka's script has been played and nothing is left to read.
    """

    def __init__(self) -> None:
        self.state = LedgerState(now_ms=lambda: 0)
        self.ledger = Ledger(self.state)
        self.store = InMemorySubscriptionStore(self.state)
        self.store.save(subscription("s"))
        self.kafka = InMemoryKafka()
        self.kafka.append(PARTITION)
        self.publisher = InMemoryPublisher()
        self.now_s = 0.0
        self.signs_of_life = 0
        self.restart()

    def note_alive(self) -> None:
        self.signs_of_life += 1

    def restart(self) -> None:
        """
        Another process takes over.
        """
        matchers = MatcherDirectory(
            self.store, InMemoryEventServiceStore(self.store.state), InMemoryInventoryStore(self.store.state)
        )
        self.bridge = Bridge(
            ledger=self.ledger,
            ingest=Ingest(ledger=self.ledger, matchers=matchers, decoders={PARTITION.topic: decode}, tracer=Untraced()),
            matchers=matchers,
            publisher=self.publisher,
            birth=self.ledger.birth(),
            monotonic_s=lambda: self.now_s,
            note_alive=self.note_alive,
        )
        self.kafka.assignment.clear()
        self.kafka.paused.clear()
        self.kafka.rebalance = self.bridge
        names = iter(f"epoch-{number}" for number in range(100))
        self.bridge.attach(
            self.kafka, StartPositions(ledger=self.ledger, source=self.kafka, new_id=lambda: next(names))
        )

    def run(self, *script: Callable[[], object]) -> None:
        """
        Do the script, a step before each read, then read on twice and stop.
        """
        rest: list[Callable[[], object]] = [lambda: None, lambda: None, self.bridge.stop]
        self.kafka.script = [*script, *rest]
        self.bridge.run()

    @property
    def published(self) -> list[str]:
        return [ticket.delivery_id for ticket in self.publisher.queue]

    @property
    def taken_in(self) -> list[str]:
        """
        Payloads, in order.
        """
        kept = sorted(self.state.deliveries.values(), key=lambda it: it.number)
        return [self.state.bodies[one.event_id].payload.decode() for one in kept]

    def position(self, partition: TopicPartition = PARTITION) -> int:
        stands = self.ledger.position(partition)
        assert stands is not None
        return stands.offset


@pytest.fixture
def world() -> World:
    return World()


def numbered(count: int) -> list[str]:
    return [f"A{number}#0" for number in range(count)]


# --- reading, writing, publishing, committing ---


def test_what_is_read_is_written_then_published_then_committed(world: World) -> None:
    world.kafka.append(PARTITION, b"A", b"B", b"C")

    world.run()

    assert world.taken_in == ["A#0", "B#0", "C#0"]
    assert world.published == list(world.state.deliveries)
    assert world.kafka.commits == {PARTITION: Commit(offset=3, metadata=world.ledger.birth())}
    assert world.kafka.is_closed


def test_reading_starts_at_the_ledgers_position_by_rule_l10(world: World) -> None:
    world.kafka.append(PARTITION, b"A", b"B", b"C")
    world.run()
    world.kafka.commits[PARTITION] = Commit(offset=1, metadata=world.ledger.birth())
    world.kafka.append(PARTITION, b"D")
    world.restart()

    world.run()

    assert world.taken_in == ["A#0", "B#0", "C#0", "D#0"]
    assert len(world.published) == 4


def test_a_restart_repeats_nothing_and_skips_nothing(world: World) -> None:
    for number in range(5):
        world.kafka.append(PARTITION, f"A{number}".encode())
        world.run()
        world.restart()

    assert world.taken_in == numbered(5)
    assert len(set(world.published)) == len(world.published) == 5


def test_offsets_are_committed_every_five_seconds(world: World) -> None:
    def second(value: bytes) -> Callable[[], object]:
        def passes() -> None:
            world.now_s += 2.5
            world.kafka.append(PARTITION, value)

        return passes

    world.run(*(second(b"A") for _ in range(7)))

    assert world.kafka.commit_count == 3 + 1


def test_stopping_finishes_the_batch_under_way(world: World) -> None:
    def stops() -> None:
        world.kafka.append(PARTITION, b"A", b"B")
        world.bridge.stop()

    world.run(stops)

    assert world.taken_in == ["A#0", "B#0"]
    assert len(world.published) == 2
    assert world.kafka.commits[PARTITION].offset == 2


# --- fences ---


def test_a_refused_position_is_left_for_where_the_ledger_stands_by_rule_l9(world: World) -> None:
    def another_bridge_writes() -> None:
        world.kafka.append(PARTITION, b"A", b"B", b"C")
        stands = world.ledger.position(PARTITION)
        assert stands is not None
        world.ledger.set_position(PARTITION, stands, Position(topic_epoch=stands.topic_epoch, offset=2))

    world.run(another_bridge_writes)

    assert world.kafka.seeks == [(PARTITION, 2)]
    assert world.taken_in == ["C#0"]


def test_a_position_that_was_lost_is_read_again_from_where_the_ledger_stands_by_semantics_s15(world: World) -> None:
    def redis_loses_its_last_writes() -> None:
        stands = world.ledger.position(PARTITION)
        assert stands is not None
        world.state.positions[PARTITION] = Position(topic_epoch=stands.topic_epoch, offset=1)
        for id_ in list(world.state.deliveries)[1:]:
            world.state.forget(id_)
        world.now_s += 6

    world.kafka.append(PARTITION, b"A", b"B", b"C")
    world.run(lambda: None, redis_loses_its_last_writes)

    assert world.taken_in == ["A#0", "B#0", "C#0"]
    assert world.position() == 3


def test_a_ledger_that_is_emptied_under_the_bridge_stops_it_by_rule_l12(world: World) -> None:
    def redis_is_emptied() -> None:
        world.state.birth = ""
        world.state.positions.clear()
        world.now_s += 6

    world.kafka.append(PARTITION, b"A")

    with pytest.raises(LedgerMissingError):
        world.run(lambda: None, redis_is_emptied)
    assert not world.ledger.is_born()


# --- stores that are away ---


def test_while_the_ledger_is_away_reading_pauses_and_nothing_is_forgotten(world: World) -> None:
    paused: list[bool] = []
    world.ledger.fails_before = 3
    world.kafka.append(PARTITION, b"A", b"B")

    world.run(*[lambda: paused.append(PARTITION in world.kafka.paused)] * 5)

    assert paused == [False, True, True, True, False]
    assert world.taken_in == ["A#0", "B#0"]
    assert len(world.published) == 2


def test_a_write_whose_answer_was_lost_is_not_repeated(world: World) -> None:
    world.ledger.fails_after = 1
    world.kafka.append(PARTITION, b"A", b"B")

    world.run()

    assert world.taken_in == ["A#0", "B#0"]
    assert world.state.counters["deliveries_created"] == 2
    assert world.position() == 2


def test_tickets_that_could_not_be_published_are_published_again_by_rule_l13(world: World) -> None:
    def broker_returns() -> None:
        world.publisher.is_down = False

    world.publisher.is_down = True
    world.kafka.append(PARTITION, b"A", b"B", b"C", b"D")

    world.run(lambda: None, lambda: None, broker_returns)

    assert world.taken_in == ["A#0", "B#0", "C#0", "D#0"]
    assert set(world.published) == set(world.state.deliveries)
    assert len(world.ledger.batches) == 1


def test_while_the_broker_is_away_no_partition_is_read_also_none_that_comes_meanwhile(world: World) -> None:
    def another_partition_comes() -> None:
        world.kafka.append(OTHER, b"A", b"B")
        world.kafka.assign(OTHER)

    paused: list[set[TopicPartition]] = []
    world.publisher.is_down = True
    world.kafka.append(PARTITION, b"A")

    world.run(lambda: None, another_partition_comes, *[lambda: paused.append(set(world.kafka.paused))] * 2)

    assert paused == [{PARTITION, OTHER}, {PARTITION, OTHER}]


def test_a_bridge_that_is_told_to_stop_while_the_ledger_is_away_does_not_wait_for_it(world: World) -> None:
    class Away(Ledger):
        def position(self, partition: TopicPartition) -> Position | None:
            raise TransientError(f"no word of {partition}")

    world.ledger = Away(world.state)
    world.restart()
    world.bridge.stop()

    with pytest.raises(TransientError):
        world.bridge.assigned([PARTITION])


# --- rebalances ---


def test_a_partition_that_is_revoked_is_committed_first(world: World) -> None:
    world.kafka.append(PARTITION, b"A")

    world.run(lambda: None, lambda: world.kafka.revoke(PARTITION), lambda: world.kafka.append(PARTITION, b"B"))

    assert world.kafka.commits[PARTITION].offset == 1
    assert world.taken_in == ["A#0"]


def test_a_partition_that_is_lost_is_not_committed(world: World) -> None:
    world.kafka.append(PARTITION, b"A")

    world.run(lambda: None, lambda: world.kafka.lose(PARTITION))

    assert world.kafka.commits == {}


def test_a_partition_that_comes_back_goes_on_where_the_ledger_stands(world: World) -> None:
    def comes_back() -> None:
        world.kafka.append(PARTITION, b"B")
        world.kafka.assign(PARTITION)

    world.kafka.append(PARTITION, b"A")

    world.run(lambda: None, lambda: world.kafka.revoke(PARTITION), comes_back)

    assert world.taken_in == ["A#0", "B#0"]


def test_records_of_a_partition_that_is_not_ours_any_more_are_left(world: World) -> None:
    world.kafka.append(PARTITION, b"A")
    world.ledger.fails_before = 1

    world.run(lambda: None, lambda: world.kafka.lose(PARTITION))

    assert world.taken_in == []
    assert world.position() == 0


# --- L16: records that kill ---


def start_until_it_runs(world: World) -> int:
    """
    Start bridges until one lives. Returns how many died.
    """
    for deaths in range(20):
        try:
            world.run()
        except MemoryError:
            world.restart()
        else:
            return deaths
    raise AssertionError("the bridge dies for ever")


def test_l16_a_record_that_kills_is_quarantined_unread_and_its_neighbours_are_not(world: World) -> None:
    world.kafka.append(PARTITION, b"A", b"B", b"!", b"C")

    deaths = start_until_it_runs(world)

    assert [entry.value for entry in world.state.quarantine.values()] == [b"!"]
    assert [entry.reason for entry in world.state.quarantine.values()] == ["unparsed"]
    assert world.taken_in == ["A#0", "B#0", "C#0"]
    assert deaths < 10


def test_l16_two_records_that_kill_are_both_found(world: World) -> None:
    world.kafka.append(PARTITION, b"!", b"A", b"!", b"B")

    start_until_it_runs(world)

    assert [entry.record for entry in world.state.quarantine.values()] == ["events/0/0", "events/0/2"]
    assert world.taken_in == ["A#0", "B#0"]


def test_l16_three_starts_without_progress_are_no_reason_for_caution(world: World) -> None:
    world.state.starts[PARTITION] = (0, 2)
    world.kafka.append(PARTITION, b"A", b"B")

    world.run()

    assert [len(batch.deliveries) for batch in world.ledger.batches] == [2]


def test_l16_after_more_starts_records_go_one_by_one(world: World) -> None:
    world.state.starts[PARTITION] = (0, 3)
    world.kafka.append(PARTITION, b"A", b"B")

    world.run()

    assert [len(batch.deliveries) for batch in world.ledger.batches] == [1, 1]
    assert world.state.quarantine == {}


def test_l16_caution_ends_with_what_was_read_at_the_start(world: World) -> None:
    world.state.starts[PARTITION] = (0, 3)
    world.kafka.append(PARTITION, b"A", b"B")

    world.run(lambda: None, lambda: world.kafka.append(PARTITION, b"C", b"D"))

    assert [len(batch.deliveries) for batch in world.ledger.batches] == [1, 1, 2]


def test_l16_a_lost_answer_does_not_cost_the_next_record_its_reading(world: World) -> None:
    world.state.starts[PARTITION] = (0, 4)
    world.ledger.fails_after = 1
    world.kafka.append(PARTITION, b"!", b"A")

    world.run()

    assert [entry.record for entry in world.state.quarantine.values()] == ["events/0/0"]
    assert world.taken_in == ["A#0"]


def test_a_record_that_comes_with_others_keeps_their_order(world: World) -> None:
    world.kafka.append(PARTITION, *(f"A{number}".encode() for number in range(1_200)))

    world.run()

    assert world.taken_in == numbered(1_200)


def test_the_loop_gives_a_sign_of_life_each_time_it_comes_round_also_while_redis_is_away(world: World) -> None:
    world.kafka.append(PARTITION, b"A")
    world.ledger.fails_before = 3
    signs: list[int] = []
    world.run(*[lambda: signs.append(world.signs_of_life)] * 6)
    assert not world.ledger.fails_before
    assert signs == sorted(set(signs))
