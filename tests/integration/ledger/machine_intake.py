"""
What Kafka, bridges and subscribers can do.
"""

from typing import NamedTuple

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from odim_relay.domain.delivery import ParkReason
from odim_relay.domain.subscription import Filters, Mode, RetryPolicy, Subscription
from odim_relay.ports import Position, TaskTicket
from odim_relay.use_cases.directory import MatcherDirectory
from odim_relay.use_cases.ingest import Ingest, PositionMovedError
from odim_relay.use_cases.untraced import Untraced
from tests.integration.ledger.history import EPOCH, FIRST_OFFSET, NOT_FOR_SUBSCRIBERS, PARTITION, UNREADABLE, decode
from tests.integration.ledger.machine_sending import UNAVAILABLE, Sending
from tests.integration.ledger.machine_world import RETENTION_S, one_of, picks, publishing
from tests.integration.ledger.watched import WatchedLedger

events = st.lists(st.sampled_from(["A", "B", "C", "AB", "ABC", "AZ", "Z"]), min_size=1, max_size=3).map("|".join)
texts = st.one_of(events, events, events, st.sampled_from([UNREADABLE * 25, NOT_FOR_SUBSCRIBERS]))
prefixes = st.sampled_from([("A",), ("B",), ("A", "B"), ("A", "B", "C")])


class Limits(NamedTuple):
    """
    What a subscription says of its own.
    """

    max_in_flight: int | None = None
    rate_per_s: float | None = None
    retention_s: int | None = None
    batch_size: int | None = None


class Wish(NamedTuple):
    """
    What is asked of a subscription.
    """

    prefixes: tuple[str, ...]
    context: str | None
    destination: str
    policy: RetryPolicy
    mode: Mode
    limits: Limits


wishes = st.builds(
    Wish,
    prefixes=prefixes,
    context=st.sampled_from([None, "mine"]),
    destination=st.sampled_from(["a", "a", "b"]),
    policy=st.sampled_from([RetryPolicy.FOREVER_WITH_BACKOFF] * 3 + [RetryPolicy.SUSPEND, RetryPolicy.TERMINATE]),
    mode=st.sampled_from([Mode.AT_LEAST_ONCE] * 3 + [Mode.ORDERED] * 2 + [Mode.AT_MOST_ONCE]),
    limits=st.sampled_from(
        [
            *[Limits()] * 3,
            Limits(max_in_flight=1),
            Limits(rate_per_s=0.05),
            Limits(max_in_flight=2, rate_per_s=1.0, retention_s=round(RETENTION_S / 4)),
            *[Limits(batch_size=3)] * 2,
            Limits(batch_size=4, rate_per_s=1.0),
        ]
    ),
)
fates = st.lists(
    st.sampled_from(["2xx", "countdown", "countdown", "due", "exhausted", "rejected", "gone", "broken"]), max_size=4
)


