"""
What the clock's tasks and people can do about what is parked.
"""

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from odim_relay.domain.delivery import ParkReason
from odim_relay.domain.outcome import Outcome
from odim_relay.ports import Connection
from tests.integration.ledger.machine_intake import Intake
from tests.integration.ledger.machine_sending import transient
from tests.integration.ledger.machine_world import PROBE_S, RETENTION_S, one_of, picks, publishing


class Backlogs(Intake):
    """
    Rules of replay, probes, expiry, and of the commands.
    """

    @precondition(lambda self: self.ledger.seen.get("due", {}))
    @rule(accepts=st.sampled_from([None, False, True]), often=st.sampled_from([1, 1, 2]), publish=publishing)
    def the_replay_comes(self, accepts: bool | None, often: int, publish: str) -> None:
        connections: list[Connection] = []
        for _ in range(often):
            step = self.ledger.replay()
            self.settle(step.aftermath, publish)
            connections += step.connections
        for connection in connections:
            destination = self.ledger.seen.flows.get(connection.subscription_id, {}).get("destination")
            assert destination == connection.destination_id
            if accepts is not None:
                self.settle(self.ledger.connected(connection.destination_id, accepts=accepts), publish)

    @precondition(lambda self: self.ledger.seen.destinations)
    @rule(pick=picks, accepts=st.booleans())
    def a_destination_is_connected_to(self, pick: int, accepts: bool) -> None:
        self.settle(self.ledger.connected(one_of(sorted(self.ledger.seen.destinations), pick), accepts=accepts))

    @precondition(lambda self: self.working)
    @rule(
        outcome=transient,
        rounds=st.sampled_from([1, 1, 2, 5]),
        accepts=st.booleans(),
        then=st.sampled_from(["2xx", "2xx", "rejected", "nothing"]),
    )
    def a_destination_is_down_for_a_while(self, outcome: Outcome, rounds: int, accepts: bool, then: str) -> None:
        """
        Nothing that the other rules could not do; but what comes after a breaker opened is to come often.
        """
        for _ in range(rounds):
            self.a_destination_fails_for_all(outcome, None)
            self.ledger.move(PROBE_S)
            self.the_replay_comes(accepts, 1, "once")
            self.claim([self.broker.pop() for _ in range(min(len(self.broker), 2))])
        if self.working and then == "2xx":
            self.a_destination_answers_2xx(-1, 1, is_fast=False)
        elif self.working and then == "rejected":
            self.an_attempt_fails_for_good(-1, ParkReason.REJECTED)

    @precondition(lambda self: self.ledger.seen.dead_letters)
    @rule(after_s=st.sampled_from([0.0, 0.0, RETENTION_S / 2, RETENTION_S]))
    def what_is_old_expires(self, after_s: float) -> None:
        self.ledger.move(after_s)
        self.settle(self.ledger.expire())

    @precondition(lambda self: self.ledger.seen.dead_letters)
    @rule(pick=picks, count=st.integers(min_value=1, max_value=3), often=st.sampled_from([1, 2]))
    def people_replay(self, pick: int, count: int, often: int) -> None:
        letters = sorted(self.ledger.seen.dead_letters)
        chosen = [one_of(letters, pick + at) for at in range(count)]
        for _ in range(often):
            self.settle(self.ledger.release(chosen))

    @precondition(lambda self: self.ledger.seen.dead_letters)
    @rule(pick=picks, often=st.sampled_from([1, 2]))
    def people_discard(self, pick: int, often: int) -> None:
        chosen = one_of(sorted(self.ledger.seen.dead_letters), pick)
        for _ in range(often):
            self.settle(self.ledger.discard([chosen]))

    @precondition(lambda self: self.ledger.seen.subscriptions)
    @rule(pick=picks)
    def people_suspend(self, pick: int) -> None:
        self.ledger.suspend(self.pick_subscription(pick))

    @precondition(lambda self: any("suspended" in flow for flow in self.ledger.seen.flows.values()))
    @rule(pick=picks, within_s=st.sampled_from([None, None, 100.0]))
    def people_resume(self, pick: int, within_s: float | None) -> None:
        flows = self.ledger.seen.flows
        living = [id_ for id_ in flows if "suspended" in flows[id_] and id_ in self.ledger.seen.subscriptions]
        if living:
            self.resume(one_of(sorted(living), pick), within_s)

    @rule(then=st.sampled_from(["it goes on", "it goes on", "it stays"]), seconds=st.sampled_from([0.0, PROBE_S]))
    def nothing_is_sent_for_a_while(self, then: str, seconds: float) -> None:
        self.ledger.enable(is_enabled=False)
        self.claim(self.broker[:2])
        self.ledger.move(seconds)
        self.settle(self.ledger.replay().aftermath)
        self.ledger.enable(is_enabled=then == "it goes on")
        self.settle(self.ledger.replay().aftermath)

    @precondition(lambda self: not self.ledger.seen.is_enabled)
    @rule()
    def everything_is_sent_again(self) -> None:
        self.ledger.enable(is_enabled=True)

    def resume(self, id_: str, within_s: float | None) -> None:
        parked = len(self.ledger.seen.letters_of(id_))
        resumed = self.ledger.resume(id_, within_s)
        assert resumed is not None
        assert resumed.parked_count == parked
        self.settle(resumed.aftermath)

    @precondition(lambda self: self.ledger.seen.subscriptions)
    @rule(pick=picks)
    def one_is_looked_at(self, pick: int) -> None:
        self.settle(self.ledger.wake(self.pick_subscription(pick)))
