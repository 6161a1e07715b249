"""
Ways to break who may go: breakers, caps, windows, policies.
"""

from tests.integration.ledger import test_breaker, test_parked, test_policies, test_recovery, test_window
from tests.integration.ledger.mutation import Mutation

DESTINATION = (
    Mutation(
        "the breaker never opens", "_destination", "elseif destination.failures >= threshold then", "elseif false then"
    ),
    Mutation(
        "the breaker opens one late",
        "_destination",
        "destination.failures >= threshold",
        "destination.failures > threshold",
    ),
    Mutation(
        "opening keeps the generation", "_destination", "    destination.generation = destination.generation + 1\n", ""
    ),
    Mutation(
        "closing keeps the generation",
        "_destination",
        "'closed', destination.generation + 1, 0",
        "'closed', destination.generation, 0",
    ),
    Mutation(
        "failures of old generations count",
        "_destination",
        "  if generation ~= destination.generation then return end\n",
        "",
        test_breaker.test_l29_what_was_claimed_before_it_opened_says_nothing,
    ),
    Mutation(
        "answers of old generations count",
        "_destination",
        "  if generation ~= destination.generation then return false end\n",
        "",
        test_breaker.test_l29_what_was_claimed_before_it_opened_says_nothing,
    ),
    Mutation(
        "closing leaves the probe",
        "_destination",
        "'interval_ms', 'probe_at_ms', 'probe', 'probe_until_ms',\n    'unreachable'",
        "'interval_ms', 'probe_at_ms',\n    'unreachable'",
    ),
    Mutation(
        "failures are not forgotten by an answer",
        "_destination",
        "      destination.failures = 0\n      set(destination, { failures = 0 })\n",
        "",
        test_breaker.test_l29_an_answer_in_between_starts_the_count_anew,
    ),
    Mutation(
        "probes are sent before their time",
        "_destination",
        "return destination.probe_at_ms <= NOW end",
        "return true end",
    ),
    Mutation(
        "several probe at once",
        "_destination",
        "return destination.state == 'half_open' and destination.probe_until_ms <= NOW",
        "return true",
    ),
    Mutation(
        "the interval does not grow",
        "_destination",
        "math.min(2 * destination.interval_ms",
        "math.min(destination.interval_ms",
        test_breaker.test_l30_its_interval_doubles_up_to_a_cap_and_probes_rotate,
    ),
    Mutation(
        "the interval has no cap",
        "_destination",
        "math.min(2 * destination.interval_ms, RULES.probe_max_ms)",
        "2 * destination.interval_ms",
        test_breaker.test_l30_its_interval_doubles_up_to_a_cap_and_probes_rotate,
    ),
    Mutation(
        "Retry-After opens nothing",
        "_destination",
        "if retry_after_ms > 0 then open",
        "if false then open",
        test_breaker.test_l22_retry_after_opens_it_until_then_and_who_was_told_so_probes,
    ),
    Mutation(
        "Retry-After is not waited for by probes",
        "_destination",
        "math.max(interval_ms, retry_after_ms)",
        "interval_ms",
        test_breaker.test_l22_a_probe_that_is_asked_to_wait_waits_so_long,
    ),
    Mutation(
        "lapsed leases count as in flight",
        "_destination",
        "    redis.call('ZREMRANGEBYSCORE', destination.in_flight, '-inf', NOW)\n",
        "",
        test_window.test_l18_a_lapsed_lease_does_not_count,
    ),
    Mutation(
        "the cap is one too high",
        "_destination",
        "if in_flight_count(destination) < most_in_flight(destination) then",
        "if in_flight_count(destination) <= most_in_flight(destination) then",
    ),
    Mutation("everybody borrows slots", "_destination", "NOW - destination.fast_at_ms < RULES.fast_for_ms", "true"),
    Mutation(
        "nobody borrows slots",
        "_destination",
        "NOW - destination.fast_at_ms < RULES.fast_for_ms",
        "false",
        test_window.test_l18_who_answers_fast_may_borrow_three_quarters_for_two_seconds,
    ),
)

