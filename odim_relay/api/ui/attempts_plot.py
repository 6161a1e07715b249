"""
The last attempts of a subscription as bars, as SVG that stands in the page: how long each took, and which failed.
"""

from collections.abc import Sequence
from html import escape

from odim_relay.api.ui import words
from odim_relay.api.ui.plots import ceiling, short
from odim_relay.ports import AttemptRecord

_WIDTH, _HEIGHT = 560, 120
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 10, 14, 8
_MOST = 50
_TICKS = 2


def draw_attempts(attempts: Sequence[AttemptRecord]) -> str:
    """
    The `<svg>` element; the newest stands to the right.

    Args:
        attempts: newest first, at least one; of very many the newest are drawn.
    """
    drawn = list(attempts[:_MOST])[::-1]
    top_ms = ceiling(max(one.duration_ms for one in drawn))
    height = _HEIGHT - _TOP - _BOTTOM
    step = (_WIDTH - _LEFT - _RIGHT) / _MOST
    parts = [
        f'<svg class="plot" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-labelledby="bars-title bars-text">',
        '<title id="bars-title">How long the last attempts took, in milliseconds</title>',
        f'<desc id="bars-text">{escape(summary(drawn))}</desc>',
    ]
    for number in range(_TICKS + 1):
        y = _TOP + height * (1 - number / _TICKS)
        kind = "axis" if number == 0 else "grid"
        label = short(top_ms * number / _TICKS)
        parts.append(f'<line class="{kind}" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text class="tick" x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{label}</text>')
    first = _WIDTH - _RIGHT - step * len(drawn)
    for index, one in enumerate(drawn):
        is_well = one.decision == "delivered"
        tall = max(height * one.duration_ms / top_ms, 2)
        x, y = first + index * step, _TOP + height - tall
        told = f"{words.moment(one.ended_at_ms)} UTC\n{words.attempt_failure(one)}\n{one.duration_ms} ms"
        kind = "bar-delivered" if is_well else "bar-failed"
        parts.append(f'<g class="bar"><rect class="{kind}" x="{x + 1:.1f}" y="{y:.1f}" width="{step - 2:.1f}" ')
        parts.append(f'height="{tall:.1f}"/>')
        if not is_well:
            # Not by its colour alone.
            parts.append(
                f'<text class="cross" x="{x + step / 2:.1f}" y="{y - 3:.1f}" text-anchor="middle">\u00d7</text>'
            )
        parts.append(f"<title>{escape(words.shown(told))}</title></g>")
    parts.append("</svg>")
    return "".join(parts)


def summary(drawn: Sequence[AttemptRecord]) -> str:
    """
    What the bars show, in a sentence.
    """
    failed = sum(one.decision != "delivered" for one in drawn)
    durations = [one.duration_ms for one in drawn]
    shown = words.plural(len(drawn), "attempt")
    return f"{shown}, of which {failed} failed; they took between {min(durations)} and {max(durations)} ms."
