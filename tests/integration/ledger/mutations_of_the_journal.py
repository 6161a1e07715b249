"""
Ways to break the journal.
"""

from tests.integration.ledger.mutation import Mutation

JOURNAL = (
    Mutation("ingest journals nothing", "ingest", "if ARGV[at + 4] == '1' then", "if false then"),
    Mutation("ingest journals everything", "ingest", "if ARGV[at + 4] == '1' then", "if true then"),
    Mutation(
        "the journal only grows",
        "_journal",
        "if bytes <= RULES.journal_bytes then return end",
        "if true then return end",
    ),
    Mutation(
        "nobody knows what left the journal",
        "_journal",
        "    redis.call('HSET', JOURNAL_STATE, 'left', oldest[1])\n",
        "",
    ),
)
