from itertools import count
from threading import Event
from typing import NoReturn

from odim_relay.api.recent import Recent


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
