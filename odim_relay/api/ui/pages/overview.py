"""
The first page: what is wrong now, how much goes through, and how that was lately.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from odim_relay.api import store_answers
from odim_relay.api.ui import standing, words
from odim_relay.api.ui.listing import Row, Wish
from odim_relay.api.ui.plots import Line, Plot
from odim_relay.api.ui.routes import Page
from odim_relay.api.ui.standing import Standing
from odim_relay.api.ui.uris import QUARANTINE, UI, subscription_uri
from odim_relay.api.ui.visit import PageReply, Visit
from odim_relay.domain.circuit_breaker import Breaker
from odim_relay.domain.sample import INTERVAL_S, Point, Sample, latencies, latency_s, rate_per_s, rates, thinned

WINDOWS_S: Mapping[str, int] = MappingProxyType({"10m": 600, "1h": 3_600, "6h": 21_600, "24h": 86_400})
_WINDOW_WORDS = MappingProxyType({"10m": "10 minutes", "1h": "hour", "6h": "6 hours", "24h": "day"})
_DEFAULT_WINDOW = "1h"
_MOST_POINTS = 240
_MOST_NAMED = 5
_OLD_S = 900.0
_REFRESH_S = 2.0
_AS_TEXT: Mapping[str, Callable[[float], str]] = {"per second": words.rate, "s": words.seconds}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """
    Something that is wrong now.

    Attributes:
        links: what it is about, by name; more than these are in `more`.
    """

    health: words.Health
    text: str
    links: Sequence[tuple[str, str]] = ()
    more: tuple[str, str] | None = None


def show(visit: Visit) -> PageReply:
    """
    The overview.
    """
    window = visit.query.get("window", "")
    window = window if window in WINDOWS_S else _DEFAULT_WINDOW
    found = standing.standing()
    now = found.sample
    before = standing.earlier_sample(now)
    troubles = list(troubles_of(found, before))
    for one in store_answers.unreachable() or ():
        troubles.insert(0, Trouble(health=words.Health.BAD, text=f"{one.store} cannot be reached: {one.reason}"))
    troubles.sort(key=lambda trouble: -words.RANKS[trouble.health])
    return PageReply(
        template="overview.html",
        values={
            "troubles": troubles,
            "figures": figures_of(found, before),
            "plots": plots_of(standing.recent_samples(int(WINDOWS_S[window] / INTERVAL_S)), now, WINDOWS_S[window]),
            "window": window,
            "windows": _WINDOW_WORDS,
            "partitions": store_answers.partitions(),
            "now_ms": now.at_ms,
        },
        every_s=_REFRESH_S,
    )


def figures_of(found: Standing, before: Sample | None) -> list[tuple[str, str, str]]:
    """
    The figures in large: name, value, what it is of.
    """
    now = found.sample
    return [
        ("Taken in", words.rate(_rate(before, now, lambda one: one.ingested_count)), "events per second"),
        ("Delivered", words.rate(_rate(before, now, lambda one: one.delivered_count)), "deliveries per second"),
        ("Failed", words.rate(_rate(before, now, lambda one: one.failed_count)), "attempts per second"),
        ("Latency", _latency(before, now, 0.5), f"median; 95 % within {_latency(before, now, 0.95)}"),
        ("Queue", words.count(now.queue_depth), "tasks in the broker"),
        ("Kafka lag", words.count(now.lag), "records not taken in"),
        ("Under way", words.count(now.active_count), "deliveries queued, sent or retried"),
        ("Waiting", words.count(now.waiting_count), "deliveries until their turn"),
        ("Dead letters", words.count(now.dead_letter_count), "deliveries that failed"),
        (
            "Workers",
            words.count(now.worker_count),
            f"at work in the last minute, {words.plural(found.slot_count, 'slot')}",
        ),
    ]


def _latency(before: Sample | None, now: Sample, share: float) -> str:
    found = None if before is None else latency_s(before, now, share)
    return "\N{EN DASH}" if found is None else words.span(found)


def _rate(before: Sample | None, now: Sample, count: Callable[[Sample], int | None]) -> float | None:
    return None if before is None else rate_per_s(before, now, count)


def troubles_of(found: Standing, before: Sample | None) -> Iterator[Trouble]:
    """
    What is wrong now; nothing when all is well.
    """
    bad, warning = words.Health.BAD, words.Health.WARNING
    now = found.sample
    if not found.is_enabled:
        yield Trouble(health=bad, text="The EventService is disabled: everything is collected and nothing is sent")
    if not found.has_beat:
        yield Trouble(
            health=bad, text="Nobody sends the schedule, so nothing is replayed or repaired: is beat running?"
        )
    if now.worker_count == 0 and (now.queue_depth or 0) > 0:
        yield Trouble(
            health=bad,
            text=f"No worker was at work in the last minute; queued: {words.plural(now.queue_depth or 0, 'task')}",
        )
    if now.lag and before is not None and before.lag and now.ingested_count == before.ingested_count:
        yield Trouble(
            health=bad,
            text=f"Nothing is taken in, and Kafka holds {words.plural(now.lag, 'record')} more: is a bridge running?",
        )
    yield from _of_rows(bad, "Destinations that fail", [row for row in found.rows if _is_down(row)])
    yield from _of_rows(bad, "Suspended because they failed", [row for row in found.rows if _is_given_up(row)])
    yield from _of_rows(
        bad, "Secrets that no key of ours opens", [row for row in found.rows if row.subscription.sealed_by]
    )
    yield from _of_rows(
        warning,
        "Events have waited for long",
        [
            row
            for row in found.rows
            if not row.status.flow.suspended_by
            and not _is_down(row)
            and (row.status.oldest_age_s or 0) > _OLD_S
            and row.status.waiting_count
        ],
    )
    yield from _of_rows(warning, "Dead letters", [row for row in found.rows if row.status.dead_letter_count])
    yield from _of_rows(
        words.Health.PAUSED,
        "Suspended by hand",
        [row for row in found.rows if row.status.flow.suspended_by == "by_hand"],
    )
    if found.quarantined_count:
        text = f"Could not be understood: {words.plural(found.quarantined_count, 'record')}"
        yield Trouble(health=warning, text=text, links=[("Quarantine", QUARANTINE)])


def _is_down(row: Row) -> bool:
    return row.status.destination.breaker is not Breaker.CLOSED and not row.status.flow.suspended_by


def _is_given_up(row: Row) -> bool:
    return row.status.flow.suspended_by not in {"", "by_hand"}


def _of_rows(health: words.Health, text: str, rows: Sequence[Row]) -> Iterator[Trouble]:
    if not rows:
        return
    first = sorted(rows, key=lambda row: -(row.status.waiting_count + row.status.dead_letter_count))[:_MOST_NAMED]
    links = [
        (row.subscription.name or row.subscription.subscription_id, subscription_uri(row.subscription.subscription_id))
        for row in first
    ]
    more = (
        (f"and {words.count(len(rows) - len(first))} more", Wish(is_troubled=True).uri())
        if len(rows) > len(first)
        else None
    )
    yield Trouble(health=health, text=f"{text}: {words.plural(len(rows), 'subscription')}", links=links, more=more)


def plots_of(recent: Sequence[Sample], now: Sample, window_s: int) -> list[Plot]:
    """
    How it was over a span of time, until now.
    """
    since_ms = now.at_ms - window_s * 1000
    within = [sample for sample in recent if since_ms <= sample.at_ms < now.at_ms]
    samples = [*thinned(within, _MOST_POINTS), now]

    def plot(plot_id: str, title: str, unit: str, lines: Mapping[str, Sequence[Point]]) -> Plot:
        return Plot(
            plot_id=plot_id,
            title=title,
            unit=unit,
            lines=[Line(name=name, points=points) for name, points in lines.items()],
            from_ms=since_ms,
            until_ms=now.at_ms,
            as_text=_AS_TEXT.get(unit, words.count),
        )

    return [
        plot(
            "rates",
            "Throughput, per second",
            "per second",
            {
                "Taken in": list(rates(samples, lambda one: one.ingested_count)),
                "Delivered": list(rates(samples, lambda one: one.delivered_count)),
                "Failed": list(rates(samples, lambda one: one.failed_count)),
            },
        ),
        plot(
            "latency",
            "Latency: from Kafka to the subscriber's answer, in seconds",
            "s",
            {"Median": list(latencies(samples, 0.5)), "95 %": list(latencies(samples, 0.95))},
        ),
        plot(
            "deliveries",
            "Deliveries that are not done",
            "deliveries",
            {
                "Under way": _gauge(samples, lambda one: one.active_count),
                "Waiting": _gauge(samples, lambda one: one.waiting_count),
                "Dead letters": _gauge(samples, lambda one: one.dead_letter_count),
            },
        ),
        plot(
            "before",
            "Queue, and Kafka's lag",
            "of them",
            {
                "Tasks in the queue": _gauge(samples, lambda one: one.queue_depth),
                "Records not taken in": _gauge(samples, lambda one: one.lag),
            },
        ),
    ]


def _gauge(samples: Sequence[Sample], value: Callable[[Sample], int | None]) -> list[Point]:
    return [(sample.at_ms, value(sample)) for sample in samples]


PAGES = (Page(path=UI, handlers={"GET": show}),)
