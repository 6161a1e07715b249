"""
What the port to the EventService's settings promises, kept by Redis and by memory alike.
"""

from dataclasses import replace

import pytest

from odim_relay.domain.event_service import EventServiceSettings
from tests.conformance.ledgers import Ledger
from tests.fakes.samples import subscription

FULL = EventServiceSettings(is_enabled=False, retry_attempts=0, retry_interval_s=7, keeps_journal=True)


def test_nobody_changed_anything_at_first(ledger: Ledger) -> None:
    assert ledger.services.read() == EventServiceSettings()


@pytest.mark.parametrize("said", [FULL, EventServiceSettings(), replace(FULL, is_enabled=True, retry_attempts=None)])
def test_settings_come_back_as_they_were_said(ledger: Ledger, said: EventServiceSettings) -> None:
    ledger.services.update(lambda _: replace(FULL, retry_attempts=3))

    assert ledger.services.update(lambda _: said) == said
    assert ledger.services.read() == said


def test_a_change_raises_the_generation_and_tells_of_no_subscription(ledger: Ledger) -> None:
    ledger.subscriptions.save(one := subscription("a"))
    before = ledger.subscriptions.generation()

    ledger.services.update(lambda _: FULL)

    now = ledger.subscriptions.generation()
    assert now > before
    assert ledger.subscriptions.changes_since(before) == (now, [], [])
    assert ledger.subscriptions.changes_since(0) == (now, [one], None)


def test_what_makes_no_difference_changes_nothing(ledger: Ledger) -> None:
    ledger.services.update(lambda _: FULL)
    before = ledger.subscriptions.generation()

    assert ledger.services.update(lambda found: found) == FULL
    assert ledger.subscriptions.generation() == before


def test_a_change_that_is_refused_changes_nothing(ledger: Ledger) -> None:
    def refuse(_: EventServiceSettings) -> EventServiceSettings:
        raise ValueError("no")

    ledger.services.update(lambda _: FULL)

    with pytest.raises(ValueError, match="no"):
        ledger.services.update(refuse)

    assert ledger.services.read() == FULL


def test_two_changes_at_once_are_both_made(ledger: Ledger) -> None:
    seen: list[int | None] = []

    def change(found: EventServiceSettings) -> EventServiceSettings:
        if not seen:
            ledger.services.update(lambda other: replace(other, retry_attempts=9))
        seen.append(found.retry_attempts)
        return replace(found, retry_interval_s=4)

    assert ledger.services.update(change) == EventServiceSettings(retry_attempts=9, retry_interval_s=4)
    assert seen == [None, 9]
