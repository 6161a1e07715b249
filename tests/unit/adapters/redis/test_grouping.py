import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from odim_relay.adapters.redis.grouping import Grouping
from tests.support.waiting import wait_until

LIMIT_S = 30.0


class Doubling:
    """
    Doubles numbers; notes the groups; can be held up. Negative numbers break the group they are in.
    """

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.goes_on = threading.Event()
        self.goes_on.set()
        self.entered = threading.Semaphore(0)
        self.at_once = 0
        self.most_at_once = 0

    def __call__(self, ops: Sequence[int]) -> list[int]:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.groups.append(list(ops))
        self.entered.release()
        assert self.goes_on.wait(LIMIT_S)
        self.at_once -= 1
        if any(op < 0 for op in ops):
            raise LookupError("a negative number")
        return [2 * op for op in ops]


def gathered(grouping: "Grouping[int, int]") -> int:
    return len(grouping._gathered)


def test_a_lone_caller_is_served_at_once_in_a_group_of_one() -> None:
    execute = Doubling()
    grouping: Grouping[int, int] = Grouping(execute)

    assert [grouping.submit(1), grouping.submit(2)] == [2, 4]
    assert execute.groups == [[1], [2]]


def test_what_comes_during_a_round_trip_goes_together_with_the_next() -> None:
    execute = Doubling()
    grouping: Grouping[int, int] = Grouping(execute)
    execute.goes_on.clear()

    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(grouping.submit, 1)
        assert execute.entered.acquire(timeout=LIMIT_S)
        others = [pool.submit(grouping.submit, op) for op in (2, 3, 4)]
        wait_until(lambda: gathered(grouping) == 3, timeout_s=LIMIT_S, what="three to gather")
        execute.goes_on.set()

        assert first.result(LIMIT_S) == 2
        assert [other.result(LIMIT_S) for other in others] == [4, 6, 8]
    assert [len(group) for group in execute.groups] == [1, 3]


def test_a_group_has_a_limit_and_the_rest_goes_next() -> None:
    execute = Doubling()
    grouping: Grouping[int, int] = Grouping(execute, most=2)
    execute.goes_on.clear()

    with ThreadPoolExecutor(6) as pool:
        results = [pool.submit(grouping.submit, op) for op in range(6)]
        wait_until(lambda: gathered(grouping) == 5, timeout_s=LIMIT_S, what="five to gather")
        execute.goes_on.set()

        assert [result.result(LIMIT_S) for result in results] == [0, 2, 4, 6, 8, 10]
    assert [len(group) for group in execute.groups] == [1, 2, 2, 1]


def test_an_exception_goes_to_every_caller_of_its_group_and_to_no_other() -> None:
    execute = Doubling()
    grouping: Grouping[int, int] = Grouping(execute)
    execute.goes_on.clear()

    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(grouping.submit, 1)
        assert execute.entered.acquire(timeout=LIMIT_S)
        others = [pool.submit(grouping.submit, op) for op in (2, -3, 4)]
        wait_until(lambda: gathered(grouping) == 3, timeout_s=LIMIT_S, what="three to gather")
        execute.goes_on.set()

        assert first.result(LIMIT_S) == 2
        for other in others:
            with pytest.raises(LookupError, match="a negative number"):
                other.result(LIMIT_S)
    assert grouping.submit(5) == 10


def test_too_few_results_are_an_error_for_every_caller() -> None:
    grouping: Grouping[int, int] = Grouping(lambda _: [])

    with pytest.raises(ValueError, match="shorter"):
        grouping.submit(1)


def test_eight_threads_get_their_own_results_and_none_is_forgotten() -> None:
    execute = Doubling()
    grouping: Grouping[int, int] = Grouping(execute, most=5)
    start = threading.Barrier(8)

    def work(number: int) -> list[int]:
        start.wait(LIMIT_S)
        return [grouping.submit(op) for op in range(number, 16_000, 8)]

    with ThreadPoolExecutor(8) as pool:
        results = [pool.submit(work, number) for number in range(8)]
        for number, result in enumerate(results):
            assert result.result(LIMIT_S) == [2 * op for op in range(number, 16_000, 8)]
    assert sorted(op for group in execute.groups for op in group) == list(range(16_000))
    assert execute.most_at_once == 1, "two leaders at once"
    assert gathered(grouping) == 0
