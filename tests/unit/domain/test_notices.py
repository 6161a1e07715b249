from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from odim_relay.domain.notices import MOST_TOLD, Change, ChangeKind, Step, plan

OPENED, CLOSED = ChangeKind.BREAKER_OPENED, ChangeKind.BREAKER_CLOSED


def changes(*kinds: ChangeKind, subject: str = "d", first: int = 1) -> list[Change]:
    return [Change(number=number, kind=kind, subject=subject) for number, kind in enumerate(kinds, first)]


def turns(count: int) -> list[Change]:
    return changes(*(CLOSED if number % 2 else OPENED for number in range(count)))


def test_each_change_is_told_by_itself_in_order() -> None:
    one, other = changes(OPENED, CLOSED), changes(ChangeKind.SUSPENDED, subject="s", first=0)

    assert plan([*reversed(one), *other], {}) == [Step(told=change) for change in [*other, *one]]
    assert plan([], {}) == []


def test_what_has_been_told_often_lately_waits_and_holds_nobody_else_up() -> None:
    flapping, other = changes(OPENED, subject="d"), changes(OPENED, subject="e", first=7)

    assert plan([*flapping, *other], {"breaker:d": MOST_TOLD}) == [Step(told=other[0])]
    assert plan(flapping, {"breaker:d": MOST_TOLD - 1}) == [Step(told=flapping[0])]


def test_of_many_turns_what_stands_is_told_if_it_is_not_what_was_told_last() -> None:
    many = turns(MOST_TOLD + 1)
    assert plan(many, {}) == [Step(told=many[-1], along=tuple(many[:-1]))]

    many = turns(MOST_TOLD + 2)
    assert plan(many, {}) == [Step(told=None, along=tuple(many))]


def test_what_is_terminated_is_told_whatever_came_before() -> None:
    many = changes(*[ChangeKind.SUSPENDED, ChangeKind.RESUMED] * MOST_TOLD, ChangeKind.TERMINATED, subject="s")

    assert plan(many, {}) == [Step(told=many[-1], along=tuple(many[:-1]))]


@pytest.mark.parametrize("kind", [ChangeKind.BUFFER_EXCEEDED, ChangeKind.QUARANTINE_GROWING])
def test_of_many_of_one_kind_the_newest_stands_for_all(kind: ChangeKind) -> None:
    many = changes(*[kind] * (MOST_TOLD + 2))

    assert plan(many, {}) == [Step(told=many[-1], along=tuple(many[:-1]))]


def test_what_was_begun_is_ended_before_all_else() -> None:
    begun = Change(number=9, kind=OPENED, subject="d", after="m")
    older, other = changes(OPENED, CLOSED, subject="d"), changes(OPENED, subject="a", first=3)

    assert plan([*older, *other, begun], {"breaker:d": MOST_TOLD}) == [
        Step(told=begun, along=tuple(older)),
        Step(told=other[0]),
    ]


def test_subjects_and_kinds_of_news_have_spells_of_their_own() -> None:
    lost = Change(number=1, kind=ChangeKind.BUFFER_EXCEEDED, subject="s")
    suspended = Change(number=2, kind=ChangeKind.SUSPENDED, subject="s")

    assert plan([lost, suspended], {"buffer:s": MOST_TOLD}) == [Step(told=suspended)]


@given(st.lists(st.integers(1, 6), max_size=30))
def test_however_a_destination_flaps_whoever_is_told_ends_up_with_what_stands(looks: list[int]) -> None:
    """
    Changes come in bunches, one look after each, and then the spell ends and somebody looks until nothing is left.
    """
    waiting: list[Change] = []
    said: list[ChangeKind] = []
    number = told = 0

    def look(lately: int) -> int:
        steps = plan(waiting, {"breaker:d": lately})
        for step in steps:
            for change in (*step.along, *((step.told,) if step.told else ())):
                waiting.remove(change)
            said.extend([step.told.kind] if step.told else [])
        return sum(step.told is not None for step in steps)

    for count in looks:
        for _ in range(count):
            number += 1
            waiting.append(Change(number=number, kind=OPENED if number % 2 else CLOSED, subject="d"))
        told += look(told)
    assert told <= MOST_TOLD
    look(0)

    assert waiting == []
    assert (said[-1] if said else CLOSED) is (OPENED if number % 2 else CLOSED)
    assert all(one is not other for one, other in pairwise(said))
