"""
Names that stay the same however often a Kafka record is read (ledger rule L3).
"""

from collections.abc import Iterable, Sequence
from uuid import UUID, uuid5

_NAMESPACE = UUID("8f0c6c1e-7f0b-5d5e-9a53-0d6f6f64696d")


def event_id(topic_epoch: str, topic: str, partition: int, offset: int, index: int) -> str:
    """
    Name the Event at `index` within one Kafka record.

    `topic_epoch` tells a topic from one of the same name that was deleted and made again (L11).
    """
    return str(uuid5(_NAMESPACE, f"{topic_epoch}/{topic}/{partition}/{offset}/{index}"))


def imported_event_id(key: str) -> str:
    """
    Name the event that ODIM keeps under this key in its Redis.
    """
    return str(uuid5(_NAMESPACE, f"odim/{key}"))


def delivery_id(event: str, subscription: str) -> str:
    """
    Name the delivery of an event to a subscription; the subscriber sees it as `webhook-id`.
    """
    return str(uuid5(_NAMESPACE, f"{event}/{subscription}"))


def batch_id(deliveries: Sequence[str]) -> str:
    """
    Name a request that carries these deliveries, in this order; of a single one its own name.
    """
    return deliveries[0] if len(deliveries) == 1 else str(uuid5(_NAMESPACE, "+".join(deliveries)))


def part_id(event: str, subscription: str, records: Iterable[int]) -> str:
    """
    Name the delivery of a part of an event, by the indices of its EventRecords.
    """
    return str(uuid5(_NAMESPACE, f"{event}/{subscription}/{'+'.join(map(str, records))}"))
