"""
Ways to break what people hear of.
"""

from tests.integration.ledger import test_notices
from tests.integration.ledger.mutation import Mutation

NOTICES = (
    Mutation(
        "a change is not kept until it is told",
        "_ledger",
        "  redis.call('HSET', prefix .. 'notices', number, cjson.encode(change))\n",
        "",
        noticed_by=test_notices.test_a_breaker_that_opens_and_closes_is_two_changes,
    ),
    Mutation(
        "the outbox only grows",
        "_ledger",
        "> RULES.notices_most then",
        "> 2 ^ 53 then",
        noticed_by=test_notices.test_of_very_many_the_oldest_leave_counted,
    ),
    Mutation(
        "each event that is lost is a change",
        "_backlog",
        "if flow.lost == 1 then notice",
        "if true then notice",
        noticed_by=test_notices.test_what_leaves_unsent_is_a_change_until_its_subscriber_is_told,
    ),
    Mutation(
        "whoever comes second tells it again",
        "ingest",
        "or redis.call('HEXISTS', prefix .. 'notices', ARGV[2]) == 0 then",
        "then",
        noticed_by=test_notices.test_a_spell_begins_with_the_first_that_is_told_and_ends_by_itself,
    ),
    Mutation(
        "a change that is told stays",
        "ingest",
        "    redis.call('HDEL', prefix .. 'notices', one)\n",
        "",
        noticed_by=test_notices.test_a_spell_begins_with_the_first_that_is_told_and_ends_by_itself,
    ),
    Mutation(
        "a spell never ends",
        "ingest",
        "if redis.call('INCR', told) == 1 then",
        "if redis.call('INCR', told) >= 1 then",
        noticed_by=test_notices.test_a_spell_begins_with_the_first_that_is_told_and_ends_by_itself,
    ),
    Mutation(
        "each record that comes into quarantine is a change",
        "ingest",
        "now >= 2 * told or",
        "true or",
        noticed_by=test_notices.test_a_quarantine_that_grows_is_a_change_each_time_that_it_is_twice_as_large,
    ),
    Mutation(
        "a quarantine that shrank is remembered as large",
        "ingest",
        "math.min(found[1] or 0, before)",
        "tonumber(found[1] or 0)",
        noticed_by=test_notices.test_a_quarantine_that_was_emptied_or_quiet_is_a_change_when_the_next_one_comes,
    ),
    Mutation(
        "a quiet quarantine is forgotten",
        "ingest",
        "NOW - at_ms >= RULES.quiet_ms",
        "false",
        noticed_by=test_notices.test_a_quarantine_that_was_emptied_or_quiet_is_a_change_when_the_next_one_comes,
    ),
)
