"""
Backup destinations: when the next one is called for, and what it means that all failed.

Source: EventDestination v1_16_0, BackupDestinations: tried in order when the destination is unreachable or answers
an error, until one is reached.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

from odim_relay.domain.outcome import Outcome, Standing, Verdict, standing_of, verdict_of

_SHORTEST_REST_S = 30.0
_LONGEST_REST_S = 300.0


@dataclass(frozen=True, slots=True, eq=False)
class Rest:
    """
    The time for which a destination that failed is passed over.
    """

    began_at_s: float
    length_s: float

    @classmethod
    def after(cls, rest: Self | None, now_s: float) -> Self:
        """
        The one that follows `rest`, twice as long; None: the first.
        """
        return cls(now_s, _SHORTEST_REST_S if rest is None else min(2 * rest.length_s, _LONGEST_REST_S))

    def again(self, now_s: float) -> Self:
        """
        As long a rest, from now on.
        """
        return replace(self, began_at_s=now_s)

    def is_over(self, now_s: float) -> bool:
        """
        Whether it ended; also where the clock was put back.
        """
        return not 0 <= now_s - self.began_at_s < self.length_s


def calls_for_rest(outcome: Outcome) -> bool:
    """
    Whether the destination itself is in trouble. Who refuses one event for good may well take the next.
    """
    return verdict_of(outcome) in {Verdict.TRANSIENT, Verdict.GONE}


@dataclass(frozen=True, slots=True)
class Tried:
    """
    One destination that failed; `number` is 0 for the one that was meant, from 1 for its backups.
    """

    number: int
    outcome: Outcome

    @property
    def _in_words(self) -> str:
        name = f"backup {self.number}" if self.number else "destination"
        return f"{name}: {self.outcome.detail or 'failed'}"


def outcome_of_all(tried: Sequence[Tried]) -> Outcome:
    """
    Sum up what came of one attempt in which every destination failed.

    It is the most hopeful outcome that counts: the first transient one, those that were reached before the others; else
    the first. The details tell of all.

    Args:
        tried: at least one, in order.

    Returns:
        with a `Retry-After` only when all transient ones have it: who does not ask to wait may be asked earlier.
    """
    if len(tried) == 1 and not tried[0].number:
        return tried[0].outcome
    transient = [one.outcome for one in tried if verdict_of(one.outcome) is Verdict.TRANSIENT]
    reached = [outcome for outcome in transient if standing_of(outcome) is not Standing.UNREACHABLE]
    counts = (reached or transient or [tried[0].outcome])[0]
    waits = [outcome.retry_after_s for outcome in transient if outcome.retry_after_s is not None]
    return replace(
        counts,
        detail="; ".join(one._in_words for one in tried),  # noqa: SLF001 - this module's own
        retry_after_s=min(waits) if waits and len(waits) == len(transient) else None,
        duration_s=sum(one.outcome.duration_s for one in tried),
        is_unsent=all(one.outcome.is_unsent for one in tried),
    )
