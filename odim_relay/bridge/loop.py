"""
The bridge's loop: read, write, publish, commit.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from threading import Event as Flag
from typing import Protocol, TypeVar

from odim_relay.errors import TransientError
from odim_relay.ports import IngestLedger, Position, Publisher, Record, TaskTicket, TopicPartition
from odim_relay.telemetry import logger
from odim_relay.use_cases.directory import MatcherDirectory
from odim_relay.use_cases.ingest import Ingest, PositionMovedError
from odim_relay.use_cases.start import StartPositions, check_birth

log = logger(__name__)

T = TypeVar("T")

_READ_MOST = 500
_WAIT_S = 0.5
_BACK_OFF_S = 1.0
_COMMIT_EVERY_S = 5.0
_STARTS_WITHOUT_PROGRESS = 3


class Source(Protocol):
    """
    What the loop needs of Kafka; `KafkaSource` says more.
    """

    def start(self) -> None: ...  # noqa: D102
    def read(self, most: int, wait_s: float) -> dict[TopicPartition, list[Record]]: ...  # noqa: D102
    def seek(self, partition: TopicPartition, offset: int) -> None: ...  # noqa: D102
    def pause(self) -> None: ...  # noqa: D102
    def resume(self) -> None: ...  # noqa: D102
    def commit(self, offsets: Mapping[TopicPartition, int], metadata: str, *, wait: bool) -> None: ...  # noqa: D102
    def close(self) -> None: ...  # noqa: D102


@dataclass(slots=True, kw_only=True)
class _Held:
    """
    A partition of ours.

    Attributes:
        records: read and not yet written.
        is_tried: whether this process has written a record of it, or counted its start (L16).
        caution: 0 takes batches; 1 record by record; 2 quarantines the first record unread.
    """

    position: Position
    records: list[Record]
    is_tried: bool = False
    caution: int = 0


class Bridge:
    """
    Moves records from Kafka into the ledger and the broker until told to stop. Is its source's `Rebalance`.
    """

    def __init__(
        self,
        *,
        ledger: IngestLedger,
        ingest: Ingest,
        matchers: MatcherDirectory,
        publisher: Publisher,
        birth: str,
        monotonic_s: Callable[[], float],
        note_alive: Callable[[], None],
    ) -> None:
        """
        Args:
            birth: the ledger's birth id, to stand beside the commits (L12).
            note_alive: called whenever the loop comes round, also while it waits for a store.
        """
        self._ledger = ledger
        self._ingest = ingest
        self._matchers = matchers
        self._publisher = publisher
        self._birth = birth
        self._monotonic_s = monotonic_s
        self._note_alive = note_alive
        self._held: dict[TopicPartition, _Held] = {}
        self._unpublished: list[TaskTicket] = []
        self._committed: dict[TopicPartition, int] = {}
        self._committed_at_s = monotonic_s()
        self._stop = Flag()

    def attach(self, source: Source, starts: StartPositions) -> None:
        """
        Tell the bridge where records come from; once, before `run`.
        """
        self._source = source
        self._starts = starts

    def stop(self) -> None:
        """
        Finish the batch under way, then leave the group. Safe to call from a signal handler.
        """
        self._stop.set()

    def run(self) -> None:
        """
        Work until `stop`.

        Raises:
            LedgerMissingError: another ledger, or none, stands where this bridge's was (L12).
            PermanentError: Kafka refuses for good.
        """
        self._patiently(self._matchers.refresh)
        self._source.start()
        is_paused = False
        try:
            while not self._stop.is_set():
                self._note_alive()
                for partition, records in self._source.read(_READ_MOST, _BACK_OFF_S if is_paused else _WAIT_S).items():
                    if partition in self._held:
                        self._held[partition].records += records
                is_settled = self._settle()
                if is_settled and is_paused:
                    self._source.resume()
                elif not is_settled:
                    self._source.pause()  # each time: partitions that came meanwhile are not paused yet
                is_paused = not is_settled
                if is_settled and self._monotonic_s() - self._committed_at_s >= _COMMIT_EVERY_S:
                    self._look_around()
                    self._commit(wait=False)
        finally:
            self._commit(wait=True)
            self._source.close()

    def assigned(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        """
        See `Rebalance.assigned`.
        """
        positions = self._patiently(lambda: self._start_positions(partitions))
        for partition, position in positions.items():
            self._held[partition] = _Held(position=position, records=[])
            log.info("partition.assigned", topic=partition.topic, partition=partition.partition, offset=position.offset)
        return {partition: position.offset for partition, position in positions.items()}

    def revoked(self, partitions: Sequence[TopicPartition]) -> None:
        """
        See `Rebalance.revoked`.
        """
        self._commit(wait=True)
        self.lost(partitions)

    def lost(self, partitions: Sequence[TopicPartition]) -> None:
        """
        See `Rebalance.lost`. Records that were read and not written are read by whoever has the partition next.
        """
        for partition in partitions:
            self._held.pop(partition, None)
            self._committed.pop(partition, None)
            log.info("partition.released", topic=partition.topic, partition=partition.partition)

    def _settle(self) -> bool:
        """
        Write and publish all that was read. Returns False when a store refuses for now; nothing is forgotten.
        """
        try:
            for partition, held in self._held.items():
                if held.records:
                    self._write(partition, held)
            self._publish()
        except TransientError as exc:
            log.warning("bridge.waiting", detail=str(exc))
            return False
        return True

    def _write(self, partition: TopicPartition, held: _Held) -> None:
        if not held.is_tried:
            held.caution = self._caution(partition, held.position.offset)
            held.is_tried = True
        while held.records:
            self._note_alive()
            most = 1 if held.caution else len(held.records)
            try:
                for position, tickets in self._ingest.take(
                    partition,
                    held.position,
                    held.records[:most],
                    parse=held.caution < 2,  # noqa: PLR2004 - see _Held
                ):
                    held.position = position
                    self._unpublished += tickets
                if held.caution == 2:  # noqa: PLR2004 - see _Held
                    held.caution = 1
            except PositionMovedError as moved:
                self._move(partition, held, moved.position)
                return
            del held.records[:most]
        held.caution = 0

    def _caution(self, partition: TopicPartition, offset: int) -> int:
        starts = self._ledger.count_start(partition, offset)
        if starts <= _STARTS_WITHOUT_PROGRESS:
            return 0
        log.error(
            "bridge.stumbled",
            topic=partition.topic,
            partition=partition.partition,
            offset=offset,
            count=starts,
            detail="no progress at this offset for several starts: going record by record",
        )
        return 1 if starts == _STARTS_WITHOUT_PROGRESS + 1 else 2

    def _look_around(self) -> None:
        """
        Look whether ledger and topics are still where we believe. With its host's last seconds a ledger loses positions
        and deliveries together (S15), and a topic that is made anew begins at its start (L11): of neither does the next
        record tell for certain.
        """
        try:
            for partition, position in self._start_positions(list(self._held)).items():
                held = self._held[partition]
                if position != held.position:
                    self._move(partition, held, position)
        except TransientError as exc:
            log.warning("bridge.waiting", detail=str(exc))

    def _start_positions(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, Position]:
        check_birth(self._ledger, self._birth)
        return self._starts.of(partitions)

    def _move(self, partition: TopicPartition, held: _Held, position: Position | None) -> None:
        """
        Go on from where the ledger stands: another bridge wrote, or a write of ours whose answer got lost.
        """
        if position is None or position.topic_epoch != held.position.topic_epoch:
            position = self._start_positions([partition])[partition]
        log.info("partition.moved", topic=partition.topic, partition=partition.partition, offset=position.offset)
        held.position = position
        held.caution = min(held.caution, 1)  # the record that was to be quarantined may be behind us
        held.records.clear()
        self._source.seek(partition, position.offset)

    def _publish(self) -> None:
        """
        Publish after the ledger knows (L13). Uncertain tickets are published again: each can be claimed but once.
        """
        if self._unpublished:
            self._publisher.publish(self._unpublished)
            self._unpublished.clear()

    def _commit(self, *, wait: bool) -> None:
        self._committed_at_s = self._monotonic_s()
        moved = {
            partition: held.position.offset
            for partition, held in self._held.items()
            if self._committed.get(partition) != held.position.offset
        }
        self._source.commit(moved, self._birth, wait=wait)
        self._committed.update(moved)

    def _patiently(self, ask: Callable[[], T]) -> T:
        """
        Ask until the stores answer, or until told to stop.
        """
        while True:
            self._note_alive()
            try:
                return ask()
            except TransientError as exc:
                log.warning("bridge.waiting", detail=str(exc))
                if self._stop.wait(_BACK_OFF_S):
                    raise
