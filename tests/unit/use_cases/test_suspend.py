import pytest

from odim_relay.ports import TaskTicket
from odim_relay.use_cases.subscribe import SubscriptionMissingError
from odim_relay.use_cases.suspend import Suspend
from tests.fakes.backlog_ledger import InMemoryBacklogLedger
from tests.fakes.relay import InMemoryRelay
from tests.fakes.samples import subscription
from tests.unit.use_cases.conftest import Logs


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


def test_both_are_told(relay: InMemoryRelay, suspend: Suspend, logs: Logs) -> None:
    relay.ingest(subscription("s"))

    assert [suspend.suspend("s"), suspend.suspend("s")] == [True, False]
    suspend.resume("s")

    assert {"event": "subscription.suspended", "subscription_id": "s", "reason": "by_hand", "log_level": "info"} in logs
    assert logs[-1] == {
        "event": "subscription.resumed",
        "subscription_id": "s",
        "parked_count": 0,
        "log_level": "info",
    }


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
