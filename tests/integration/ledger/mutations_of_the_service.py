"""
Ways to break what an administrator says for all.
"""

from tests.integration.ledger import test_event_service
from tests.integration.ledger.mutation import Mutation

SERVICE = (
    Mutation(
        "claim ignores that nothing is sent", "step", "if flow.suspended or not is_enabled()", "if flow.suspended"
    ),
    Mutation(
        "ingest ignores that nothing is sent",
        "ingest",
        "if flow.suspended or not is_enabled()",
        "if flow.suspended",
        test_event_service.test_while_nothing_is_sent_all_is_collected_and_looked_after,
    ),
    Mutation(
        "a failure is retried while nothing is sent",
        "fail",
        "if flow.suspended or not is_enabled() then\n",
        "if flow.suspended then\n",
        test_event_service.test_while_nothing_is_sent_all_is_collected_and_looked_after,
    ),
    Mutation(
        "completions let go while nothing is sent",
        "_admission",
        "or not is_enabled() then return 0 end",
        "then return 0 end",
        test_event_service.test_a_completion_lets_nothing_go_while_nothing_is_sent,
    ),
    Mutation(
        "there are probes while nothing is sent",
        "_admission",
        "local function probe(destination)\n  if not is_enabled() then return end\n",
        "local function probe(destination)\n",
        test_event_service.test_nothing_is_probed_and_nobody_is_knocked_at_while_nothing_is_sent,
    ),
    Mutation(
        "what waits is not looked after while nothing is sent",
        "_admission",
        "if not is_enabled() then return end -- it stays due",
        "if not is_enabled() then return nothing_to_wake(flow) end",
        test_event_service.test_while_nothing_is_sent_all_is_collected_and_looked_after,
    ),
    Mutation(
        "replay puts off while nothing is sent",
        "replay",
        "if not is_enabled() then return { 0, tickets, notices, {} } end\n",
        "",
        test_event_service.test_when_it_is_sent_again_what_waited_goes_at_the_first_look,
    ),
    Mutation(
        "policies go by the settings alone",
        "_admission",
        "local interval_s = event_service().retry_interval_s",
        "local interval_s = nil",
        test_event_service.test_retries_and_their_interval_count_for_a_policy_at_once,
    ),
    Mutation(
        "changes are kept for ever",
        "_ledger",
        "    redis.call('ZREMRANGEBYRANK', prefix .. 'subscriptions:changes', 0, -1001)\n",
        "",
        test_event_service.test_of_changes_the_last_thousand_are_kept_and_who_knows_less_reads_all,
    ),
)
