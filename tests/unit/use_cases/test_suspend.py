import pytest

from odim_relay.domain.notices import ChangeKind
from odim_relay.ports import TaskTicket
from odim_relay.use_cases.subscribe import SubscriptionMissingError
from odim_relay.use_cases.suspend import Suspend
from tests.fakes.backlog_ledger import InMemoryBacklogLedger
from tests.fakes.relay import InMemoryRelay
from tests.fakes.samples import subscription


@pytest.fixture
def suspend(relay: InMemoryRelay) -> Suspend:
    return Suspend(ledger=InMemoryBacklogLedger(relay.state), publisher=relay.publisher)


def collect(relay: InMemoryRelay, suspend: Suspend) -> str:
    """
    Let a subscription be suspended and collect one. Returns its delivery's id.
    """
    (ticket,) = relay.ingest(subscription("s"))
    suspend.suspend("s")
    relay.deliver(ticket)
    assert relay.sender.sent == []
    return ticket.delivery_id


def test_what_a_suspended_subscription_collected_goes_on_when_it_is_resumed(
    relay: InMemoryRelay, suspend: Suspend
) -> None:
    collected = collect(relay, suspend)

    resumed = suspend.resume("s")

    assert (resumed.was_suspended, resumed.parked_count) == (True, 1)
    assert [ticket.delivery_id for ticket in relay.publisher.queue] == [collected]


def test_a_broker_that_is_away_does_not_hinder_resuming(relay: InMemoryRelay, suspend: Suspend) -> None:
    collect(relay, suspend)
    relay.publisher.is_down = True

    assert suspend.resume("s").was_suspended


def test_somebody_is_called_to_tell_of_both_and_of_nothing_that_changed_nothing(
    relay: InMemoryRelay, suspend: Suspend
) -> None:
    relay.ingest(subscription("s"))
    counts = []

    for act in (suspend.suspend, suspend.suspend, suspend.resume, suspend.resume):
        act("s")
        counts.append(relay.publisher.call_count)

    assert counts == [1, 1, 2, 2]
    assert [change.kind for change in relay.state.untold.values()] == [ChangeKind.SUSPENDED, ChangeKind.RESUMED]


def test_who_is_not_there_can_be_neither_suspended_nor_resumed(suspend: Suspend) -> None:
    for ask in (suspend.suspend, suspend.resume):
        with pytest.raises(SubscriptionMissingError, match="there is no subscription unknown"):
            ask("unknown")


def test_waking_lets_go_what_may(relay: InMemoryRelay, suspend: Suspend) -> None:
    collect(relay, suspend)
    suspend.wake("s")
    assert relay.publisher.queue == []

    relay.state.suspended.clear()
    suspend.wake("s")

    assert relay.publisher.queue == [TaskTicket(delivery_id=relay.kept.delivery_id, seq=relay.kept.seq)]
