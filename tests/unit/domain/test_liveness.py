import pytest

from odim_relay.domain.liveness import age_s, sign_of_life


def test_a_sign_tells_how_long_ago_it_was_given() -> None:
    assert age_s(sign_of_life(1_000.25), 1_007.75) == 7.5


def test_signs_of_one_host_are_of_the_same_length() -> None:
    assert len(sign_of_life(0.0)) == len(sign_of_life(10 * 365 * 86_400.0))


def test_a_reader_whose_clock_is_a_moment_behind_sees_a_fresh_sign() -> None:
    assert age_s(sign_of_life(10.5), 10.0) == 0


@pytest.mark.parametrize("sign", ["", "alive\n", "nan", "-1", sign_of_life(5_000.0)])
def test_what_is_no_sign_of_this_host_since_its_start_is_refused(sign: str) -> None:
    with pytest.raises(ValueError, match=r"sign of life|convert"):
        age_s(sign, 100.0)