class Bridge:
    """
    A bridge, which may be a zombie: it goes by what it believes, not by what the ledger says.
    """

    def __init__(self, ledger: WatchedLedger, position: Position) -> None:
        self.matchers = MatcherDirectory(ledger, ledger.services, ledger.inventory)  # type: ignore[arg-type] # as far as it needs a store
        self.ingest = Ingest(
            ledger=ledger,  # type: ignore[arg-type] # as far as it needs one
            matchers=self.matchers,
            decoders={PARTITION.topic: decode},
            tracer=Untraced(),
        )
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
        self.bridges = [Bridge(self.ledger, self.start), Bridge(self.ledger, self.start)]

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
            self.bridges = [Bridge(self.ledger, self.stands()), Bridge(self.ledger, believed)]

    @rule(text=events, publish=publishing)
    def a_zombie_writes_too(self, text: str, publish: str) -> None:
        self.records_come([text], 0)
        self.a_bridge_takes_records_in(0, 1, publish)
        self.a_bridge_takes_records_in(1, None, publish)

    @rule(keeps=st.sampled_from([True, True, False]))
    def somebody_follows_a_stream(self, keeps: bool) -> None:
        self.ledger.keep_journal(keeps=keeps)

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
            assert self.ledger.set_position(PARTITION, stands, Position(topic_epoch=EPOCH, offset=offset))
            self.history.timeline.again.update(range(offset, stands.offset + 1))

    def stands(self) -> Position:
        found = self.ledger.position(PARTITION)
        assert found is not None
        return found

    # --- subscriptions ---

    @initialize(first=wishes, second=wishes, third=wishes, texts=st.lists(events, min_size=1, max_size=3), fates=fates)
    def some_subscribe_and_records_come(
        self, first: Wish, second: Wish, third: Wish, texts: list[str], fates: list[str]
    ) -> None:
        for wish in (first, second, third):
            self.one_subscribes(wish)
        self.records_come_and_are_sent(texts, fates)

    @rule(texts=st.lists(texts, min_size=1, max_size=2), fates=fates)
    def records_come_and_are_sent(self, texts: list[str], fates: list[str]) -> None:
        """
        Nothing that the other rules could not do; but what comes after a claim is to come often.
        """
        self.records_come(texts, 0)
        self.a_bridge_takes_records_in(0, None, "once")
        self.claim([self.broker.pop() for _ in range(min(len(self.broker), len(fates) + 2))])
        for fate in fates[: len(self.working)]:
            match fate:
                case "2xx":
                    self.a_destination_answers_2xx(0, 1, is_fast=False)
                case "countdown":
                    self.an_attempt_fails(0, UNAVAILABLE, 15.0, "once")
                case "due":
                    self.an_attempt_fails(0, UNAVAILABLE, 5000.0, "once")
                case reason:
                    self.an_attempt_fails_for_good(0, ParkReason(reason))

    @precondition(lambda self: len(self.ledger.seen.subscriptions) < 5)
    @rule(wish=wishes)
    def one_subscribes(self, wish: Wish) -> None:
        # Ids that do not come in order of creation.
        self.subscription_count += 1
        number = self.subscription_count * 7919 % 9973
        self.ledger.save(subscription(f"subscription-{number:04}", wish))

    @precondition(lambda self: self.ledger.seen.subscriptions)
    @rule(pick=picks, wish=wishes)
    def one_changes_its_subscription(self, pick: int, wish: Wish) -> None:
        self.ledger.save(subscription(self.pick_subscription(pick), wish))

    @precondition(lambda self: self.ledger.seen.subscriptions)
    @rule(pick=picks, is_swept=st.booleans(), then_fails=st.booleans())
    def one_unsubscribes(self, pick: int, is_swept: bool, then_fails: bool) -> None:
        id_ = self.pick_subscription(pick)
        old = self.ledger.get(id_)
        assert old is not None
        self.ledger.delete(id_)
        self.deleted.append(old)
        while is_swept and id_ in self.ledger.seen.get("subscriptions:deleted", {}):
            self.the_reaper_comes(queue_is_empty=False, often=1, publish="once")
        for claim in [claim for claim in self.working if then_fails and claim.subscription_id == id_]:
            self.an_attempt_fails_for_good(self.working.index(claim), ParkReason.EXHAUSTED)

    @precondition(lambda self: self.deleted)
    @rule(pick=picks)
    def one_comes_back_under_its_old_id(self, pick: int) -> None:
        self.ledger.save(self.deleted.pop(pick % len(self.deleted)))

    def pick_subscription(self, pick: int) -> str:
        return one_of(sorted(self.ledger.seen.subscriptions), pick)


def subscription(id_: str, wish: Wish) -> Subscription:
    return Subscription(
        subscription_id=id_,
        destination=f"https://{wish.destination}.test/",
        filters=Filters(registry_prefixes=wish.prefixes),
        context=wish.context,
        retry_policy=wish.policy,
        mode=wish.mode,
        **wish.limits._replace(batch_size=None if wish.mode is Mode.AT_MOST_ONCE else wish.limits.batch_size)._asdict(),
    )
