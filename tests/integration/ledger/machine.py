"""
Everything that can happen to the ledger, in any order.

The machine drives the real scripts on a real Redis. Beside it stand

* `Twin`: the same ledger in memory; both must answer the same to each call, and hold the same after it;
* `invariants`: what must be true of Redis's database alone;
* `History`: what the world saw, that is records, 2xx answers and faults, and what the ledger therefore owes.

To extend it: a new operation of the ledger gets a method of `Twin` and a rule; a new state, index or key its place
in `invariants` (replay and drain: parked implies due, draining or suspended, L4; window: QUEUED per subscription, L14;
breaker: its table and its probes, L29); a new way to leave the ledger a counter in `History.check`; a new promise to
a destination (pacing, order) a line in `History.answered_2xx`.
"""

import sys
from copy import deepcopy

from hypothesis.stateful import precondition, rule

from odim_relay.domain.subscription import Subscription
from tests.integration.ledger.history import Timeline
from tests.integration.ledger.machine_intake import Bridge, Intake, prefixes
from tests.integration.ledger.machine_world import one_of, picks
from tests.integration.ledger.twin import Snapshot

_ROUNDS_TO_REST = 200


class LedgerMachine(Intake):
    """
    All rules, those of a Redis that loses its last writes among them, and the end.
    """

    def __init__(self) -> None:
        super().__init__()
        self.saved: list[tuple[Snapshot, Timeline, list[Subscription]]] = []

    @rule()
    def redis_writes_to_disk(self) -> None:
        self.saved.append((self.twin.snapshot(), deepcopy(self.history.timeline), list(self.deleted)))

    @precondition(lambda self: self.saved)
    @rule(pick=picks)
    def redis_loses_its_last_writes(self, pick: int) -> None:
        snapshot, timeline, deleted = one_of(self.saved, pick)
        self.twin.restore(snapshot)
        self.history.rolled_back(timeline)
        self.deleted = list(deleted)

    @precondition(lambda self: self.twin.state.subscriptions)
    @rule(pick=picks, other=picks, wanted=prefixes, who=picks)
    def redis_loses_a_change_of_subscriptions(self, pick: int, other: int, wanted: tuple[str, ...], who: int) -> None:
        self.redis_writes_to_disk()
        self.one_changes_its_subscription(pick, wanted)
        one_of(self.bridges, who).matchers.refresh()
        self.directory.find("any", self.twin.generation())
        self.redis_loses_its_last_writes(len(self.saved) - 1)
        self.one_changes_its_subscription(other, wanted)

    def teardown(self) -> None:
        """
        When all is well for long enough, everything that is not parked for good gets there; then nothing is left over.
        """
        if sys.exc_info()[0] is not None:
            return  # it failed before: what follows would only hide how
        self.bridges = [Bridge(self, self.stands())]
        self.a_bridge_takes_records_in(0, None, "never")
        self.working.clear()
        for _ in range(_ROUNDS_TO_REST):
            self.everything_is_as_it_must_be()
            if not self.before.deadlines and not self.twin.state.deleted:
                break
            if self.before.deadlines:
                self.time_passes_for_all()
            self.the_reaper_comes(queue_is_empty=True, often=1, publish="once")
            self.everything_is_as_it_must_be()
            while self.broker or self.working:
                self.a_group_of_threads_completes_and_claims(0, len(self.broker), len(self.working))
                self.everything_is_as_it_must_be()
        assert not self.before.deliveries, "the ledger does not come to rest"
        self.check_all_arrived()
        self.check_nothing_stays()

    def check_all_arrived(self) -> None:
        line = self.history.timeline
        for id_, owner in line.owed.items():
            if id_ not in self.before.dead_letters and owner in self.twin.state.subscriptions:
                assert self.history.answered[id_], f"never answered: {id_}"

    def check_nothing_stays(self) -> None:
        while self.twin.state.subscriptions:
            self.one_unsubscribes(0, is_swept=False, then_fails=False)
        while self.twin.state.deleted:
            self.the_reaper_comes(queue_is_empty=True, often=1, publish="once")
        self.everything_is_as_it_must_be()
        per_delivery = ("delivery:", "body:", "parked:", "by-hand:", "countdowns:", "dead-letters", "deadlines")
        stays = [key for key in self.before.content if key.startswith(per_delivery)]
        assert not stays, f"left over: {stays}"