ADMISSION = (
    Mutation(
        "the window is one too wide",
        "_admission",
        "  return flow.allowance, false\n",
        "  return flow.allowance + 1, false\n",
        test_window.test_l14_of_a_flood_only_a_window_is_queued,
    ),
    Mutation(
        "ordered ones go two by two",
        "_admission",
        "if flow.is_ordered then return 1 end",
        "if flow.is_ordered then return 2 end",
    ),
    Mutation(
        "what is suspended goes",
        "_admission",
        "if flow.suspended or not flow.exists then return 0 end",
        "",
        test_policies.test_s18_the_end_of_what_was_under_way_lets_nothing_go,
    ),
    Mutation(
        "an ordered countdown is passed",
        "_admission",
        "flow.is_ordered or RULES.drain_rate > 0",
        "RULES.drain_rate > 0",
        test_window.test_l33_of_an_ordered_subscription_one_is_under_way_also_while_it_waits_for_its_retry,
    ),
    Mutation(
        "an ordered head that waits is sent",
        "_admission",
        "if flow.is_ordered and letter.due_ms and",
        "if false and",
        test_window.test_l32_of_an_ordered_subscription_the_head_blocks_until_its_time,
    ),
    Mutation(
        "ordered probes pass who is under way",
        "_admission",
        "flow.is_ordered and flow.active + flow.counting > 0",
        "false",
        test_window.test_l33_an_ordered_subscription_is_not_probed_past_the_one_that_is_under_way,
    ),
    Mutation(
        "ordered probes rotate",
        "_admission",
        "      if not flow.is_ordered then\n        following",
        "      if true then\n        following",
        test_breaker.test_l32_an_ordered_subscription_is_probed_with_its_oldest,
    ),
    Mutation(
        "probes do not rotate",
        "_admission",
        "  return chosen.id and chosen or first\n",
        "  return first\n",
        test_breaker.test_l30_its_interval_doubles_up_to_a_cap_and_probes_rotate,
    ),
    Mutation(
        "what is old goes",
        "_admission",
        "if taken_ms + RULES.retention_ms <= NOW then return drop(flow, id, 'expired') end",
        "",
        test_parked.test_s10_what_is_too_old_when_its_turn_comes_does_not_go,
    ),
    Mutation(
        "what a person did not want goes",
        "_admission",
        "if taken_ms < flow.since_ms then",
        "if false then",
        test_policies.test_s18_resuming_leaves_out_what_is_too_old_and_says_so_in_a_counter,
    ),
    Mutation(
        "the drain has no pace",
        "_admission",
        "if RULES.drain_rate <= 0 then return 0 end",
        "if true then return 0 end",
        test_window.test_l14_the_pace_of_a_drain_is_carried_by_countdowns,
    ),
    Mutation(
        "nothing is recalled",
        "_admission",
        "  redis.call('HSET', flow.key, 'recall', 0)\n  flow.recall = '0'\n",
        "",
        test_recovery.test_l31_after_a_recovery_what_waits_for_a_time_of_its_own_is_recalled,
    ),
    Mutation(
        "recovery is not slow",
        "_admission",
        "  allow(flow, 1)\n",
        "",
        test_recovery.test_l31_when_it_closes_all_that_waits_goes_from_a_slow_start,
    ),
    Mutation(
        "recovery leaves the countdowns",
        "_admission",
        "    queue(id, found[1] + 1, RULES.patience_ms)\n",
        "    queue(id, found[1], RULES.patience_ms)\n",
        test_recovery.test_l31_when_it_closes_all_that_waits_goes_from_a_slow_start,
    ),
    Mutation(
        "others are not told of a recovery",
        "_admission",
        "destination.waiting, 100)) do recover(flow_of(subscription)) end",
        "destination.waiting, 0)) do recover(flow_of(subscription)) end",
        test_recovery.test_l31_others_go_on_when_the_one_that_probed_is_gone_meanwhile,
    ),
    Mutation(
        "room is left unused",
        "_admission",
        "destination.waiting, 2)) do wake",
        "destination.waiting, 0)) do wake",
        test_window.test_l18_room_goes_to_whoever_was_refused_for_it,
    ),
    Mutation(
        "successes allow no more",
        "_admission",
        "allow(flow, flow.allowance + 1) end",
        "allow(flow, flow.allowance) end",
        test_window.test_l31_who_recovers_may_have_one_more_under_way_for_each_success,
    ),
    Mutation(
        "overlapping failures are several",
        "_admission",
        "if NOW - failed_at_ms < RULES.failure_spacing_ms then return end",
        "",
        test_policies.test_l25_failures_at_one_time_are_one,
    ),
    Mutation(
        "a policy acts one late",
        "_admission",
        "if flow.failures <= RULES.retries then return end",
        "if flow.failures <= RULES.retries + 1 then return end",
        test_policies.test_l25_after_its_attempts_a_subscription_is_suspended_once_and_keeps_collecting,
    ),
    Mutation(
        "the drain is as patient as ever",
        "_admission",
        "math.min(RULES.drain_failures, RULES.breaker_failures)",
        "RULES.breaker_failures",
        test_recovery.test_l32_while_what_waited_is_drained_it_opens_earlier,
    ),
    Mutation(
        "a person waits for the next probe",
        "_admission",
        "    destination.probe_at_ms = NOW\n",
        "",
        test_parked.test_a_person_does_not_wait_for_the_next_probe,
    ),
)
