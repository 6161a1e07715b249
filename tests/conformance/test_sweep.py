"""
What was parked for deleted subscriptions leaves, in Redis and in memory alike (L8).
"""

from odim_relay.domain.delivery import State
from odim_relay.ports import SuspendedBy
from tests.conformance.ledgers import Ledger, write
from tests.fakes.samples import PARTITION, START, subscription

NAMES = ("a", "b", "c")


def test_one_run_of_the_reaper_sweeps_every_deleted_subscription(ledger: Ledger) -> None:
    ledger.ingest.set_position(PARTITION, None, START)
    for name in NAMES:
        ledger.subscriptions.save(subscription(name))
    tickets = write(ledger, *NAMES)
    for name, ticket in zip(NAMES, tickets, strict=True):
        ledger.backlog.suspend(name, SuspendedBy.HAND)
        ledger.deliveries.claim(ticket)
    assert {ledger.state_of(ticket.delivery_id) for ticket in tickets} == {State.PARKED}
    for name in NAMES:
        ledger.subscriptions.delete(name)

    rounds = 1
    while ledger.deliveries.reap(queue_is_empty=True)[1]:
        rounds += 1

    assert {ledger.state_of(ticket.delivery_id) for ticket in tickets} == {State.GONE}
    assert ledger.counter("deliveries:subscription_deleted") == len(NAMES)
    assert rounds <= 2 * len(NAMES) + 1
