from itertools import count
from threading import Event
from typing import NoReturn

from odim_relay.api.recent import Recent
from tests.support.waiting import wait_until


def test_an_answer_is_told_again_while_it_is_recent() -> None:
    numbers = count(1)
    recent = Recent(lambda: next(numbers), max_age_s=3_600, patience_s=10)

    assert [recent(), recent()] == [1, 1]


def test_an_answer_that_is_too_old_is_asked_for_anew() -> None:
    numbers = count(1)
    recent = Recent(lambda: next(numbers), max_age_s=0, patience_s=10)

    assert [recent(), recent()] == [1, 2]


def test_nobody_waits_longer_than_he_likes_and_nobody_asks_twice_meanwhile() -> None:
    go_on, asked = Event(), []

    def ask() -> int:
        asked.append(1)
        go_on.wait(30)
        return 7

    recent = Recent(ask, max_age_s=3_600, patience_s=0)
    assert [recent(), recent()] == [None, None]
    go_on.set()
    while recent() is None:
        pass

    assert recent() == 7
    assert len(asked) == 1


def test_a_failure_is_no_answer() -> None:
    def fail() -> NoReturn:
        raise OSError

    assert Recent(fail, max_age_s=0, patience_s=10)() is None


def test_after_a_failure_nobody_waits_long_for_another_one() -> None:
    go_on, asked = Event(), []

    def ask() -> int:
        asked.append(1)
        if len(asked) > 1:
            go_on.wait(30)
        raise OSError

    recent = Recent(ask, max_age_s=0, patience_s=30)
    assert recent() is None

    assert recent() is None  # while it is still being asked

    assert len(asked) == 2
    go_on.set()


def test_who_begins_early_is_told_what_was_asked_for_then() -> None:
    asked: list[int] = []
    go_on = Event()

    def ask() -> int:
        asked.append(1)
        go_on.wait(30)
        return len(asked)

    recent = Recent(ask, max_age_s=3_600, patience_s=10)
    recent.begin()
    go_on.set()

    assert recent() == 1
    assert len(asked) == 1


def test_who_waited_in_vain_has_waited_for_all_until_there_is_an_answer() -> None:
    go_on = Event()
    recent = Recent(lambda: go_on.wait(30), max_age_s=3_600, patience_s=0.01)
    assert recent() is None
    patient = Recent(lambda: go_on.wait(30), max_age_s=0, patience_s=30)
    patient._is_in_vain = True

    assert patient() is None

    go_on.set()
    wait_until(patient, timeout_s=10, what="an answer")
    assert not patient._is_in_vain
