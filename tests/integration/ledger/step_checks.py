"""
What one call of the ledger may change: the database before it, the database after it, and what was asked and answered.
"""

from collections import Counter
from dataclasses import dataclass, field

from odim_relay.adapters.redis.rules import LedgerRules
from odim_relay.domain.circuit_breaker import CHANGES, Breaker
from odim_relay.domain.delivery import State
from odim_relay.ports import Aftermath, Claim, TaskTicket
from tests.integration.ledger.database import Database

_LEFT_BY = "deliveries:"
_TELLING = {"over_quota", "expired"}


@dataclass(slots=True, kw_only=True)
class Step:
    """
    One call.

    Attributes:
        created: ids that the call brought, in order.
        completed: claims that it told of as answered 2xx.
        failed: claim whose attempt it told of otherwise.
        named: ids or a subscription that a person named.
        joined: a claim with the passengers that it got.
        told: the claim whose subscriber was told of lost events.
        claims: what was claimed by it.
        aftermath: what it answered.
    """

    created: list[str] = field(default_factory=list)
    completed: list[Claim] = field(default_factory=list)
    failed: Claim | None = None
    named: set[str] = field(default_factory=set)
    joined: Claim | None = None
    told: Claim | None = None
    deletes: bool = False
    claims: list[Claim] = field(default_factory=list)
    aftermath: Aftermath = field(default_factory=Aftermath)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    step: Step
    before: Database
    after: Database
    now_ms: int
    rules: LedgerRules

    def counted(self, name: str) -> int:
        return self.after.counters.get(name, 0) - self.before.counters.get(name, 0)

    def check(self) -> None:
        check_leaves(self)
        check_seqs(self)
        check_tickets_given(self)
        check_windows(self)
        check_claims(self)
        check_joined(self)
        check_landed(self)
        check_breaker_changes(self)
        check_old_generations(self)
        check_policies(self)
        check_lost(self)
        check_quotas(self)


def check_leaves(change: Change) -> None:
    """
    L1: whatever left did so by a counted rule that holds for it.
    """
    before, after, step = change.before, change.after, change.step
    assert change.counted("deliveries_created") == len(step.created)
    left = (before.everything.keys() | set(step.created)) - after.everything.keys()
    by = Counter({rule: change.counted(_LEFT_BY + rule) for rule in LEAVING})
    assert by.total() == len(left), f"{by} for {left}"
    may = {id_: {rule for rule in LEAVING if by[rule] and LEAVING[rule](change, id_)} for id_ in left}
    assert all(may.values()), f"left by no rule: {may}, {by}"
    for rule, count in by.items():
        assert count <= sum(rule in rules for rules in may.values()), f"{count} left as {rule}: {may}"
    completed = {id_ for claim in step.completed for id_ in ids_of(claim)} & before.everything.keys()
    assert by["delivered"] == len(completed), "a completion did not complete, or another left with it"


def _was_delivered(change: Change, id_: str) -> bool:
    return any(id_ in ids_of(claim) for claim in change.step.completed)


def _left_with_its_claim(change: Change, id_: str) -> bool:
    return any(claim.delivery_id == id_ and claim.mode == "at_most_once" for claim in change.step.claims)


def _is_old(change: Change, id_: str) -> bool:
    delivery = change.before.everything.get(id_)  # it may be parked and leave in one call
    if delivery is None:
        return False
    own_ms = change.before.flows.get(delivery["subscription"], {}).get("retention_ms", change.rules.retention_ms)
    return int(delivery["taken_ms"]) + int(own_ms) <= change.now_ms


def _was_over_quota(change: Change, id_: str) -> bool:
    """
    L15: the oldest leave, and only while there are too many.
    """
    fields = change.before.everything.get(id_)
    if fields is None:
        return len(change.step.created) > change.rules.quota_count
    owner = fields["subscription"]
    older = [
        other
        for other, letter in change.after.letters_of(owner).items()
        if other in change.before.dead_letters and int(letter["number"]) < int(fields["number"])
    ]
    # What failed together comes back into the backlog, and may be let go again by the same step.
    back = ids_of(change.step.failed) if change.step.failed else ()
    came = len(change.step.created) + sum(
        delivery["subscription"] == owner and (other in back or other not in change.after.deliveries)
        for other, delivery in change.before.deliveries.items()
    )
    return not older and len(change.before.letters_of(owner)) + came > change.rules.quota_count


