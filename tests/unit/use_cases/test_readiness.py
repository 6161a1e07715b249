from threading import Event

import pytest

from odim_relay.errors import ConfigurationError, TransientError
from odim_relay.use_cases.readiness import Readiness, Unreachable


def fails() -> None:
    raise TransientError("connection refused")


def answers() -> None:
    pass


def test_nothing_is_told_when_all_answer() -> None:
    assert Readiness({"redis": answers, "kafka": answers}, deadline_s=10)() == []


def test_what_does_not_answer_is_named_in_order() -> None:
    ready = Readiness({"redis": fails, "broker": answers, "kafka": fails}, deadline_s=10)

    assert ready() == [
        Unreachable(store="redis", reason="connection refused"),
        Unreachable(store="kafka", reason="connection refused"),
    ]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (ConfigurationError("KAFKA__TOPICS: name one"), "KAFKA__TOPICS: name one"),
        (ZeroDivisionError("ours"), "ZeroDivisionError: ours"),
    ],
)
def test_whatever_goes_wrong_is_told(fault: Exception, reason: str) -> None:
    def check() -> None:
        raise fault

    assert Readiness({"kafka": check}, deadline_s=10)() == [Unreachable(store="kafka", reason=reason)]


def test_a_store_that_hangs_is_told_in_time_and_holds_few_threads() -> None:
    is_back, was_asked = Event(), []

    def hang() -> None:
        was_asked.append("redis")
        is_back.wait(30)

    ready = Readiness({"redis": hang, "broker": answers}, deadline_s=0.2)

    assert [ready() for _ in range(5)] == [[Unreachable(store="redis", reason="no answer within 0.2 s")]] * 5
    assert was_asked == ["redis"] * 3

    is_back.set()
    assert Readiness({"redis": hang}, deadline_s=10)() == []


def test_who_asks_after_a_store_came_back_is_not_told_what_hung_before() -> None:
    never = Event()
    checks = iter([never.wait])

    def check() -> None:
        next(checks, answers)()

    ready = Readiness({"redis": check}, deadline_s=0.5)

    assert [len(ready()), len(ready())] == [1, 0]
    never.set()
