"""
What Kafka, bridges and subscribers can do.
"""

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from odim_relay.domain.delivery import ParkReason
from odim_relay.domain.outcome import Outcome
from odim_relay.domain.subscription import Filters, Subscription
from odim_relay.ports import IngestBatch, Position, TaskTicket, TopicPartition
from odim_relay.use_cases.directory import MatcherDirectory
from odim_relay.use_cases.ingest import Ingest, PositionMovedError
from tests.integration.ledger.history import EPOCH, FIRST_OFFSET, NOT_FOR_SUBSCRIBERS, PARTITION, UNREADABLE, decode
from tests.integration.ledger.machine_sending import Sending
from tests.integration.ledger.machine_world import MOST_DELIVERIES, one_of, picks, publishing

events = st.lists(st.sampled_from(["A", "B", "C", "AB", "ABC", "AZ", "Z"]), min_size=1, max_size=4).map("|".join)
texts = st.one_of(events, events, events, st.sampled_from([UNREADABLE * 25, NOT_FOR_SUBSCRIBERS]))
prefixes = st.sampled_from([("A",), ("B",), ("A", "B"), ("A", "B", "C")])
fates = st.lists(st.sampled_from(["2xx", "countdown", "due", "exhausted", "rejected"]), max_size=4)


class Bridge:
    """
    A bridge, which may be a zombie: it goes by what it believes, not by what the ledger says.
    """

    def __init__(self, ledger: "Intake", position: Position) -> None:
        self.matchers = MatcherDirectory(ledger.twin)
        self.ingest = Ingest(ledger=ledger, matchers=self.matchers, decoders={PARTITION.topic: decode})  # type: ignore[arg-type]
        self.position = position
        self.matchers.refresh()


