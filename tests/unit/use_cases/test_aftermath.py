import pytest

from odim_relay.ports import Aftermath, Notice, TaskTicket
from odim_relay.use_cases.aftermath import settle
from tests.fakes.publisher import InMemoryPublisher
from tests.unit.use_cases.conftest import Logs

TICKETS = (TaskTicket(delivery_id="a", seq=1), TaskTicket(delivery_id="b", seq=2, wait_s=0.5))


@pytest.fixture
def publisher() -> InMemoryPublisher:
    return InMemoryPublisher()


def test_what_may_go_is_published_as_it_is(publisher: InMemoryPublisher, logs: Logs) -> None:
    assert settle(Aftermath(tickets=TICKETS), publisher)

    assert publisher.queue == list(TICKETS)
    assert logs == []


def test_the_retry_is_left_to_celery(publisher: InMemoryPublisher) -> None:
    assert settle(Aftermath(retry=TICKETS[0]), publisher)

    assert publisher.queue == []


def test_nothing_is_asked_of_a_broker_when_nothing_may_go(publisher: InMemoryPublisher, logs: Logs) -> None:
    publisher.is_down = True

    assert settle(Aftermath(), publisher)

    assert logs == []


def test_a_broker_that_is_away_is_told_and_no_fault(publisher: InMemoryPublisher, logs: Logs) -> None:
    publisher.is_down = True

    assert not settle(Aftermath(tickets=TICKETS), publisher)

    assert logs == [
        {
            "event": "deliveries.not_published",
            "count": 2,
            "detail": "the broker is down",
            "log_level": "warning",
        }
    ]


def test_somebody_is_called_to_tell_what_changed(publisher: InMemoryPublisher, logs: Logs) -> None:
    settle(
        Aftermath(notices=[Notice(name="terminated", subject="x"), Notice(name="breaker_closed", subject="y")]),
        publisher,
    )
    assert publisher.call_count == 1

    settle(Aftermath(tickets=TICKETS), publisher)

    assert publisher.call_count == 1
    assert logs == []


def test_a_broker_that_cannot_call_does_no_harm(publisher: InMemoryPublisher) -> None:
    publisher.is_down = True

    assert settle(Aftermath(notices=[Notice(name="breaker_closed", subject="x")]), publisher)
    assert not settle(Aftermath(tickets=TICKETS, notices=[Notice(name="breaker_closed", subject="x")]), publisher)
