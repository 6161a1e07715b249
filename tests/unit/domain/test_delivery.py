import pytest

from odim_relay.domain.delivery import DEAD_LETTER_REASONS, TRANSITIONS, WAITING_REASONS, ParkReason, State


def reachable_from(start: State) -> set[State]:
    found = {start}
    to_visit = [start]
    while to_visit:
        for state in TRANSITIONS[to_visit.pop()].values():
            if state not in found:
                found.add(state)
                to_visit.append(state)
    return found


def test_the_table_has_a_row_for_every_state() -> None:
    assert TRANSITIONS.keys() == set(State)


def test_every_state_can_be_reached_from_the_first() -> None:
    assert reachable_from(State.QUEUED) == set(State)


def test_what_is_gone_stays_gone() -> None:
    assert TRANSITIONS[State.GONE] == {}


@pytest.mark.parametrize("state", set(State) - {State.GONE})
def test_a_delivery_can_leave_from_every_state(state: State) -> None:
    assert State.GONE in reachable_from(state)


@pytest.mark.parametrize("state", set(State) - {State.GONE})
def test_a_late_2xx_completes_a_delivery_in_every_state_by_rule_l21(state: State) -> None:
    assert TRANSITIONS[state]["complete"] is State.GONE


@pytest.mark.parametrize("state", set(State) - {State.GONE})
def test_a_delivery_of_a_deleted_subscription_leaves_from_every_state(state: State) -> None:
    assert TRANSITIONS[state]["subscription_deleted"] is State.GONE


def test_only_what_was_published_can_be_claimed() -> None:
    assert {state for state, row in TRANSITIONS.items() if "claim" in row} == {State.QUEUED, State.RETRYING}


def test_the_reaper_brings_everything_active_back_to_the_queue() -> None:
    assert {state for state, row in TRANSITIONS.items() if "reap" in row} == {
        State.QUEUED,
        State.SENDING,
        State.RETRYING,
    }
    assert {row["reap"] for row in TRANSITIONS.values() if "reap" in row} == {State.QUEUED}


def test_only_who_sends_can_tell_of_an_outcome() -> None:
    for action in ("retry", "park", "release"):
        assert [state for state, row in TRANSITIONS.items() if action in row] == [State.SENDING]


def test_every_reason_to_park_is_a_dead_letter_or_a_wait() -> None:
    assert set(ParkReason) == DEAD_LETTER_REASONS | WAITING_REASONS
    assert not DEAD_LETTER_REASONS & WAITING_REASONS
    assert {"exhausted", "rejected", "gone", "broken"} == DEAD_LETTER_REASONS
