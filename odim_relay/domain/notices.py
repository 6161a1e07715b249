"""
Changes of the relay itself that people want to hear of, and how many of them are told.

Each is told once. Of what changes again and again only the first ones are, and then, from time to time, what stands: no
flapping becomes a storm, and nobody is left with a state that ended.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

MOST_TOLD = 10
"""
Of one topic, in one spell.
"""
SPELL_S = 600.0


class ChangeKind(StrEnum):
    """
    What changed: of a destination, of a subscription, of the quarantine.
    """

    BREAKER_OPENED = "breaker_opened"
    BREAKER_CLOSED = "breaker_closed"
    SUSPENDED = "suspended"
    RESUMED = "resumed"
    TERMINATED = "terminated"
    BUFFER_EXCEEDED = "buffer_exceeded"
    QUARANTINE_GROWING = "quarantine_growing"


_TOPICS = {
    ChangeKind.BREAKER_OPENED: "breaker",
    ChangeKind.BREAKER_CLOSED: "breaker",
    ChangeKind.SUSPENDED: "subscription",
    ChangeKind.RESUMED: "subscription",
    ChangeKind.TERMINATED: "subscription",
    ChangeKind.BUFFER_EXCEEDED: "buffer",
    ChangeKind.QUARANTINE_GROWING: "quarantine",
}
_TURNS = frozenset({"breaker", "subscription"})
"""
Topics of two states in turn: of what stands as it was told last nothing is to be told.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """
    One change.

    Attributes:
        number: rises from change to change.
        subject: id of the destination or subscription; empty for the quarantine.
        detail: why, or how many, as the kind has it; may be empty.
        noted_at_ms: milliseconds since the epoch.
        after: where it is for very many subscriptions and was written to some of them: the last of these.
    """

    number: int
    kind: ChangeKind
    subject: str = ""
    detail: str = ""
    noted_at_ms: int = 0
    after: str = ""

    @property
    def topic(self) -> str:
        """
        What is told of in one spell.
        """
        return f"{_TOPICS[self.kind]}:{self.subject}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """
    What is to be done about some changes of one topic.

    Attributes:
        told: the one to be told; None when there is nothing to tell.
        along: those that need not be told any more.
    """

    told: Change | None
    along: tuple[Change, ...] = ()


def plan(changes: Iterable[Change], told_lately: Mapping[str, int]) -> list[Step]:
    """
    What is to be done now, in the order of the changes; before all else what was begun. What is left out waits for its
    topic's next spell.

    Args:
        changes: all that nobody was told of, in any order.
        told_lately: by topic, how many were told in the spell that runs; absent is none.
    """
    steps: list[Step] = []
    for topic, members in groupby(sorted(changes, key=lambda one: (one.topic, one.number)), lambda one: one.topic):
        some = list(members)
        room = MOST_TOLD - told_lately.get(topic, 0)
        begun = next((index for index, change in enumerate(some) if change.after), None)
        if begun is not None:  # all of its readers get it, and for what it stands it does still
            steps.append(Step(told=some[begun], along=tuple(some[:begun])))
        elif len(some) <= room:
            steps += [Step(told=change) for change in some]
        elif room > 0:
            steps.append(_at_once(some))
    return sorted(steps, key=_order)


def _at_once(changes: Sequence[Change]) -> Step:
    """
    One for all of them: what stands now, or nothing where that is what was told last.
    """
    first, last = changes[0], changes[-1]
    takes_turns = _TOPICS[last.kind] in _TURNS and last.kind is not ChangeKind.TERMINATED
    if takes_turns and last.kind is not first.kind:
        return Step(told=None, along=tuple(changes))
    return Step(told=last, along=tuple(changes[:-1]))


def _order(step: Step) -> tuple[bool, int]:
    is_begun = step.told is not None and bool(step.told.after)
    newest = step.told or step.along[-1]
    return not is_begun, newest.number
