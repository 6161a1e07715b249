"""
Where ingest stands, and starting it elsewhere by hand (L12).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from odim_relay.errors import PermanentError, TransientError
from odim_relay.ports import Action, Commit, ConsumerGroup, IngestLedger, Position, RecordSource, TopicPartition
from odim_relay.telemetry import logger
from odim_relay.use_cases.audit import NOT_KEPT, Audit
from odim_relay.use_cases.start import LedgerMissingError, StartPositions, check_ledger

log = logger(__name__)

_TOLD = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionOffsets:
    """
    Where one partition stands.

    Attributes:
        ledger: None when it was never taken in.
        committed: None when the group has committed nothing for it.
        first, end: of what Kafka holds: the first record, and the next that will come.
    """

    partition: TopicPartition
    ledger: Position | None
    committed: Commit | None
    first: int
    end: int


@dataclass(frozen=True, slots=True)
class Earliest:
    """
    The first record that Kafka still holds.
    """


@dataclass(frozen=True, slots=True)
class Latest:
    """
    The next record that will come: what lies before it is never taken in.
    """


@dataclass(frozen=True, slots=True)
class AtOffset:
    """
    One offset; it must lie within what Kafka holds.
    """

    offset: int


@dataclass(frozen=True, slots=True)
class AtTime:
    """
    The first record at or after an instant, milliseconds since the epoch; the end where there is none.
    """

    time_ms: int


Target: TypeAlias = Earliest | Latest | AtOffset | AtTime


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """
    One partition's new start.
    """

    stands: PartitionOffsets
    offset: int


def read_offsets(ledger: IngestLedger, source: RecordSource) -> list[PartitionOffsets]:
    """
    Compare the ledger with Kafka, partition by partition, in order.
    """
    partitions = list(source.partitions())
    commits = source.committed(partitions)
    found = []
    for partition in partitions:
        first, end = source.bounds(partition)
        found.append(
            PartitionOffsets(
                partition=partition,
                ledger=ledger.position(partition),
                committed=commits.get(partition),
                first=first,
                end=end,
            )
        )
    return found


class ResetOffsets:
    """
    Makes bridges start elsewhere. Records that are read again make the deliveries that they made before: subscribers
    see the same `webhook-id`, unless the ledger was lost.
    """

    def __init__(
        self,
        *,
        ledger: IngestLedger,
        source: RecordSource,
        group: ConsumerGroup,
        new_id: Callable[[], str],
        audit: Audit = NOT_KEPT,
    ) -> None:
        """
        Args:
            new_id: gives a uuid4.
        """
        self._audit = audit
        self._ledger = ledger
        self._source = source
        self._group = group
        self._new_id = new_id

    def plan(self, target: Target, wants: Callable[[TopicPartition], bool]) -> list[Move]:
        """
        Find the new start of each partition that `wants` names; changes nothing.

        Raises:
            PermanentError: there is none, or the offset lies outside of what Kafka holds.
        """
        chosen = [stands for stands in read_offsets(self._ledger, self._source) if wants(stands.partition)]
        if not chosen:
            raise PermanentError("Kafka has no such partition of the topics in KAFKA__TOPICS")
        return [Move(stands=stands, offset=offset) for stands, offset in self._offsets(chosen, target)]

    def _offsets(self, chosen: Sequence[PartitionOffsets], target: Target) -> list[tuple[PartitionOffsets, int]]:
        match target:
            case Earliest():
                return [(stands, stands.first) for stands in chosen]
            case Latest():
                return [(stands, stands.end) for stands in chosen]
            case AtOffset(offset=offset):
                for stands in chosen:
                    if not stands.first <= offset <= stands.end:
                        raise PermanentError(
                            f"offset {offset} is not in {stands.partition.topic}/{stands.partition.partition}, "
                            f"which holds {stands.first} to {stands.end}"
                        )
                return [(stands, offset) for stands in chosen]
            case AtTime(time_ms=time_ms):
                at = self._group.offsets_at([stands.partition for stands in chosen], time_ms)
                return [(stands, _or_end(at.get(stands.partition), stands)) for stands in chosen]

    def refuse_if_active(self) -> None:
        """
        Raises:
            PermanentError: a bridge is in the group, or Kafka does not tell; it would go on from where it is.
        """
        count = self._group.member_count()
        if count:
            raise PermanentError(
                f"{count} {'bridge is' if count == 1 else 'bridges are'} active in the group: stop all of them first. "
                "One that was killed counts until its session ends"
            )

    def apply(self, moves: Sequence[Move]) -> str | None:
        """
        Store the new starts in the ledger, which is given a birth if it has none, and commit them with its birth id.

        Repeating it is harmless.

        Returns:
            why bridges would still refuse to start, as `check_ledger` says; None when they would start.

        Raises:
            PermanentError: a bridge is active; nothing was changed.
            TransientError: a store failed; some positions may be stored: repeat it.
        """
        topics = ", ".join(dict.fromkeys(move.stands.partition.topic for move in moves))
        with self._audit(Action.OFFSETS_RESET, topics, detail=_in_words(moves)) as note:
            self._move(moves)
            note.count = len(moves)
        try:
            check_ledger(self._ledger, self._source)
        except LedgerMissingError as exc:
            return str(exc)
        return None

    def _move(self, moves: Sequence[Move]) -> None:
        self.refuse_if_active()
        birth = self._ledger.birth()
        starts = StartPositions(ledger=self._ledger, source=self._source, new_id=self._new_id)
        # Gives each partition its topic's epoch, and a first position where it has none.
        stands = starts.of([move.stands.partition for move in moves])
        for move in moves:
            partition, before = move.stands.partition, stands[move.stands.partition]
            after = Position(topic_epoch=before.topic_epoch, offset=move.offset)
            if after != before and not self._ledger.set_position(partition, before, after):
                raise TransientError(f"the position of {partition.topic}/{partition.partition} moved meanwhile")
            log.warning(
                "offsets.reset",
                topic=partition.topic,
                partition=partition.partition,
                was=before.offset,
                now=move.offset,
            )
        self._group.commit({move.stands.partition: move.offset for move in moves}, birth)


def _in_words(moves: Sequence[Move]) -> str:
    """
    Which partition goes where, of the first few.
    """
    told = [f"{move.stands.partition.partition} to {move.offset}" for move in moves[:_TOLD]]
    return "; ".join([*told, *(["..."] if len(moves) > _TOLD else [])])


def _or_end(offset: int | None, stands: PartitionOffsets) -> int:
    return stands.end if offset is None else offset
