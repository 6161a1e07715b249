"""
Where reading a partition starts: at the ledger's position, never at Kafka's own (L10 to L12).
"""

from collections.abc import Callable, Sequence

from odim_relay.domain.topic_epoch import TopicOrigin
from odim_relay.errors import PermanentError, TransientError
from odim_relay.ports import IngestLedger, Position, RecordSource, TopicEpoch, TopicPartition
from odim_relay.telemetry import logger

log = logger(__name__)

_OWN = "+"


class LedgerMissingError(PermanentError):
    """
    The consumer group has committed offsets, and this ledger knows nothing of them: reading on would hide a loss (L12).
    """


def check_ledger(ledger: IngestLedger, source: RecordSource) -> str:
    """
    Check that the ledger is the one behind the group's commits.

    Returns:
        the ledger's birth id.

    Raises:
        LedgerMissingError: it is another, or an empty one.
        TransientError: a store cannot be reached.
    """
    commits = source.committed(source.partitions())
    if commits and not ledger.is_born():
        raise LedgerMissingError(
            "Redis holds no ledger, but the consumer group has committed offsets in Kafka: Redis was emptied, or "
            "REDIS__URL or REDIS__KEY_PREFIX points elsewhere. If the ledger is truly gone, say where to start with "
            "`odim-relay offsets reset`"
        )
    birth = ledger.birth()
    strangers = sorted(
        f"{partition.topic}/{partition.partition}"
        for partition, commit in commits.items()
        if commit.metadata and commit.metadata != birth
    )
    if strangers:
        raise LedgerMissingError(
            f"the offsets committed for {', '.join(strangers)} belong to another ledger than the one in Redis: it was "
            "restored from elsewhere, or REDIS__URL points to the wrong server. If this ledger is the right one, say "
            "where to start with `odim-relay offsets reset`"
        )
    for partition, commit in commits.items():
        if ledger.position(partition) is None:
            raise LedgerMissingError(
                f"the ledger has no position for {partition.topic}/{partition.partition}, but offset {commit.offset} "
                "is committed for it in Kafka. Say where to start with `odim-relay offsets reset`"
            )
    return birth


def check_birth(ledger: IngestLedger, birth: str) -> None:
    """
    Check, in a running bridge, that the ledger is still the one of its start.

    Raises:
        LedgerMissingError: it was emptied, or another server answers.
        TransientError: it cannot be reached.
    """
    if not ledger.is_born() or ledger.birth() != birth:
        raise LedgerMissingError(
            "the ledger that this bridge wrote to is gone: Redis was emptied, or another server answers in its place. "
            "If it is truly gone, say where to start with `odim-relay offsets reset`"
        )


class StartPositions:
    """
    Decides, for partitions that were assigned, where their reading starts, and stores a first position before it does.
    """

    def __init__(self, *, ledger: IngestLedger, source: RecordSource, new_id: Callable[[], str]) -> None:
        """
        Args:
            new_id: gives a uuid4.
        """
        self._ledger = ledger
        self._source = source
        self._new_id = new_id

    def of(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, Position]:
        """
        Give each partition the position to read from.

        Raises:
            TransientError: a store cannot be reached, or another bridge wrote a position meanwhile: ask again.
        """
        epochs = {topic: self._epoch(topic) for topic in sorted({partition.topic for partition in partitions})}
        return {partition: self._start(partition, epochs[partition.topic]) for partition in partitions}

    def _epoch(self, topic: str) -> str:
        origin = self._source.origin(topic)
        known = self._ledger.topic_epoch(topic)
        if known is not None and TopicOrigin.from_text(known.origin).is_same_as(origin):
            return known.topic_epoch
        fresh = TopicEpoch(topic_epoch=self._new_id(), origin=origin.to_text())
        if known is not None:
            log.warning(
                "topic.recreated", topic=topic, was=known.origin, now=fresh.origin, action="reading it from its start"
            )
        return self._ledger.set_topic_epoch(topic, known.topic_epoch if known else "", fresh).topic_epoch

    def _start(self, partition: TopicPartition, topic_epoch: str) -> Position:
        low, high = self._source.bounds(partition)
        stands = self._ledger.position(partition)
        # A partition whose log ended before the ledger's offset has an epoch of its own, under its topic's.
        is_current = stands is not None and stands.topic_epoch.partition(_OWN)[0] == topic_epoch
        if stands is not None and is_current and stands.offset <= high:
            if stands.offset < low:
                self._tell_removed(partition, low - stands.offset)
            return stands
        start = Position(topic_epoch=topic_epoch, offset=low)
        if stands is not None and is_current:
            log.warning(
                "topic.recreated",
                topic=partition.topic,
                partition=partition.partition,
                detail=f"the ledger stands at offset {stands.offset}, behind the log's end at {high}",
                action="reading the partition from its start",
            )
            start = Position(topic_epoch=f"{topic_epoch}{_OWN}{self._new_id()}", offset=low)
        if not self._ledger.set_position(partition, stands, start):
            raise TransientError(f"another bridge moved the position of {partition.topic}/{partition.partition}")
        return start

    @staticmethod
    def _tell_removed(partition: TopicPartition, count: int) -> None:
        log.error(
            "records.removed",
            topic=partition.topic,
            partition=partition.partition,
            count=count,
            detail="Kafka's retention removed records that were never taken in",
        )
