"""
What workers, and the destinations they send to, can do.
"""

from dataclasses import replace

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from odim_relay.domain.delivery import ParkReason, State
from odim_relay.domain.outcome import Failure, Outcome
from odim_relay.ports import Claim, LastAttempt, Refusal, TaskTicket
from tests.integration.ledger.machine_world import World, one_of, picks, publishing
from tests.integration.ledger.step_checks import ids_of

UNAVAILABLE = Outcome(status=503)
UNREACHABLE = Outcome(failure=Failure.CONNECT, detail="refused")
BUSY = Outcome(status=503, retry_after_s=90.0)
transient = st.sampled_from([UNAVAILABLE, UNAVAILABLE, UNREACHABLE, BUSY])
for_good = st.sampled_from([ParkReason.EXHAUSTED, ParkReason.REJECTED, ParkReason.GONE, ParkReason.BROKEN])
_OUTCOMES = {
    ParkReason.EXHAUSTED: UNAVAILABLE,
    ParkReason.REJECTED: Outcome(status=400),
    ParkReason.GONE: Outcome(status=410),
    ParkReason.BROKEN: Outcome(detail="our own fault"),
}


class Sending(World):
    """
    Rules of claims and outcomes, timely and late.
    """

    @precondition(lambda self: self.broker)
    @rule(pick=picks, count=st.sampled_from([1, 3]))
    def workers_claim(self, pick: int, count: int) -> None:
        for _ in range(min(count, len(self.broker))):
            self.claim([self.broker.pop(pick % len(self.broker))])

    @precondition(lambda self: self.given)
    @rule(pick=picks, by=st.integers(min_value=-2, max_value=2))
    def a_worker_claims_with_an_old_or_wrong_ticket(self, pick: int, by: int) -> None:
        ticket = one_of(self.given, pick)
        # A ticket that the ledger has not given yet would be a good one.
        given = int(self.ledger.seen.everything.get(ticket.delivery_id, {}).get("seq", "0"))
        self.claim([TaskTicket(delivery_id=ticket.delivery_id, seq=max(1, min(ticket.seq + by, given)))])

    @precondition(lambda self: self.broker or self.working)
    @rule(
        pick=picks,
        claims=st.integers(min_value=1, max_value=4),
        completions=st.integers(min_value=0, max_value=2),
        is_fast=st.booleans(),
    )
    def a_group_of_threads_completes_and_claims(self, pick: int, claims: int, completions: int, is_fast: bool) -> None:
        done, self.working = self.working[:completions], self.working[completions:]
        tickets = [self.broker.pop((pick + at) % len(self.broker)) for at in range(min(claims, len(self.broker)))]
        self.claim(tickets, done, is_fast=is_fast)

    def claim(self, tickets: list[TaskTicket], done: list[Claim] | None = None, *, is_fast: bool = False) -> None:
        replies, aftermath = self.ledger.step(tickets, done or (), is_fast=is_fast)
        self.settle(aftermath)
        for reply in replies:
            if isinstance(reply, Refusal):
                continue
            found = self.directory.find(reply.subscription_id, reply.generation)
            assert found == self.ledger.get(reply.subscription_id), "a worker knows an old subscription"
            self.working.append(self.ledger.join(reply) if reply.room else reply)

    @precondition(lambda self: self.working)
    @rule(pick=picks, often=st.sampled_from([1, 1, 1, 2]), is_fast=st.booleans())
    def a_destination_answers_2xx(self, pick: int, often: int, is_fast: bool) -> None:
        claim = self.working.pop(pick % len(self.working))
        if claim.lost_count:
            self.ledger.told(claim)
        self.ledger.answered_2xx(claim)
        for _ in range(often):
            self.settle(self.ledger.complete(claim, is_fast=is_fast))

    @precondition(lambda self: self.working)
    @rule(is_fast=st.booleans())
    def all_is_well_for_a_while(self, is_fast: bool) -> None:
        """
        Nothing that the other rules could not do; but it is what windows and recoveries are for.
        """
        for _ in range(6):
            done, self.working = self.working, []
            tickets, self.broker = self.broker[:3], self.broker[3:]
            self.claim(tickets, done, is_fast=is_fast)

    @precondition(lambda self: self.working)
    @rule(pick=picks)
    def a_worker_dies_after_the_2xx(self, pick: int) -> None:
        claim = self.working.pop(pick % len(self.working))
        self.ledger.answered_2xx(claim)

    @precondition(lambda self: self.working)
    @rule(pick=picks)
    def a_worker_dies_before_it_sends(self, pick: int) -> None:
        self.working.pop(pick % len(self.working))

    @precondition(lambda self: self.working)
    @rule(pick=picks)
    def a_worker_looks_whether_it_may_send(self, pick: int) -> None:
        self.ledger.holds(one_of(self.working, pick))

    @precondition(lambda self: self.working)
    @rule(pick=picks, outcome=transient, wait_s=st.sampled_from([15.0, 15.0, 45.0, 5000.0]), publish=publishing)
    def an_attempt_fails(self, pick: int, outcome: Outcome, wait_s: float, publish: str) -> None:
        claim = self.working.pop(pick % len(self.working))
        wait_s = max(wait_s, outcome.retry_after_s or 0.0)
        self.settle(self.ledger.retry(claim, wait_s, last(outcome)), publish)

    @precondition(lambda self: self.working)
    @rule(outcome=transient, reason=st.sampled_from([None, ParkReason.EXHAUSTED, ParkReason.REJECTED]))
    def a_destination_fails_for_all(self, outcome: Outcome, reason: ParkReason | None) -> None:
        while self.working:
            if reason is None:
                self.an_attempt_fails(0, outcome, 15.0, "once")
            else:
                self.an_attempt_fails_for_good(0, reason)

    @precondition(lambda self: self.working)
    @rule(pick=picks, reason=for_good)
    def an_attempt_fails_for_good(self, pick: int, reason: ParkReason) -> None:
        claim = self.working.pop(pick % len(self.working))
        if reason is ParkReason.GONE:
            self.settle(self.ledger.suspend_with(claim, last(_OUTCOMES[reason])))
        else:
            self.settle(self.ledger.park(claim, reason, last(_OUTCOMES[reason])))

    @precondition(lambda self: any(claim.passengers for claim in self.working))
    @rule(pick=picks, count=st.sampled_from([1, 2]))
    def some_do_not_fit(self, pick: int, count: int) -> None:
        claim = one_of([claim for claim in self.working if claim.passengers], pick)
        stay, go = claim.passengers[:-count], claim.passengers[-count:]
        self.ledger.unload(claim, go)
        self.working[self.working.index(claim)] = replace(claim, passengers=stay)

    @precondition(lambda self: self.working)
    @rule(pick=picks, publish=publishing)
    def a_worker_gives_back(self, pick: int, publish: str) -> None:
        self.settle(self.ledger.give_back(self.working.pop(pick % len(self.working))), publish)

    @precondition(lambda self: self.working)
    @rule(
        pick=picks,
        meanwhile=st.sampled_from(["nothing", "it is reaped", "another claims"]),
        then=st.sampled_from(["is answered", "fails", "fails for good", "gives back"]),
    )
    def a_worker_wakes_up_after_its_lease(self, pick: int, meanwhile: str, then: str) -> None:
        claim = self.working[pick % len(self.working)]
        at = self.working.index(claim)
        self.ledger.lapse([id_ for id_ in ids_of(claim) if id_ in self.ledger.seen.deadlines])
        if meanwhile != "nothing":
            self.the_reaper_comes(queue_is_empty=False, often=1, publish="once")
        if meanwhile == "another claims":
            mine = [ticket for ticket in self.broker if ticket.delivery_id == claim.delivery_id]
            self.broker = [ticket for ticket in self.broker if ticket not in mine]
            self.claim(mine)
        self.ledger.holds(claim)
        match then:
            case "is answered":
                self.a_destination_answers_2xx(at, 1, is_fast=False)
            case "fails":
                self.an_attempt_fails(at, Outcome(failure=Failure.TIMEOUT), 15.0, "once")
            case "fails for good":
                self.an_attempt_fails_for_good(at, ParkReason.EXHAUSTED)
            case _:
                self.a_worker_gives_back(at, "once")

    @precondition(lambda self: self.working)
    @rule(pick=picks, times=st.integers(min_value=1, max_value=3))
    def an_event_kills_its_workers(self, pick: int, times: int) -> None:
        id_ = one_of(self.working, pick).delivery_id
        for _ in range(times):
            if self.ledger.seen.deliveries.get(id_, {}).get("state") != State.SENDING:
                break
            self.working = [claim for claim in self.working if claim.delivery_id != id_]
            self.ledger.lapse([id_])
            aftermath = self.ledger.reap(queue_is_empty=False)
            self.settle(aftermath)
            self.claim([ticket for ticket in aftermath.tickets if ticket.delivery_id == id_])


def last(outcome: Outcome) -> LastAttempt:
    return LastAttempt(outcome=outcome, destination="https://example.test/")
