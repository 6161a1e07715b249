from collections.abc import Callable
from threading import Event, Thread

import pytest

from odim_relay.errors import TransientError
from odim_relay.use_cases.duty import Duty


class Turns:
    """
    One turn in memory; `rested_s` is what the last holder left it with.
    """

    def __init__(self) -> None:
        self.holder: object = None
        self.taken_count = 0
        self.rested_s: float | None = None

    def new(self) -> "_Turn":
        return _Turn(self)


class _Turn:
    def __init__(self, turns: Turns) -> None:
        self._turns = turns

    def take(self, for_s: float) -> bool:
        assert for_s > 0
        if self._turns.holder not in (None, self):
            return False
        self._turns.holder = self
        self._turns.taken_count += 1
        return True

    def leave(self, rest_s: float = 0.0) -> None:
        self._turns.holder = None
        self._turns.rested_s = rest_s


def duty(work: Callable[[], object], turns: Turns) -> Duty:
    return Duty("replay", work, new_turn=turns.new, interval_s=30, monotonic_s=iter(range(0, 1000, 4)).__next__)


def test_a_duty_that_is_being_done_is_not_done_a_second_time() -> None:
    """L28"""
    turns, begun, go_on = Turns(), Event(), Event()

    def work() -> None:
        begun.set()
        assert go_on.wait(10)

    first = Thread(target=duty(work, turns))
    first.start()
    assert begun.wait(10)

    assert duty(lambda: pytest.fail("done twice"), turns)() is False

    go_on.set()
    first.join()
    assert turns.rested_s == 11
    assert duty(lambda: None, turns)() is True


def test_a_duty_that_fails_gives_its_turn_up() -> None:
    turns = Turns()

    def work() -> None:
        raise TransientError("away")

    with pytest.raises(TransientError):
        duty(work, turns)()

    assert turns.holder is None


def test_a_turn_that_cannot_be_given_up_is_no_failure_of_the_duty() -> None:
    class Lost(_Turn):
        def leave(self, rest_s: float = 0.0) -> None:
            raise TransientError(f"away, asked to rest for {rest_s} s")

    lost = Lost(Turns())
    assert Duty("replay", lambda: None, new_turn=lambda: lost, interval_s=30, monotonic_s=lambda: 0.0)() is True
