import xml.etree.ElementTree as ET
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from odim_relay.api.ui.attempts_plot import draw_attempts
from odim_relay.api.ui.plots import Line, Plot, ceiling, draw, short, summary
from odim_relay.domain.sample import Point
from odim_relay.ports import AttemptRecord

HOUR_MS = 3_600_000
FROM_MS = 1_767_225_600_000


def plot(*lines: Line, title: str = "Rates", window_ms: int = HOUR_MS) -> Plot:
    return Plot(plot_id="p", title=title, unit="per second", lines=lines, from_ms=FROM_MS, until_ms=FROM_MS + window_ms)


def line(*values: float | None, name: str = "In", step_ms: int = 60_000) -> Line:
    return Line(name=name, points=[(FROM_MS + index * step_ms, value) for index, value in enumerate(values)])


def elements(drawn: str, tag: str, kind: str = "") -> list[ET.Element]:
    root = ET.fromstring(drawn)  # noqa: S314 - drawn here
    return [one for one in root.iter() if one.tag == tag and (not kind or kind in one.get("class", "").split())]


def texts(drawn: str, tag: str) -> list[str]:
    return [one.text or "" for one in elements(drawn, tag)]


def attempt(number: int, **members: object) -> AttemptRecord:
    given: dict[str, object] = {
        "subscription_id": "s",
        "delivery_id": "d",
        "attempt": 1,
        "ended_at_ms": FROM_MS + number,
        "status": 204,
        "duration_ms": 10 * number,
        "destination": "https://a/x",
        "decision": "delivered",
        **members,
    }
    return AttemptRecord(**given)  # type: ignore[arg-type] # as the record says


def test_a_plot_tells_what_it_shows_to_who_does_not_see_it() -> None:
    drawn = draw(plot(line(1, 5, 3)))
    root = ET.fromstring(drawn)  # noqa: S314 - drawn here

    assert root.get("role") == "img"
    named = str(root.get("aria-labelledby")).split()
    told = {one.get("id"): one.text for one in root if one.get("id")}
    assert [told[name] for name in named] == ["Rates", "In: 3.0 per second at the end, between 1.0 and 5.0."]


def test_nothing_known_is_told_and_drawn_as_nothing() -> None:
    empty = plot(line(None, None), Line(name="Out", points=[]))

    assert summary(empty) == "In: nothing known. Out: nothing known."
    assert elements(draw(empty), "path") == []


def test_a_value_that_is_not_known_is_a_gap_in_the_line() -> None:
    (path,) = elements(draw(plot(line(1, 2, None, 3, 4))), "path")

    assert path.get("d", "").count("M") == 2


def test_a_time_without_samples_is_a_gap_in_the_line() -> None:
    apart = Line(name="In", points=[*line(1, 2, 3).points, (FROM_MS + HOUR_MS, 4)])

    (path,) = elements(draw(plot(apart)), "path")

    assert path.get("d", "").count("M") == 2


def test_each_moment_tells_its_values_to_who_points_at_it() -> None:
    drawn = draw(plot(line(1, 2, name="In"), line(3, None, name="Out")))

    assert [one[0].text for one in elements(drawn, "rect", "spot")] == [
        "00:00:00 UTC\nIn: 1.0 per second\nOut: 3.0 per second",
        "00:01:00 UTC\nIn: 2.0 per second",
    ]


def test_names_with_markup_stay_text() -> None:
    drawn = draw(plot(line(1, name="<script>"), title='"><b>'))

    assert elements(drawn, "script") == []
    assert texts(drawn, "title")[0] == '"><b>'


@pytest.mark.parametrize(
    ("highest", "top"), [(0, 1), (0.3, 1), (1, 1), (1.1, 2), (7, 8), (9, 10), (10, 10), (101, 200), (4_500, 5_000)]
)
def test_the_axis_ends_at_a_round_number(highest: float, top: float) -> None:
    assert ceiling(highest) == top


@given(st.floats(min_value=0, max_value=1e15))
def test_the_axis_holds_every_value_and_is_not_much_longer(highest: float) -> None:
    assert highest <= ceiling(highest) <= max(2.5 * highest, 1)


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (0.25, "0.25"), (20, "20"), (1_500, "1.5k"), (2e6, "2M"), (3e9, "3G")]
)
def test_values_of_an_axis_are_short(value: float, text: str) -> None:
    assert short(value) == text


@given(
    st.lists(st.one_of(st.none(), st.floats(min_value=0, max_value=1e12)), max_size=300),
    st.sampled_from([600_000, HOUR_MS, 24 * HOUR_MS]),
)
def test_whatever_is_drawn_is_well_formed_and_inside(values: Sequence[float | None], window_ms: int) -> None:
    step_ms = window_ms // max(len(values), 1)
    drawn = draw(plot(line(*values, step_ms=step_ms), window_ms=window_ms))

    assert len(elements(drawn, "rect", "spot")) <= 121
    for path in elements(drawn, "path"):
        numbers = [float(part) for part in path.get("d", "").replace("M", " ").replace("L", " ").split()]
        assert all(0 <= x <= 560 for x in numbers[::2])
        assert all(0 <= y <= 190 for y in numbers[1::2])


def test_a_lone_point_can_be_seen() -> None:
    points: list[Point] = [(FROM_MS + 1_000, 5.0)]

    (path,) = elements(draw(plot(Line(name="In", points=points))), "path")

    assert path.get("d", "").count("L") == 1


def test_attempts_are_bars_and_failed_ones_are_marked_besides_their_colour() -> None:
    drawn = draw_attempts([attempt(3), attempt(2, status=503, decision="retry", detail="<busy>"), attempt(1)])

    assert len(elements(drawn, "rect", "bar-delivered")) == 2
    assert len(elements(drawn, "rect", "bar-failed")) == 1
    assert texts(drawn, "text").count("\u00d7") == 1
    assert "3 attempts, of which 1 failed; they took between 10 and 30 ms." in texts(drawn, "desc")
    told = [bar[-1].text for bar in elements(drawn, "g", "bar")]
    assert told[1] == "2026-01-01 00:00:00 UTC\nHTTP 503: <busy>\n20 ms"


def test_of_very_many_attempts_the_newest_are_drawn() -> None:
    drawn = draw_attempts([attempt(number) for number in range(200, 0, -1)])

    bars = elements(drawn, "g", "bar")
    assert len(bars) == 50
    assert (bars[0][-1].text or "").endswith("1510 ms")
    assert (bars[-1][-1].text or "").endswith("2000 ms")
