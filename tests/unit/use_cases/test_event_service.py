from collections.abc import Sequence
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from odim_relay.domain.event_service import EventServiceSettings
from odim_relay.errors import TransientError
from odim_relay.ports import Aftermath, ReplayStep, TaskTicket
from odim_relay.use_cases.event_service import EventService
from tests.fakes.backlog_ledger import InMemoryBacklogLedger
from tests.fakes.event_service_store import InMemoryEventServiceStore
from tests.fakes.ledger_state import LedgerState
from tests.fakes.publisher import InMemoryPublisher


class Backlog(InMemoryBacklogLedger):
    """
    Has so many looks to give, each with one ticket; is away when it has none.
    """

    looks: Sequence[ReplayStep] = ()

    def replay(self) -> ReplayStep:
        if not self.looks:
            raise TransientError("the ledger is away")
        first, *self.looks = self.looks
        return first


class World:
    def __init__(self, *looks: str, has_more: bool = True) -> None:
        state = LedgerState(now_ms=lambda: 0)
        self.ledger = Backlog(state)
        self.ledger.looks = [
            ReplayStep(aftermath=Aftermath(tickets=[TaskTicket(delivery_id=name, seq=1)]), has_more=has_more)
            for name in looks
        ]
        self.publisher = InMemoryPublisher()
        self.service = EventService(
            store=InMemoryEventServiceStore(state), ledger=self.ledger, publisher=self.publisher
        )

    def enable(self, *, is_enabled: bool) -> None:
        self.service.change(lambda found: replace(found, is_enabled=is_enabled))


def test_what_waited_goes_when_sending_begins_again() -> None:
    world = World("a", "b")
    world.ledger.looks = [*world.ledger.looks[:-1], replace(world.ledger.looks[-1], has_more=False)]
    world.enable(is_enabled=False)
    assert world.publisher.queue == []

    world.enable(is_enabled=True)

    assert [ticket.delivery_id for ticket in world.publisher.queue] == ["a", "b"]


def test_nobody_waits_until_everything_has_gone() -> None:
    world = World(*"abcdefghijklmnopqrstuvwxyz")
    world.enable(is_enabled=False)

    world.enable(is_enabled=True)

    assert len(world.publisher.queue) == 20


def test_nothing_is_looked_at_when_it_was_sending_already() -> None:
    world = World("a", has_more=False)

    world.service.change(lambda found: replace(found, retry_attempts=1))

    assert world.publisher.queue == []
    assert world.service.read().retry_attempts == 1


def test_a_change_holds_though_the_ledger_is_away_when_it_is_to_go_on() -> None:
    world = World()
    world.enable(is_enabled=False)

    world.enable(is_enabled=True)

    assert world.service.read().is_enabled


@pytest.mark.parametrize(("attempts", "told"), [(3, ["event_service.changed"]), (None, [])])
def test_a_change_is_told_and_what_changes_nothing_is_not(attempts: int | None, told: list[str]) -> None:
    world = World()
    with capture_logs() as logs:
        world.service.change(lambda _: EventServiceSettings(retry_attempts=attempts))

    assert [line["event"] for line in logs] == told