def _was_unwanted(change: Change, id_: str) -> bool:
    delivery = change.before.everything.get(id_)
    if delivery is None:
        return False
    since_ms = int(change.after.flows.get(delivery["subscription"], {}).get("since_ms", "0"))
    return id_ in change.step.named or int(delivery["taken_ms"]) < since_ms


def _has_no_subscription(change: Change, id_: str) -> bool:
    return change.before.everything[id_]["subscription"] not in change.after.subscriptions


LEAVING = {
    "delivered": _was_delivered,
    "at_most_once": _left_with_its_claim,
    "expired": _is_old,
    "over_quota": _was_over_quota,
    "discarded": _was_unwanted,
    "subscription_deleted": _has_no_subscription,
}


def check_seqs(change: Change) -> None:
    """
    L5: whatever makes a new task, or ends one, uses the old one's seq up.
    """
    for id_, now in change.after.everything.items():
        then = change.before.everything.get(id_)
        if then is None:
            continue
        assert int(now["seq"]) >= int(then["seq"]), (id_, then, now)
        if now["state"] not in {then["state"], State.PARKED}:
            assert int(now["seq"]) > int(then["seq"]), (id_, then, now)
        assert now["number"] == then["number"], (id_, then, now)
        assert int(now["attempts"]) >= int(then["attempts"]) - (then["state"] == State.SENDING), (id_, then, now)


def check_tickets_given(change: Change) -> None:
    """
    L13: the caller gets a ticket for each delivery that now waits for its task, and no other.
    """
    aftermath = change.step.aftermath
    given = [*aftermath.tickets, *([aftermath.retry] if aftermath.retry else [])]
    for ticket in given:
        delivery = change.after.deliveries.get(ticket.delivery_id)
        assert delivery is not None, f"a ticket for nothing: {ticket}"
        state = State.RETRYING if ticket.wait_s else State.QUEUED
        assert (delivery["state"], int(delivery["seq"])) == (state, ticket.seq), (ticket, delivery)
    tasks = {(ticket.delivery_id, ticket.seq) for ticket in given}
    for id_, now in change.after.deliveries.items():
        then = change.before.everything.get(id_, {})
        is_new = now["state"] != State.SENDING and (then.get("state"), then.get("seq")) != (now["state"], now["seq"])
        assert not is_new or (id_, int(now["seq"])) in tasks, f"no ticket for {id_}, {then} -> {now}"


def check_windows(change: Change) -> None:
    """
    L14: nothing is let go above the window, or above what is allowed while its subscription recovers. Beside that only
    what came out of its countdown, and the delivery that probes.
    """
    before, after = change.before, change.after
    probes = {destination.get("probe") for destination in after.destinations.values()}
    for id_, now in after.deliveries.items():
        then = before.everything.get(id_, {}).get("state", State.PARKED)
        if now["state"] != State.QUEUED or then != State.PARKED or id_ in probes:
            continue
        owner = now["subscription"]
        flow = after.flows[owner]
        most = 1 if flow["mode"] == "ordered" else int(flow.get("allowance", change.rules.window))
        most = min(most, int(flow.get("max_in_flight", most)))
        most = min(most, change.rules.batches) if "batch" in flow else most
        if id_ in change.step.created and flow["mode"] != "ordered":  # it may pass what waits
            most = min(2 * most, most + change.rules.passing, int(flow.get("max_in_flight", "1000000")))
        under_way = [
            other
            for other, delivery in after.deliveries.items()
            if delivery["subscription"] == owner
            and delivery["state"] != State.RETRYING
            and "leader" not in delivery
            and before.everything.get(other, {}).get("state") != State.RETRYING
        ]
        assert len(under_way) <= most, f"L14: {under_way} of {owner} under way, {most} allowed"
        assert "suspended" not in flow, f"S18: {id_} of {owner} was let go"
        assert after.is_enabled, f"{id_} was let go while nothing is sent"


