"""
From a Kafka record to its deliveries: what a person wants to know whose event did not arrive.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from odim_relay.domain.identity import delivery_id, event_id
from odim_relay.errors import PermanentError
from odim_relay.ports import (
    AttemptListing,
    AttemptRecord,
    DeliveryListing,
    DeliveryRecord,
    Position,
    QuarantineListing,
    TopicPartition,
)


class RecordNotReadError(PermanentError):
    """
    It cannot be told what became of a record: it was not taken in, or of another incarnation of its topic.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """
    What is known of the delivery that a record made for one subscription.

    Attributes:
        delivery_id: what the subscriber gets as `webhook-id`; the delivery need not have been.
        record: None when it is not in the ledger.
        last_attempt: the last that is remembered; None without any.
    """

    subscription_id: str
    delivery_id: str
    record: DeliveryRecord | None
    last_attempt: AttemptRecord | None

    @property
    def is_known(self) -> bool:
        """
        Whether anything of it is left to be seen.
        """
        return self.record is not None or self.last_attempt is not None


class FollowRecord:
    """
    Reads only. An Event that was divided is not found by this: its parts have names of their own.
    """

    def __init__(
        self,
        *,
        positions: Mapping[TopicPartition, Position],
        deliveries: DeliveryListing,
        attempts: AttemptListing,
        quarantine: QuarantineListing,
    ) -> None:
        self._positions = positions
        self._deliveries = deliveries
        self._attempts = attempts
        self._quarantine = quarantine

    def quarantined(self, partition: TopicPartition, offset: int) -> str | None:
        """
        The id of its quarantine entry; None without one.

        Raises:
            TransientError: Redis cannot be reached.
        """
        position = self._positions.get(partition)
        if position is None:
            return None
        entry_id = f"{position.topic_epoch}/{partition.topic}/{partition.partition}/{offset}"
        return None if self._quarantine.entry(entry_id) is None else entry_id

    def __call__(self, partition: TopicPartition, offset: int, subscription_ids: Iterable[str]) -> Iterator[Followed]:
        """
        Tell of its first Event and each of these subscriptions, one after the other.

        Raises:
            RecordNotReadError: it was not taken in.
            TransientError: Redis cannot be reached.
        """
        position = self._positions.get(partition)
        where = f"{partition.topic}/{partition.partition}"
        if position is None:
            raise RecordNotReadError(f"nothing of {where} was ever taken in: see `odim-relay offsets show`")
        if offset >= position.offset:
            behind = offset - position.offset
            raise RecordNotReadError(
                f"{where} is taken in up to {position.offset}: {offset} is not yet, with {behind} before it; see "
                "`odim-relay offsets show`"
            )
        event = event_id(position.topic_epoch, partition.topic, partition.partition, offset, 0)
        return (self._followed(subscription_id, event) for subscription_id in subscription_ids)

    def _followed(self, subscription_id: str, event: str) -> Followed:
        name = delivery_id(event, subscription_id)
        record = self._deliveries.delivery(name)
        attempts = self._attempts.of_delivery(name) or [
            one for one in self._attempts.of_subscription(subscription_id) if one.delivery_id == name
        ]
        return Followed(
            subscription_id=subscription_id,
            delivery_id=name,
            record=record,
            last_attempt=attempts[0] if attempts else None,
        )
