"""
Ways to break what goes together, and what becomes of it.
"""

from tests.integration.ledger import test_batches
from tests.integration.ledger.mutation import Mutation

BATCHES = (
    Mutation(
        "passengers take places",
        "_backlog",
        "if not letter.leader then add(flow, 'active', -1) end",
        "add(flow, 'active', -1)",
    ),
    Mutation(
        "passengers that leave are counted twice", "_backlog", "if not fields[4] then add(flow", "if true then add(flow"
    ),
    Mutation(
        "who is put back keeps its leader",
        "_backlog",
        "letter.countdown, letter.leader, letter.pass",
        "letter.countdown, letter.pass",
    ),
    Mutation(
        "riding in vain is an attempt",
        "_backlog",
        "  redis.call('HINCRBY', delivery, 'attempts', -1)\n",
        "",
        test_batches.test_a_failure_counts_once_and_passengers_are_as_if_they_had_not_gone,
    ),
    Mutation(
        "passengers of a swept subscription stay",
        "_backlog",
        "if not flow.exists then -- and swept",
        "if false then -- and swept",
        test_batches.test_of_a_subscription_that_was_deleted_and_swept_meanwhile_nothing_stays,
    ),
    Mutation(
        "batches do not shrink",
        "_backlog",
        "  if together then redis.call('HSET', delivery, 'together', together) end\n",
        "",
        test_batches.test_what_failed_together_goes_next_with_half_as_many,
    ),
    Mutation(
        "any number of batches",
        "_admission",
        "if flow.batch then most, is_tight = math.min(most, RULES.batches), true end",
        "",
        test_batches.test_few_batches_are_under_way_so_that_what_comes_meanwhile_goes_together,
    ),
    Mutation(
        "a probe takes others along",
        "step",
        "or not is_closed(destination) or not is_waiting(flow) then return 0",
        "or not is_waiting(flow) then return 0",
        test_batches.test_a_probe_goes_alone,
    ),
    Mutation(
        "a leader forgets what failed with it",
        "step",
        "math.min(flow.batch, tonumber(together or flow.batch)) - 1",
        "flow.batch - 1",
        test_batches.test_what_was_together_when_its_worker_died_goes_one_by_one,
    ),
    Mutation("passengers are not completed", "step", "    if forget(ARGV[passenger]) then", "    if false then"),
    Mutation("passengers have no lease", "join", "  redis.call('ZADD', DEADLINES, until_ms, id)\n", ""),
    Mutation(
        "passengers have a lease of their own",
        "join",
        "DEADLINES, until_ms, id)",
        "DEADLINES, NOW + RULES.lease_ms + 1, id)",
    ),
    Mutation(
        "a late leader takes others along",
        "join",
        "if found[1] ~= 'SENDING' or found[2] ~= ARGV[2] then return joined end\n",
        "",
        test_batches.test_nobody_joins_a_leader_whose_lease_has_lapsed,
    ),
    Mutation(
        "a suspended subscription's go along",
        "join",
        "if not flow.exists or flow.suspended or not is_enabled() then return joined end\n",
        "",
        test_batches.test_nobody_joins_without_the_lease_or_while_its_subscription_is_suspended,
    ),
    Mutation(
        "who is full looks further",
        "join",
        "  if size >= most then break end\n",
        "  if size > most then break end\n",
        test_batches.test_who_is_full_looks_at_nobody_further,
    ),
    Mutation(
        "who is suspected goes along",
        "join",
        "and size < together and",
        "and size < most and",
        test_batches.test_in_order_one_that_has_to_go_alone_is_not_passed_over,
    ),
    Mutation(
        "in order somebody is passed over",
        "join",
        "    elseif flow.is_ordered or (payload",
        "    elseif (payload",
        test_batches.test_in_order_one_that_has_to_go_alone_is_not_passed_over,
    ),
    Mutation(
        "any number of bytes go along",
        "join",
        "and #payload <= left and",
        "and",
        test_batches.test_no_more_bytes_go_together_than_fit,
    ),
    Mutation(
        "a batch that is rejected is parked",
        "fail",
        "if had_passengers and (ARGV",
        "if false and (ARGV",
        test_batches.test_a_batch_that_is_rejected_is_taken_apart_until_the_culprit_stands_alone,
    ),
    Mutation(
        "a destination that is down makes batches smaller",
        "fail",
        "says ~= 'withheld' and (was_closed or says == 'alive') and",
        "says ~= 'withheld' and",
        test_batches.test_failures_of_a_destination_that_is_known_to_be_down_make_no_batch_smaller,
    ),
    Mutation(
        "passengers are left behind",
        "fail",
        "ARGV[at]) then put_back(flow, ARGV[at], together) end",
        "ARGV[at]) then end",
        test_batches.test_a_failure_counts_once_and_passengers_are_as_if_they_had_not_gone,
    ),
    Mutation(
        "who led keeps its list",
        "fail",
        "  if had_passengers then redis.call('HDEL', delivery, 'passengers') end\n",
        "",
        test_batches.test_who_led_has_no_passengers_once_they_are_back,
    ),
    Mutation(
        "a dead worker's passengers go in a batch again",
        "reap",
        "    put_back(flow, id, 1, lapses)\n",
        "    put_back(flow, id, nil, lapses)\n",
        test_batches.test_what_was_together_when_its_worker_died_goes_one_by_one,
    ),
    Mutation(
        "a passenger's lapses are forgotten",
        "reap",
        "    put_back(flow, id, 1, lapses)\n",
        "    put_back(flow, id, 1)\n",
        test_batches.test_who_kills_its_workers_is_found_among_the_passengers_and_nobody_else_is_broken,
    ),
    Mutation(
        "the reaper takes a batch apart in steps",
        "reap",
        "    for _, passenger in ipairs(passengers_of(id, seq)) do\n",
        "    for _, passenger in ipairs({}) do\n",
        test_batches.test_in_order_the_worker_that_died_holds_all_up_until_its_batch_is_back,
    ),
    Mutation(
        "a batch size is not kept",
        "save_subscription",
        "{ 'max_in_flight', 'rate', 'retention_ms', 'batch' }",
        "{ 'max_in_flight', 'rate', 'retention_ms' }",
        test_batches.test_few_batches_are_under_way_so_that_what_comes_meanwhile_goes_together,
    ),
)
