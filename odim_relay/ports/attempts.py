"""
What attempts were made: an observation, beside the ledger and never part of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRecord:
    """
    How one attempt ended. Nothing in it is secret: no body, header value, user-info or query.

    Attributes:
        delivery_id: whose attempt it was; with others in one request, the one that they went with.
        attempt: 1 for the first over the life of that delivery.
        ended_at_ms: by the clock of the worker, milliseconds since the epoch.
        status: HTTP status; None when there was no answer.
        failure: a `Failure`, or one of a newer version; empty when there was an answer.
        detail: one line for a person; empty for a success.
        destination: the subscription's, without user-info and query.
        address: `address:port` that the last connection of the attempt was made to, or tried: that of the proxy, where
            there is one; empty when there was none.
        decision: `delivered`, `retry`, `parked:<reason>`, or `suspended`.
        event_count: deliveries that went in the request; more than 1 in a batch.
    """

    subscription_id: str
    delivery_id: str
    attempt: int
    ended_at_ms: int
    status: int | None = None
    failure: str = ""
    detail: str = ""
    duration_ms: int
    destination: str
    address: str = ""
    decision: str
    event_count: int = 1


class AttemptListing(Protocol):
    """
    The last attempts, for people. Bounded in number, memory and age: what is not told may still have been. They are
    told about a second after they ended; what a killed worker had not told by then is lost.
    """

    def of_delivery(self, delivery_id: str) -> Sequence[AttemptRecord]:
        """
        Read the last attempts of a delivery, newest first: of one that failed at least once, also after it left. Those
        that it made in another one's request are told as that one's.
        """
        ...

    def of_subscription(self, subscription_id: str) -> Sequence[AttemptRecord]:
        """
        Read the last attempts of a subscription, newest first, successes too.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptAttempt:
    """
    An attempt to be remembered.

    Attributes:
        for_subscription: in its subscription's history, too.
        delivery_ids: in whose histories.
        only_if_known: of these only where there is one already.
    """

    record: AttemptRecord
    for_subscription: bool
    delivery_ids: tuple[str, ...] = ()
    only_if_known: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptBatch:
    """
    What one worker process noted since its last batch.

    Attributes:
        number: higher than that of every earlier batch of this process.
        attempts: oldest first.
        sums: what is to be added, by the names of `domain.measures`.
    """

    number: int
    attempts: Sequence[KeptAttempt]
    sums: Mapping[str, int]


class AttemptStore(Protocol):
    """
    Remembers attempts, for `AttemptListing` and `LedgerFigures.measures`. One for each worker process.
    """

    def keep(self, batch: AttemptBatch) -> None:
        """
        Remember a batch and let the oldest go that are too many. A batch that was kept already is not kept again, so
        that repeating it is harmless. Of a deleted subscription nothing is remembered.
        """
        ...
