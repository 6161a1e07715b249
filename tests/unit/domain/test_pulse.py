import pytest

from odim_relay.domain.pulse import Pulse, after, is_slowing
from odim_relay.use_cases.pulses import Pulses


@pytest.mark.parametrize(
    ("floor_s", "duration_s", "slow"),
    [(0.2, 0.8, False), (0.2, 0.81, True), (0.01, 0.5, False), (0.01, 0.51, True), (3.0, 10.0, False)],
)
def test_slowing_is_over_half_a_second_and_four_times_what_it_needs(
    floor_s: float, duration_s: float, slow: bool
) -> None:
    assert is_slowing(Pulse(floor_s=floor_s, at_s=100.0), duration_s, 100.0) is slow


def test_the_first_answer_says_nothing() -> None:
    assert not is_slowing(None, 30.0, 0.0)
    assert after(None, 30.0, 5.0) == Pulse(floor_s=30.0, at_s=5.0)


def test_the_floor_is_the_fastest_answer_lately() -> None:
    pulse = after(after(after(None, 0.4, 0.0), 0.1, 0.0), 0.3, 0.0)

    assert pulse.floor_at(0.0) == 0.1
    assert pulse.floor_at(60.0) == 0.2
    assert after(pulse, 0.15, 60.0).floor_s == 0.15
    assert pulse.floor_at(-1_000.0) == 0.1
    assert pulse.floor_at(1e12) < 1e18


def test_who_is_slow_for_good_is_not_slowing_for_ever() -> None:
    pulses = Pulses()
    pulses.is_slowing("d", 0.1, 0.0)

    told = [pulses.is_slowing("d", 1.0, float(at)) for at in range(0, 300, 10)]

    assert told[0]
    assert not any(told[10:])


def test_destinations_are_told_apart_and_so_many_are_known() -> None:
    pulses = Pulses()
    pulses.is_slowing("fast", 0.01, 0.0)

    assert not pulses.is_slowing("other", 2.0, 0.0)
    assert pulses.is_slowing("fast", 2.0, 0.0)
    for number in range(10_000):
        pulses.is_slowing(str(number), 0.01, 0.0)
    assert not pulses.is_slowing("fast", 2.0, 0.0)