class Intake(Sending):
    """
    Rules of ingest, by bridges that are right, behind or dead, and of the subscriptions it goes by.
    """

    def __init__(self) -> None:
        super().__init__()
        self.next_offset = FIRST_OFFSET
        self.subscription_count = 0
        self.deleted: list[Subscription] = []
        self.bridges = [Bridge(self, self.start), Bridge(self, self.start)]

    # --- Kafka and the bridges ---

    @rule(texts=st.lists(texts, min_size=1, max_size=3), gap=st.integers(min_value=0, max_value=2))
    def records_come(self, texts: list[str], gap: int) -> None:
        for text in texts:
            self.history.log[self.next_offset] = text
            self.next_offset += 1
        self.next_offset += gap

    @rule(pick=picks, dies_after=st.sampled_from([None, None, None, 0, 1, 2]), publish=publishing)
    def a_bridge_takes_records_in(self, pick: int, dies_after: int | None, publish: str) -> None:
        bridge = one_of(self.bridges, pick)
        written: list[TaskTicket] = []
        steps = 0
        believed = bridge.position
        try:
            records = self.history.records_from(bridge.position.offset)
            for position, tickets in bridge.ingest.take(PARTITION, bridge.position, records):
                believed, bridge.position = bridge.position, position
                written += tickets
                steps += 1
                if steps == dies_after:
                    break
        except PositionMovedError:
            bridge.position = self.stands()
        if dies_after is None:
            self.publish(written, publish)
        else:
            # Dead between ledger and broker; another starts where the ledger stands, and a zombie a step behind.
            self.bridges = [Bridge(self, self.stands()), Bridge(self, believed)]

    @rule(text=events, publish=publishing)
    def a_zombie_writes_too(self, text: str, publish: str) -> None:
        self.records_come([text], 0)
        self.a_bridge_takes_records_in(0, 1, publish)
        self.a_bridge_takes_records_in(1, None, publish)

    @rule(pick=picks, by=st.integers(min_value=0, max_value=1))
    def a_bridge_was_here_before(self, pick: int, by: int) -> None:
        """
        A zombie stands at the record that the ledger is in, or one before.
        """
        stands = self.stands()
        offset = max(FIRST_OFFSET, stands.offset - by)
        one_of(self.bridges, pick).position = Position(topic_epoch=EPOCH, offset=offset)

    @precondition(lambda self: self.history.log)
    @rule(pick=picks)
    def the_position_is_reset(self, pick: int) -> None:
        stands = self.stands()
        offset = FIRST_OFFSET + pick % (self.next_offset - FIRST_OFFSET)
        if offset < stands.offset:
            assert self.twin.set_position(PARTITION, stands, Position(topic_epoch=EPOCH, offset=offset))
            self.history.timeline.again.update(range(offset, stands.offset + 1))

    def ingest(self, batch: IngestBatch) -> list[TaskTicket] | None:
        """
        `IngestLedger.ingest` with a witness.
        """
        assert len(batch.deliveries) <= MOST_DELIVERIES
        before, stood, generation = self.twin.read(), self.twin.position(PARTITION), self.twin.generation()
        tickets = self.twin.ingest(batch)
        if tickets is None:
            return None
        assert (batch.believed, batch.generation) == (stood, generation), "L9: a stale batch was written"
        self.history.wrote(batch, list(tickets), self.twin.state.subscriptions, before)
        return list(tickets)

    def position(self, partition: TopicPartition) -> Position | None:
        return self.twin.position(partition)

    def stands(self) -> Position:
        found = self.twin.position(PARTITION)
        assert found is not None
        return found

    # --- subscriptions ---

    @initialize(first=prefixes, second=prefixes, texts=st.lists(texts, min_size=1, max_size=3), fates=fates)
    def two_subscribe_and_records_come(
        self, first: tuple[str, ...], second: tuple[str, ...], texts: list[str], fates: list[str]
    ) -> None:
        self.one_subscribes(first, None)
        self.one_subscribes(second, "mine")
        self.records_come_and_are_sent(texts, fates)

    @rule(texts=st.lists(texts, min_size=1, max_size=2), fates=fates)
    def records_come_and_are_sent(self, texts: list[str], fates: list[str]) -> None:
        """
        Nothing that the other rules could not do; but what comes after a claim is to come often.
        """
        self.records_come(texts, 0)
        self.a_bridge_takes_records_in(0, None, "once")
        self.claim([self.broker.pop() for _ in range(min(len(self.broker), len(fates) + 1))])
        for fate in fates[: len(self.working)]:
            self.before = self.twin.read()
            match fate:
                case "2xx":
                    self.a_destination_answers_2xx(0, 1)
                case "countdown":
                    self.an_attempt_fails(0, Outcome(status=503), 15.0, "once")
                case "due":
                    self.an_attempt_fails(0, Outcome(status=503), 5000.0, "once")
                case reason:
                    self.an_attempt_fails_for_good(0, ParkReason(reason))

    @precondition(lambda self: len(self.twin.state.subscriptions) < 6)
    @rule(wanted=prefixes, context=st.sampled_from([None, "mine"]))
    def one_subscribes(self, wanted: tuple[str, ...], context: str | None) -> None:
        # Ids that do not come in order of creation.
        self.subscription_count += 1
        number = self.subscription_count * 7919 % 9973
        self.twin.save(subscription(f"subscription-{number:04}", wanted, context))

    @precondition(lambda self: self.twin.state.subscriptions)
    @rule(pick=picks, wanted=prefixes)
    def one_changes_its_subscription(self, pick: int, wanted: tuple[str, ...]) -> None:
        old = self.pick_subscription(pick)
        self.twin.save(subscription(old.subscription_id, wanted, old.context))

    @precondition(lambda self: self.twin.state.subscriptions)
    @rule(pick=picks, is_swept=st.booleans(), then_fails=st.booleans())
    def one_unsubscribes(self, pick: int, is_swept: bool, then_fails: bool) -> None:
        old = self.pick_subscription(pick)
        assert self.twin.delete(old.subscription_id)
        assert not self.twin.delete(old.subscription_id)
        self.deleted.append(old)
        while is_swept and old.subscription_id in self.twin.state.deleted:
            self.the_reaper_comes(queue_is_empty=False, often=1, publish="once")
            self.everything_is_as_it_must_be()
        for claim in [claim for claim in self.working if then_fails and claim.subscription_id == old.subscription_id]:
            self.an_attempt_fails_for_good(self.working.index(claim), ParkReason.EXHAUSTED)

    @precondition(lambda self: self.deleted)
    @rule(pick=picks)
    def one_comes_back_under_its_old_id(self, pick: int) -> None:
        old = self.deleted.pop(pick % len(self.deleted))
        self.history.came_back(old.subscription_id, self.before)
        self.twin.save(old)

    def pick_subscription(self, pick: int) -> Subscription:
        return one_of(sorted(self.twin.state.subscriptions.values(), key=lambda it: it.subscription_id), pick)


def subscription(id_: str, wanted: tuple[str, ...], context: str | None) -> Subscription:
    return Subscription(
        subscription_id=id_,
        destination="https://example.test/",
        filters=Filters(registry_prefixes=wanted),
        context=context,
    )