def check_claims(change: Change) -> None:
    """
    L18, L29: what is claimed fits under the cap of its destination, or is its probe.
    """
    assert change.after.is_enabled or not change.step.claims, "claimed while nothing is sent"
    for claim in change.step.claims:
        destination = change.after.destinations.get(claim.destination_id, {})
        assert "suspended" not in change.after.flows.get(claim.subscription_id, {}), claim
        match destination.get("state", Breaker.CLOSED):
            case Breaker.CLOSED:
                flow = change.after.flows.get(claim.subscription_id, {})
                assert int(flow.get("active", "0")) <= int(flow.get("max_in_flight", "1000000")), f"too many: {flow}"
                count, most = in_flight_count(change, claim.destination_id), most_in_flight(change, destination)
                assert count <= most, f"L18: {count} in flight, {most} allowed"
            case Breaker.HALF_OPEN:
                assert destination["probe"] == claim.delivery_id, f"L30: another probes: {claim}, {destination}"
            case state:
                raise AssertionError(f"L29: claimed while {state}: {claim}")
        is_gone = claim.delivery_id not in change.after.everything
        assert is_gone == (claim.mode == "at_most_once"), f"L19: {claim}"
        entry = f"{claim.delivery_id}:{claim.lease}"
        assert entry in change.after.get(f"inflight:{claim.destination_id}", {}), "L18: in flight, and not counted"


def check_joined(change: Change) -> None:
    """
    Who becomes SENDING without a claim of its own goes with one of its own subscription, under its lease; of an ordered
    one nobody is passed over. Nobody goes with more than it may.
    """
    before, after, claim = change.before, change.after, change.step.joined
    new = {id_ for id_, now in after.deliveries.items() if "leader" in now and id_ not in before.deliveries}
    assert new == ({*ids_of(claim)[1:]} if claim else set())
    if claim is None or not new:
        return
    size, flow = len(new) + 1, after.flows[claim.subscription_id]
    assert size <= int(flow["batch"]), "more than the subscription wants"
    for id_ in ids_of(claim):
        delivery = after.deliveries[id_]
        assert size <= int(delivery.get("together", size)), f"together with too many: {delivery}"
        assert delivery["subscription"] == claim.subscription_id
        assert after.deadlines[id_] == after.deadlines[claim.delivery_id], "another lease"
    assert "suspended" not in flow
    if flow["mode"] == "ordered":
        waits = [int(it["number"]) for it in after.letters_of(claim.subscription_id, "ready").values()]
        last = max(int(after.deliveries[id_]["number"]) for id_ in new)
        assert all(number > last for number in waits), "L33: somebody was passed over"


def check_landed(change: Change) -> None:
    """
    L18: what ended is not in flight.
    """
    ended = [*change.step.completed, *([change.step.failed] if change.step.failed else [])]
    for claim in ended:
        entries = change.after.get(f"inflight:{claim.destination_id}", {})
        assert f"{claim.delivery_id}:{claim.lease}" not in entries, f"L18: still in flight: {claim}"


def in_flight_count(change: Change, destination_id: str) -> int:
    entries: dict[str, float] = change.after.get(f"inflight:{destination_id}", {})
    return sum(until_ms > change.now_ms for until_ms in entries.values())


