import pytest

from odim_relay.domain.duration import duration_s


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("PT0S", 0),
        ("PT90S", 90),
        ("PT1.5S", 1.5),
        ("PT2M", 120),
        ("PT1H30M", 5_400),
        ("P1D", 86_400),
        ("P1DT1H1M1S", 90_061),
        ("P007DT00H", 604_800),
    ],
)
def test_a_duration_is_read(text: str, seconds: float) -> None:
    assert duration_s(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "P",
        "PT",
        "P1DT",
        "1H",
        "PT1",
        "P1M",
        "P1Y",
        "-PT1S",
        "PT-1S",
        "pt1s",
        "PT1S ",
        "PT1,5S",
        "P" + "9" * 40 + "D",
    ],
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    assert duration_s(text) is None
