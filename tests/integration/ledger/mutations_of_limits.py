"""
Ways to break what a subscription says of its own.
"""

from tests.integration.ledger import test_own_limits
from tests.integration.ledger.mutation import Mutation

LIMITS = (
    Mutation(
        "own limits do not count",
        "_admission",
        "if flow.max_in_flight and flow.max_in_flight <= most then",
        "if false then",
        test_own_limits.test_no_more_are_under_way_than_it_wants_and_each_end_lets_the_next_go,
    ),
    Mutation(
        "own limits wait for a batch",
        "_admission",
        "then most, is_tight = flow.max_in_flight, true end",
        "then most = flow.max_in_flight end",
        test_own_limits.test_no_more_are_under_way_than_it_wants_and_each_end_lets_the_next_go,
    ),
    Mutation(
        "claims know no own limit",
        "step",
        "  if not flow.max_in_flight then return false end\n",
        "  if true then return false end\n",
        test_own_limits.test_when_it_wants_fewer_those_that_are_queued_go_back,
    ),
    Mutation(
        "who sends and forgets has no limit",
        "step",
        " or (flow.is_once and in_flight_count(destination) >= flow.max_in_flight)",
        "",
        test_own_limits.test_of_one_that_sends_and_forgets_no_more_are_in_flight,
    ),
    Mutation(
        "new events have no pace",
        "ingest",
        "        pace(flow, flow.rate or 0)\n",
        "",
        test_own_limits.test_new_events_that_come_too_fast_wait_for_their_time,
    ),
    Mutation(
        "new events do not wait for their time",
        "ingest",
        "  if flow.rate and flow.next_at_ms > NOW then return 'behind' end\n",
        "",
        test_own_limits.test_new_events_that_come_too_fast_wait_for_their_time,
    ),
    Mutation(
        "the drain's rate goes before its own",
        "_admission",
        "math.min(flow.rate, RULES.drain_rate) or flow.rate",
        "RULES.drain_rate or flow.rate",
        test_own_limits.test_the_slower_of_its_rate_and_that_of_every_drain_counts,
    ),
    Mutation(
        "countdowns carry any wait",
        "_admission",
        "if rate > 0 and flow.next_at_ms - NOW > RULES.max_countdown_ms then return end",
        "",
        test_own_limits.test_so_slow_that_no_countdown_carries_it_it_waits_parked,
    ),
    Mutation(
        "a recovery has no pace",
        "_admission",
        "pace(owner, owner.rate or 0))",
        "0)",
        test_own_limits.test_after_a_recovery_its_rate_still_counts,
    ),
    Mutation(
        "an old pace stays",
        "save_subscription",
        "if tonumber(ARGV[8]) ~= flow.rate then",
        "if false then",
        test_own_limits.test_another_rate_begins_anew,
    ),
    Mutation(
        "its own retention does not expire",
        "expire",
        "+ flow.retention_ms > NOW",
        "+ RULES.retention_ms > NOW",
        test_own_limits.test_what_waited_longer_than_it_wants_leaves_and_that_of_others_stays,
    ),
    Mutation(
        "its own retention does not hold back",
        "_admission",
        "taken_ms + flow.retention_ms <= NOW",
        "taken_ms + RULES.retention_ms <= NOW",
        test_own_limits.test_what_is_too_old_for_it_when_its_turn_comes_does_not_go,
    ),
)
