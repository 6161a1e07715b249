"""
Plots over time, as SVG that stands in the page: drawn here, so that nothing is to be loaded, and without a style of its
own, so that the page's one counts, in the dark too.
"""

import math
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape

from odim_relay.domain.sample import Point, breaks

_WIDTH, _HEIGHT = 560, 190
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 10, 10, 26
_Y_TICKS = 4
_X_TICKS = 5
_MOST_SPOTS = 120
_ROUND_MINUTES = (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1_440)
_SHORT = ((1e9, "G"), (1e6, "M"), (1e3, "k"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """
    One line of a plot.

    Attributes:
        points: in the order of time; a value of None is a gap.
    """

    name: str
    points: Sequence[Point]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """
    What a plot shows.

    Attributes:
        plot_id: unique on its page, for the references in it.
        unit: in words that follow a value: `per second`.
        from_ms, until_ms: the span of time, whatever the points cover.
        as_text: how a value is told.
    """

    plot_id: str
    title: str
    unit: str
    lines: Sequence[Line]
    from_ms: int
    until_ms: int
    as_text: Callable[[float], str] = lambda value: f"{value:,.1f}"


def draw(plot: Plot) -> str:
    """
    The `<svg>` element. Who does not see it is told the same in a sentence; who points at it, each moment's values.
    """
    # Each line with its own gaps, before they are looked at together.
    lines = [Line(name=line.name, points=breaks(line.points)) for line in plot.lines]
    highest = max((value for line in lines for _, value in line.points if value is not None), default=0.0)
    top = ceiling(highest)
    across = _Scale(plot.from_ms, plot.until_ms, _LEFT, _WIDTH - _RIGHT)
    up = _Scale(0, top, _HEIGHT - _BOTTOM, _TOP)
    label, text = f"{plot.plot_id}-title", f"{plot.plot_id}-text"
    parts = [
        f'<svg class="plot" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-labelledby="{label} {text}">',
        f'<title id="{label}">{escape(plot.title)}</title>',
        f'<desc id="{text}">{escape(summary(plot))}</desc>',
        *_grid(up, top),
        *_times(across, plot.from_ms, plot.until_ms),
        *(_path(line, across, up, number) for number, line in enumerate(lines, 1)),
        *_spots(plot, across),
        "</svg>",
    ]
    return "".join(parts)


def summary(plot: Plot) -> str:
    """
    What the plot shows, in a sentence for each line.
    """
    told = []
    for line in plot.lines:
        values = [value for _, value in line.points if value is not None]
        if values:
            least, most, last = (plot.as_text(value) for value in (min(values), max(values), values[-1]))
            told.append(f"{line.name}: {last} {plot.unit} at the end, between {least} and {most}.")
        else:
            told.append(f"{line.name}: nothing known.")
    return " ".join(told)


@dataclass(frozen=True, slots=True)
class _Scale:
    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        share = (value - self.low) / ((self.high - self.low) or 1)
        return self.start + min(max(share, 0.0), 1.0) * (self.end - self.start)


def ceiling(highest: float) -> float:
    """
    The least round number that is not below; at least 1.
    """
    if highest <= 1:
        return 1.0
    size = 10 ** math.floor(math.log10(highest))
    return float(next(size * step for step in (1, 2, 4, 5, 8, 10) if size * step >= highest))


def _grid(up: _Scale, top: float) -> list[str]:
    parts = []
    for number in range(_Y_TICKS + 1):
        value = top * number / _Y_TICKS
        y = up(value)
        kind = "axis" if number == 0 else "grid"
        parts.append(f'<line class="{kind}" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text class="tick" x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{short(value)}</text>')
    return parts


def short(value: float) -> str:
    """
    A value for an axis: `1.5k`.
    """
    for size, unit in _SHORT:
        if value >= size:
            return f"{value / size:.3g}{unit}"
    return f"{value:.3g}"


def _times(across: _Scale, from_ms: int, until_ms: int) -> list[str]:
    minutes = max((until_ms - from_ms) / 60_000, 1)
    step_ms = 60_000 * next((step for step in _ROUND_MINUTES if minutes / step <= _X_TICKS), _ROUND_MINUTES[-1])
    parts = []
    for at_ms in range(-(-from_ms // step_ms) * step_ms, until_ms + 1, step_ms):
        x = across(at_ms)
        if not _LEFT + 14 <= x <= _WIDTH - _RIGHT - 14:
            continue  # it would reach beyond the plot
        parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{_HEIGHT - _BOTTOM}"/>')
        parts.append(f'<text class="tick" x="{x:.1f}" y="{_HEIGHT - 8}" text-anchor="middle">{_clock(at_ms)}</text>')
    return parts


def _path(line: Line, across: _Scale, up: _Scale, number: int) -> str:
    steps: list[str] = []
    pen = "M"
    for at_ms, value in line.points:
        if value is None:
            pen = "M"
            continue
        # A lone point is a dot: its line has no length, and round ends.
        place = f"{across(at_ms):.1f} {up(value):.1f}"
        steps.append(f"{pen}{place}" if pen == "L" else f"M{place}L{place}")
        pen = "L"
    return f'<path class="line line-{number}" d="{"".join(steps)}"/>' if steps else ""


def _spots(plot: Plot, across: _Scale) -> list[str]:
    """
    A column for each moment, with its values as what browsers show when one points at it.
    """
    known = [[(at_ms, value) for at_ms, value in line.points if value is not None] for line in plot.lines]
    moments = sorted({at_ms for points in known for at_ms, _ in points})
    if not moments:
        return []
    every = math.ceil(len(moments) / _MOST_SPOTS)
    chosen = moments[::-1][::every][::-1]
    by_time = [dict(points) for points in known]
    edges = [across(at_ms) for at_ms in chosen]
    parts = []
    for index, at_ms in enumerate(chosen):
        left = (edges[index - 1] + edges[index]) / 2 if index else edges[index] - 2
        right = (edges[index] + edges[index + 1]) / 2 if index + 1 < len(edges) else edges[index] + 2
        values = [
            f"{line.name}: {plot.as_text(found)} {plot.unit}"
            for line, points in zip(plot.lines, by_time, strict=True)
            if (found := _nearest(points, at_ms)) is not None
        ]
        told = escape("\n".join([f"{_clock(at_ms, seconds=True)} UTC", *values]))
        parts.append(
            f'<rect class="spot" x="{left:.1f}" y="{_TOP}" width="{max(right - left, 1):.1f}" '
            f'height="{_HEIGHT - _BOTTOM - _TOP}"><title>{told}</title></rect>'
        )
    return parts


def _nearest(points: dict[int, float], at_ms: int) -> float | None:
    if at_ms in points:
        return points[at_ms]
    times = list(points)
    index = bisect_left(times, at_ms)
    return points[times[index - 1]] if index and index < len(times) else None


def _clock(at_ms: int, *, seconds: bool = False) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):{'%H:%M:%S' if seconds else '%H:%M'}}"
