"""
Ways to break the journal.
"""

from tests.integration.ledger import test_journal
from tests.integration.ledger.mutation import Mutation

JOURNAL = (
    Mutation(
        "ingest journals nothing",
        "ingest",
        "if ARGV[at + 4] == '1' then",
        "if false then",
        test_journal.test_that_something_left_is_known_of_whoever_is_behind_it,
    ),
    Mutation("ingest journals everything", "ingest", "if ARGV[at + 4] == '1' then", "if true then"),
    Mutation(
        "the journal only grows",
        "_journal",
        "if bytes <= RULES.journal_bytes then return end",
        "if true then return end",
        noticed_by=test_journal.test_a_smaller_quota_is_worked_off_by_what_comes,
    ),
    Mutation(
        "nobody knows what left the journal",
        "_journal",
        "    redis.call('HSET', JOURNAL_STATE, 'left', oldest[1])\n",
        "",
        noticed_by=test_journal.test_that_something_left_is_known_of_whoever_is_behind_it,
    ),
)