def most_in_flight(change: Change, destination: dict[str, str]) -> int:
    slots = max(int(change.after.get("slots", "0")), change.rules.slots)
    most = min(change.rules.cap, max(slots // 4, 1))
    is_fast = change.now_ms - int(destination.get("fast_at_ms", "0")) < change.rules.fast_for_ms
    return max(most, slots * 3 // 4) if is_fast else most


_SIGNALLED = {(state, after) for state, changes in CHANGES.items() for after in changes.values()}


def check_breaker_changes(change: Change) -> None:
    """
    L29, L30: a breaker changes by its table only, its generation with it; and there is one probe at a time.
    """
    for id_ in change.before.destinations.keys() | change.after.destinations.keys():
        then, now = change.before.destinations.get(id_, {}), change.after.destinations.get(id_, {})
        old, new = (Breaker(it.get("state", Breaker.CLOSED)) for it in (then, now))
        raised = int(now.get("generation", "0")) - int(then.get("generation", "0"))
        # A probe that may not go is given back, and another one may follow in the same call.
        is_given_back = old is new is Breaker.HALF_OPEN and raised == 1
        assert (old, new) in _SIGNALLED or old is new, f"L29: {old} -> {new}: {then} {now}"
        is_new = old is not new and new is not Breaker.HALF_OPEN
        assert raised == int(is_new or is_given_back), f"L29: generation of {old} -> {new}: {then} {now}"
        if old is new is Breaker.HALF_OPEN and not is_given_back and then["probe"] != now["probe"]:
            assert int(then["probe_until_ms"]) <= change.now_ms, f"L30: two probes at once: {then} {now}"
        if (old, new) == (Breaker.OPEN, Breaker.HALF_OPEN) and not change.step.named:
            is_time = int(then["probe_at_ms"]) <= change.now_ms
            assert is_time, f"L30: probed before its time: {then} {now}"


def check_old_generations(change: Change) -> None:
    """
    L29: what was claimed under another generation says nothing.
    """
    claim = change.step.failed or (change.step.completed[0] if len(change.step.completed) == 1 else None)
    if claim is None:
        return
    then = change.before.destinations.get(claim.destination_id, {})
    now = change.after.destinations.get(claim.destination_id, {})
    if claim.breaker_generation != int(then.get("generation", "0")):
        assert then.get("failures", "0") == now.get("failures", "0"), (claim, then, now)
        states = then.get("state"), now.get("state")
        assert states[0] == states[1] or states == ("open", "half_open") or change.step.claims, (claim, then, now)


def check_policies(change: Change) -> None:
    """
    L25: a policy acts when its attempts are used up, once, and says so.
    """
    before, after, step = change.before, change.after, change.step
    suspended = Counter(
        after.flows[id_]["suspended"]
        for id_ in before.subscriptions & after.subscriptions
        if "suspended" in after.flows[id_] and "suspended" not in before.flows.get(id_, {})
    )
    for reason in ("by_hand", "attempts_used_up", "gone"):
        assert change.counted(f"subscriptions_suspended:{reason}") == suspended[reason]
    terminated = set() if step.deletes else before.subscriptions - after.subscriptions
    assert change.counted("subscriptions_terminated") == len(terminated)
    noticed = Counter(notice.name for notice in step.aftermath.notices)
    assert noticed["terminated"] == len(terminated)
    assert noticed["suspended_attempts_used_up"] == suspended["attempts_used_up"]
    assert noticed["suspended_gone"] == suspended["gone"]
    for id_ in after.subscriptions:
        flow = after.flows[id_]
        is_used_up = flow["policy"] and int(flow.get("failures", "0")) > change.rules.retries
        assert not is_used_up or "suspended" in flow, f"L25: {id_} goes on: {flow}"


def check_lost(change: Change) -> None:
    """
    L15: what left unsent is told to its subscriber, if there is one still.
    """
    before, after, step = change.before, change.after, change.step
    left = before.dead_letters.keys() - after.everything.keys()
    living = [id_ for id_ in left if before.dead_letters[id_]["subscription"] in after.subscriptions]
    lost = sum(change.counted(_LEFT_BY + rule) for rule in _TELLING)
    grown = sum(
        int(after.flows[id_].get("lost", "0")) - int(before.flows.get(id_, {}).get("lost", "0"))
        for id_ in after.subscriptions & before.subscriptions
    )
    if step.told is not None:
        known = int(before.flows.get(step.told.subscription_id, {}).get("lost", "0"))
        assert -grown == min(known, step.told.lost_count), (before.flows, after.flows)
    elif len(living) == len(left):
        assert grown == lost, f"L15: {lost} left, {grown} are told"
    else:
        assert grown <= lost


def check_quotas(change: Change) -> None:
    """
    L15: nobody has more parked than its quota, suspended or not.
    """
    for id_ in change.after.subscriptions:
        count, before = len(change.after.letters_of(id_)), len(change.before.letters_of(id_))
        assert count <= max(change.rules.quota_count, before), f"L15: {count} are parked for {id_}"


def ids_of(claim: Claim) -> list[str]:
    """
    Of all deliveries in its request.
    """
    return [claim.delivery_id, *(passenger.delivery_id for passenger in claim.passengers)]


def tickets_of(aftermath: Aftermath) -> list[TaskTicket]:
    """
    All that is to be published.
    """
    return [*aftermath.tickets, *([aftermath.retry] if aftermath.retry else [])]
