"""
Ways to break what becomes of single records: claims, parking, leaving.
"""

from tests.integration.ledger import test_breaker, test_claim, test_parked, test_recovery, test_window
from tests.integration.ledger.mutation import Mutation

CLAIM = (
    Mutation("claim does not raise seq", "step", "local lease, attempt = seq + 1", "local lease, attempt = seq + 0"),
    Mutation(
        "claim takes what is being sent",
        "step",
        "if found[2] ~= 'QUEUED'",
        "if false and found[2] ~= 'QUEUED'",
        test_claim.test_l5_a_guessed_seq_does_not_take_a_lease_over,
    ),
    Mutation(
        "claim ignores seq",
        "step",
        "if found[1] ~= seq then",
        "if false then",
        test_claim.test_l5_the_second_copy_of_a_message_is_refused_whatever_became_of_the_first,
    ),
    Mutation("claim leaves the countdown set", "step", "  leave_countdown(flow, id, found[8])\n", ""),
    Mutation(
        "claim sends for a deleted subscription",
        "step",
        "  if not flow.exists then\n",
        "  if false then\n",
        test_claim.test_a_delivery_of_a_deleted_subscription_leaves_at_its_claim_and_is_counted,
    ),
    Mutation("claim ignores suspension", "step", "if flow.suspended or not is", "if not is"),
    Mutation(
        "claim ignores the cap",
        "step",
        " or is_over_cap(destination)) and",
        ") and",
        test_window.test_l18_in_flight_to_a_destination_are_as_many_as_its_cap,
    ),
    Mutation(
        "claim ignores the breaker",
        "step",
        "if not is_probe_due(destination) or",
        "if false and",
        test_breaker.test_l29_consecutive_failures_open_it,
    ),
    Mutation(
        "claim probes who takes no connections",
        "step",
        "if not is_probe_due(destination) or destination.is_unreachable then",
        "if not is_probe_due(destination) then",
        test_breaker.test_l30_no_task_goes_to_who_takes_no_connections,
    ),
    Mutation(
        "a claim in flight is not counted", "step", "  take_off(destination, id, lease, NOW + RULES.flight_ms)\n", ""
    ),
    Mutation("at most once is kept", "step", "  if flow.is_once then\n", "  if false then\n"),
    Mutation(
        "a probe that may not go keeps its place",
        "step",
        "if destination.probe == id then open",
        "if false then open",
        test_breaker.test_l30_a_probe_that_may_not_go_leaves_its_place_to_another,
    ),
    Mutation(
        "a late probe holds no place",
        "step",
        "if is_probe_due(destination) then hold_probe(destination) end",
        "",
        test_breaker.test_l30_a_late_probe_holds_its_place_when_it_comes_first,
    ),
    Mutation("a success leaves what is in flight", "step", "  land(destination, id, lease)\n", ""),
    Mutation(
        "a lapsed lease still holds",
        "holds",
        "tonumber(until_ms or 0) > NOW",
        "tonumber(until_ms or 0) > 0",
        test_claim.test_l17_a_lease_that_lapsed_gives_no_right_to_send,
    ),
)

