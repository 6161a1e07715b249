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


def having(action: str) -> set[State]:
    return {state for state, row in TRANSITIONS.items() if action in row}


@pytest.mark.parametrize("action", ["claim", "claim_at_most_once"])
def test_only_what_was_published_can_be_claimed(action: str) -> None:
    assert having(action) == {State.QUEUED, State.RETRYING}


def test_what_is_claimed_to_go_at_most_once_is_gone_by_rule_l19() -> None:
    assert {row["claim_at_most_once"] for row in TRANSITIONS.values() if "claim_at_most_once" in row} == {State.GONE}


def test_the_reaper_brings_everything_active_back_to_the_queue() -> None:
    assert having("reap") == {State.QUEUED, State.SENDING, State.RETRYING}
    assert {row["reap"] for row in TRANSITIONS.values() if "reap" in row} == {State.QUEUED}


@pytest.mark.parametrize("action", ["retry", "release"])
def test_only_who_sends_can_tell_of_an_outcome(action: str) -> None:
    assert having(action) == {State.SENDING}


def test_everything_active_can_be_parked() -> None:
    assert having("park") == {State.QUEUED, State.SENDING, State.RETRYING}
    assert {row["park"] for row in TRANSITIONS.values() if "park" in row} == {State.PARKED}


@pytest.mark.parametrize("action", ["admit", "admit_later", "expire", "over_quota", "discard"])
def test_only_what_is_parked_is_admitted_or_leaves_unsent_by_a_rule(action: str) -> None:
    assert having(action) == {State.PARKED}


@pytest.mark.parametrize("action", ["recover", "recover_later"])
def test_only_a_countdown_need_not_end_when_its_destination_recovers(action: str) -> None:
    assert having(action) == {State.RETRYING}


def test_nothing_is_gone_but_by_an_answer_or_a_counted_rule_by_rule_l1() -> None:
    counted = {"claim_at_most_once", "subscription_deleted", "expire", "over_quota", "discard"}

    ends = {action for row in TRANSITIONS.values() for action, then in row.items() if then is State.GONE}

    assert ends == {"complete"} | counted


def test_every_reason_to_park_is_a_dead_letter_or_a_wait() -> None:
    assert set(ParkReason) == DEAD_LETTER_REASONS | WAITING_REASONS
    assert not DEAD_LETTER_REASONS & WAITING_REASONS
    assert {"exhausted", "rejected", "gone", "broken"} == DEAD_LETTER_REASONS
