from odim_relay.domain.throttle import Throttle, ThrottleRule

RULE = ThrottleRule(per_user=3, per_client=5, window_s=60, wait_s=10, max_wait_s=40)


def failed(throttle: Throttle, times: int, user: str = "ann", client: str = "c", now_s: float = 0) -> None:
    for _ in range(times):
        throttle.failed(user, client, now_s)


def test_a_few_failures_cost_nothing() -> None:
    throttle = Throttle(rule=RULE)
    failed(throttle, 2)

    assert throttle.wait_s("ann", "c", 0) == 0


def test_one_too_many_makes_wait_and_each_further_one_twice_as_long_up_to_a_limit() -> None:
    throttle = Throttle(rule=RULE)
    failed(throttle, 3)
    assert throttle.wait_s("ann", "c", 0) == 10
    assert throttle.wait_s("ann", "c", 9) == 1
    assert throttle.wait_s("ann", "c", 10) == 0

    waits = []
    now_s = 10.0
    for _ in range(4):
        throttle.failed("ann", "c", now_s)
        waits.append(throttle.wait_s("ann", "c", now_s))
        now_s += waits[-1]

    assert waits == [20, 40, 40, 40]


def test_failures_are_forgotten_after_a_while_and_by_success() -> None:
    throttle = Throttle(rule=RULE)
    failed(throttle, 2)
    failed(throttle, 2, now_s=61)
    assert throttle.wait_s("ann", "c", 61) == 0

    throttle.succeeded("ann", "c")
    failed(throttle, 2, now_s=62)

    assert throttle.wait_s("ann", "c", 62) == 0


def test_another_user_and_another_address_do_not_wait() -> None:
    throttle = Throttle(rule=RULE)
    failed(throttle, 4)

    assert throttle.wait_s("bob", "c", 0) == 0
    assert throttle.wait_s("ann", "d", 0) == 0


def test_an_address_that_tries_many_names_waits_with_every_name_but_those_it_came_in_with() -> None:
    throttle = Throttle(rule=RULE)
    throttle.succeeded("bob", "c")
    for number in range(5):
        throttle.failed(f"user{number}", "c", 0)

    assert throttle.wait_s("ann", "c", 0) == 10
    assert throttle.wait_s("ann", "d", 0) == 0
    assert throttle.wait_s("bob", "c", 0) == 0

    throttle.failed("bob", "c", 0)
    assert throttle.wait_s("bob", "c", 0) > 0


def test_memory_is_bounded_and_the_last_are_remembered() -> None:
    throttle = Throttle(rule=RULE)
    for number in range(12_000):
        throttle.failed(f"user{number}", "c", 0)
        throttle.succeeded(f"known{number}", "c")
    failed(throttle, 3, user="last", client="e")

    assert len(throttle._failures) <= 10_000
    assert len(throttle._known) <= 10_000
    assert throttle.wait_s("last", "e", 0) == 10
