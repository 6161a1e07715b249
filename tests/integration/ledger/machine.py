"""
Everything that can happen to the ledger, in any order.

The machine drives the real scripts on a real Redis, whose clock it moves. After each call of the ledger

* `invariants` and `flow_invariants` say what must be true of Redis's database alone;
* `step_checks` say what one call may change;
* `history` knows what the world saw, that is records, 2xx answers and faults, and what the ledger therefore owes.

To extend it: a new operation of the ledger gets a method of `WatchedLedger` and a rule; a new state, index or key its
place in the invariants; a new way to leave the ledger a line in `LEAVING` of the step checks; a new promise to a
destination a line in `History.answered_2xx`.
"""

import sys

from hypothesis.stateful import precondition, rule

from odim_relay.domain.subscription import Subscription
from tests.integration.ledger.machine_backlog import Backlogs
from tests.integration.ledger.machine_intake import Bridge, Wish, wishes
from tests.integration.ledger.machine_world import LEASE_S, PROBE_S, one_of, picks
from tests.integration.ledger.watched import Snapshot

_ROUNDS_TO_REST = 200


class LedgerMachine(Backlogs):
    """
    All rules, those of a Redis that loses its last writes among them, and the end.
    """

    def __init__(self) -> None:
        super().__init__()
        self.saved: list[tuple[Snapshot, list[Subscription]]] = []

    @rule()
    def redis_writes_to_disk(self) -> None:
        self.saved.append((self.ledger.snapshot(), list(self.deleted)))

    @precondition(lambda self: self.saved)
    @rule(pick=picks)
    def redis_loses_its_last_writes(self, pick: int) -> None:
        snapshot, deleted = one_of(self.saved, pick)
        self.ledger.restore(snapshot)
        self.deleted = list(deleted)

    @precondition(lambda self: self.ledger.seen.subscriptions)
    @rule(pick=picks, other=picks, wish=wishes, who=picks)
    def redis_loses_a_change_of_subscriptions(self, pick: int, other: int, wish: Wish, who: int) -> None:
        self.redis_writes_to_disk()
        self.one_changes_its_subscription(pick, wish)
        one_of(self.bridges, who).matchers.refresh()
        self.directory.find("any", self.ledger.generation())
        self.redis_loses_its_last_writes(len(self.saved) - 1)
        self.one_changes_its_subscription(other, wish)

    def teardown(self) -> None:
        """
        When all is well for long enough, everything that is not for a person gets there; then nothing is left over.
        """
        if sys.exc_info()[0] is not None:
            return  # it failed before: what follows would only hide how
        self.bridges = [Bridge(self.ledger, self.stands())]
        self.a_bridge_takes_records_in(0, None, "never")
        self.working.clear()
        self.ledger.enable(is_enabled=True)
        for id_ in sorted(self.ledger.seen.subscriptions):
            self.resume(id_, None)
        for _ in range(_ROUNDS_TO_REST):
            if self.is_at_rest():
                break
            self.ledger.move(PROBE_S if self.ledger.seen.get("due", {}) else LEASE_S)
            self.ledger.lapse(sorted(self.ledger.seen.deadlines))
            self.the_reaper_comes(queue_is_empty=True, often=1, publish="once")
            self.the_replay_comes(accepts=True, often=1, publish="once")
            while self.broker or self.working:
                self.a_group_of_threads_completes_and_claims(0, len(self.broker), len(self.working), is_fast=False)
        assert self.is_at_rest(), "the ledger does not come to rest"
        self.check_nothing_stays()

    def is_at_rest(self) -> bool:
        """
        What is left is for a person.
        """
        seen = self.ledger.seen
        waits = any(letter["index"] != "by_hand" for letter in seen.dead_letters.values())
        return not (seen.deliveries or waits or seen.get("subscriptions:deleted", {}))

    def check_nothing_stays(self) -> None:
        while self.ledger.seen.subscriptions:
            self.one_unsubscribes(0, is_swept=False, then_fails=False)
        while self.ledger.seen.get("subscriptions:deleted", {}):
            self.the_reaper_comes(queue_is_empty=True, often=1, publish="once")
        of_deliveries = (
            *("delivery:", "body:", "parked:", "delayed:", "by-hand:", "parked-counts:", "countdowns:", "waiting:"),
            *("flow:", "dead-letters", "deadlines", "due", "backlogs"),
        )
        stays = [key for key in self.ledger.seen.content if key.startswith(of_deliveries)]
        assert not stays, f"left over: {stays}"
