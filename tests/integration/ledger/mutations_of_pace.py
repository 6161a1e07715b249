"""
Ways to break who goes first, and how much at once.
"""

from functools import partial

from tests.integration.ledger import test_back_off, test_live, test_urgent
from tests.integration.ledger.mutation import Mutation

PACE = (
    Mutation(
        "nothing is urgent",
        "_backlog",
        "  if letter.urgent then return letter.number - RULES.urgent end\n",
        "",
        test_urgent.test_what_is_urgent_goes_first_and_each_kind_in_its_order,
    ),
    Mutation(
        "in order urgent ones pass",
        "_backlog",
        "if letter.index ~= 'ready' or flow.is_ordered then return",
        "if letter.index ~= 'ready' then return",
        test_urgent.test_in_order_nothing_goes_before_another,
    ),
    Mutation(
        "who wants order now keeps the ranks",
        "save_subscription",
        "then straighten(flow) end",
        "then end",
        test_urgent.test_who_wants_order_from_now_on_gets_what_waits_by_the_order_in_which_it_came,
    ),
    Mutation(
        "the first in turn is taken for the oldest",
        "_backlog",
        "local number = heads[i + 1] + rank[4]",
        "local number = heads[i + 1] + 0",
        test_urgent.test_the_oldest_leave_over_quota_urgent_or_not_by_rule_l15,
    ),
    Mutation(
        "what came now is no different",
        "ingest",
        "live = is_live and reason == 'behind' and '1' or nil }",
        "live = nil }",
        test_live.test_who_may_not_go_at_once_goes_before_the_backlog_which_goes_on_all_the_same,
    ),
    Mutation(
        "nothing passes a backlog",
        "ingest",
        "if flow.is_ordered or not may_pass(flow) then",
        "if true then",
        test_live.test_what_comes_while_others_are_drained_goes_at_once,
    ),
    Mutation(
        "any number passes",
        "_admission",
        "  if flow.passed >= RULES.passing then return false end\n",
        "",
        test_live.test_no_more_go_at_once_than_may_between_two_that_waited,
    ),
    Mutation(
        "a backlog waits for all that pass",
        "_admission",
        "local has_passed = not flow.is_ordered and",
        "local has_passed = false and",
        test_live.test_who_may_not_go_at_once_goes_before_the_backlog_which_goes_on_all_the_same,
    ),
    Mutation(
        "its own limit is passed",
        "_admission",
        "math.min(with_passing, flow.max_in_flight or with_passing)",
        "with_passing",
        test_live.test_its_own_limits_hold_for_what_comes_now_too,
    ),
    Mutation(
        "a backlog fills the queue",
        "_admission",
        "if is_waiting(flow) and most_in_flight(destination) < most then",
        "if false then",
        test_live.test_a_backlog_takes_no_more_than_can_be_in_flight,
    ),
    Mutation(
        "each sign counts",
        "_admission",
        " or NOW - flow.shrunk_at_ms < RULES.shrink_ms then return end",
        " then return end",
        test_back_off.test_signs_that_come_together_are_one,
    ),
    Mutation(
        "slow answers say nothing",
        "_admission",
        "if is_slowing then shrink(flow)",
        "if is_slowing then flow.passed = flow.passed",
        test_back_off.test_answers_that_get_slow_do_the_same_and_others_allow_one_more_each,
    ),
    Mutation(
        "overload is a failure like others",
        "fail",
        "status == 429 or status == 503)",
        "false)",
        partial(test_back_off.test_who_is_overloaded_gets_half_of_what_was_under_way, status=429),
    ),
)