RECORDS = (
    Mutation("complete forgets the body", "_backlog", "    let_go_of_body(fields[1], id)\n", ""),
    Mutation("complete lets go of parked bodies only in part", "_backlog", "  let_go_of_body(letter.event, id)\n", ""),
    Mutation(
        "a body goes with its last but one delivery",
        "_backlog",
        " or (more == 1 and redis.call('HEXISTS', body, 'traceparent') == 0)",
        "",
    ),
    Mutation(
        "a traceparent is taken for a delivery that needs the body",
        "_backlog",
        " or (more == 1 and redis.call('HEXISTS', body, 'traceparent') == 0)",
        " or more == 1",
    ),
    Mutation(
        "a body that goes is still counted",
        "_backlog",
        "redis.call('DECRBY', prefix .. 'bytes'",
        "redis.call('DECRBY', prefix .. 'b'",
    ),
    Mutation(
        "forget leaves the deadline",
        "_backlog",
        "    redis.call('ZREM', DEADLINES, id)\n    redis.call('DEL', delivery)\n    let_go",
        "    redis.call('DEL', delivery)\n    let_go",
    ),
    Mutation("forget leaves the index", "_backlog", "  redis.call('ZREM', flow[letter.index], id)\n", ""),
    Mutation("forget goes on counting", "_backlog", "    if not fields[4] then add(flow, 'active', -1) end", "    --"),
    Mutation("a countdown that ends is counted", "_backlog", "  add(flow, 'counting', -1)\n", ""),
    Mutation(
        "park loses a field", "_backlog", "letter.state = 'PARKED'", "letter.state = 'PARKED'; letter.shape = nil"
    ),
    Mutation(
        "park takes the wrong index",
        "_backlog",
        "reason == 'rejected' or reason == 'broken'",
        "reason == 'broken'",
        test_parked.test_a_person_sends_again_what_was_rejected_at_once,
    ),
    Mutation("park orders by ticket", "_backlog", "score_of(flow, letter), id)", "letter.ticket, id)"),
    Mutation(
        "park with a due time has no deadline",
        "_backlog",
        "if due_ms then redis.call('ZADD'",
        "if false then redis.call('ZADD'",
    ),
    Mutation("what waits is not looked after", "_backlog", "  redis.call('ZADD', DUE, 'NX', NOW, flow.id)\n", ""),
    Mutation(
        "what is suspended is looked after",
        "_backlog",
        "  if flow.suspended then return end\n  redis.call('ZADD', DUE",
        "  redis.call('ZADD', DUE",
    ),
    Mutation(
        "what waits no more is looked after",
        "_backlog",
        "if not is_waiting(flow) then nothing_to_wake(flow) end\n  end\nend\n\n-- A letter by its id",
        "end\nend\n\n-- A letter by its id",
    ),
    Mutation(
        "a backlog that shrinks is not counted",
        "_backlog",
        "redis.call('ZINCRBY', BACKLOGS, -letter.size",
        "redis.call('ZINCRBY', BACKLOGS, -0",
    ),
    Mutation(
        "the newest leave over quota",
        "_backlog",
        "or number < lowest then",
        "or number > lowest then",
        test_parked.test_l15_of_all_its_indexes_the_oldest_leaves,
    ),
    Mutation("the quota is not kept", "_backlog", "parked_count(flow) <= RULES.quota_count then", "true then"),
    Mutation(
        "the quota counts no bytes",
        "_backlog",
        "if bytes <= RULES.quota_bytes and",
        "if",
        test_parked.test_l15_over_its_bytes_the_oldest_of_a_subscription_leave,
    ),
    Mutation("nobody is told of what is lost", "_backlog", "redis.call('HINCRBY', flow.key, 'lost', 1)", "0"),
    Mutation(
        "unpark keeps the seq", "_backlog", "hand_out(flow, id, letter.seq + 1,", "hand_out(flow, id, letter.seq + 0,"
    ),
    Mutation(
        "a replay is as good as new",
        "_backlog",
        "    letter.replay = '1'\n",
        "",
        test_recovery.test_l24_what_ran_out_of_retries_is_replayed_at_growing_intervals_once_each,
    ),
    Mutation(
        "an ordered head does not block",
        "_backlog",
        "if due_ms and not flow.is_ordered then",
        "if due_ms then",
        test_window.test_l32_of_an_ordered_subscription_the_head_blocks_until_its_time,
    ),
    Mutation(
        "letters of a newer version are touched",
        "_backlog",
        "<= RULES.letter_version then",
        "<= 99 then",
        test_parked.test_a_letter_of_a_newer_version_is_kept_as_it_is_and_set_aside,
    ),
    Mutation(
        "a deleted subscription is looked after",
        "_backlog",
        "  flow.exists = false\n  nothing_to_wake(flow)\n",
        "  flow.exists = false\n",
        test_parked.test_l4_a_deleted_subscription_is_not_looked_after,
    ),
    Mutation("generations are given twice", "_ledger", "math.max(last + 1, time[1] * 1000000 + time[2])", "last + 1"),
    Mutation("what is under way is not written", "_ledger", "elseif flow.is_changed then", "elseif false then"),
)
