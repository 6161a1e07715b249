"""
Ways to break what is kept of sources and aggregates, and what is to be parked at once.
"""

from tests.integration.ledger import test_inventory, test_parked
from tests.integration.ledger.mutation import Mutation

INVENTORY = (
    Mutation(
        "a change of the inventory refuses no batch",
        "change_inventory",
        "if changed > 0 then redis.call('SET', INVENTORY_VERSION, next_generation()) end",
        "if changed > 0 then redis.call('INCR', INVENTORY_VERSION) end",
        test_inventory.test_l9_what_was_matched_before_the_inventory_changed_is_refused,
    ),
    Mutation(
        "a change that is none refuses batches",
        "change_inventory",
        "if changed > 0 then",
        "if true then",
        test_inventory.test_l9_what_was_matched_before_the_inventory_changed_is_refused,
    ),
    Mutation(
        "a change ignores what the inventory was",
        "change_inventory",
        "~= ARGV[2] then return 0 end",
        "== 'never' then return 0 end",
        test_inventory.test_what_another_changed_meanwhile_is_replaced_too,
    ),
    Mutation(
        "a new inventory refuses no batch",
        "put_inventory_in_place",
        "redis.call('SET', INVENTORY_VERSION, next_generation())",
        "redis.call('INCR', INVENTORY_VERSION)",
        test_inventory.test_l9_what_was_matched_before_very_many_changed_is_refused,
    ),
    Mutation(
        "a new inventory ignores what the old one was",
        "put_inventory_in_place",
        "(redis.call('GET', INVENTORY_VERSION) or '0') == ARGV[2]",
        "true",
        test_inventory.test_what_another_changed_meanwhile_stands_beside_a_change_of_very_many,
    ),
    Mutation(
        "a new inventory may lack a part",
        "put_inventory_in_place",
        "is_good = is_good and redis.call('HLEN', one.staged) == tonumber(ARGV[3 + i])",
        "",
        test_inventory.test_what_was_staged_and_lost_a_part_is_never_put_in_place,
    ),
    Mutation(
        "what is not put in place stays staged",
        "put_inventory_in_place",
        "    redis.call('UNLINK', one.staged)\n",
        "",
        test_inventory.test_what_another_changed_meanwhile_stands_beside_a_change_of_very_many,
    ),
    Mutation(
        "a new inventory leaves as what was staged would",
        "put_inventory_in_place",
        "      redis.call('PERSIST', one.stands)\n",
        "",
        test_inventory.test_what_a_process_staged_that_died_goes_by_itself_and_what_was_put_in_place_stays,
    ),
    Mutation(
        "ingest parks nothing that it is told to",
        "ingest",
        "parked_as ~= '' and parked_as or hindrance(flow)",
        "hindrance(flow)",
        test_parked.test_l14_what_is_to_be_parked_at_once_is_under_way_for_nobody_and_does_not_hold_others_up,
    ),
    Mutation(
        "ingest lets go at once what it was told to park",
        "ingest",
        "if is_to_go[id] and is_closed",
        "if is_closed",
        test_parked.test_l14_what_is_to_be_parked_at_once_is_under_way_for_nobody_and_does_not_hold_others_up,
    ),
)
