"""
Kafka in memory, as one consumer of a group sees it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from odim_relay.domain.topic_epoch import TopicOrigin
from odim_relay.ports import Commit, Record, TopicPartition


class Rebalance(Protocol):
    def assigned(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]: ...
    def revoked(self, partitions: Sequence[TopicPartition]) -> None: ...
    def lost(self, partitions: Sequence[TopicPartition]) -> None: ...


@dataclass(slots=True)
class Log:
    records: list[Record] = field(default_factory=list)
    low: int = 0

    @property
    def high(self) -> int:
        return max([self.low, *(record.offset + 1 for record in self.records)])


class InMemoryKafka:
    """
    `RecordSource`, and the bridge's `Source`.

    Each `read` first does the next of `script`, which is how a test makes things happen between two reads.
    """

    def __init__(self) -> None:
        self.logs: dict[TopicPartition, Log] = {}
        self.origins: dict[str, TopicOrigin] = {}
        self.commits: dict[TopicPartition, Commit] = {}
        self.script: list[Callable[[], object]] = []
        self.then: Callable[[], object] = lambda: None
        self.rebalance: Rebalance | None = None
        self.assignment: dict[TopicPartition, int] = {}
        self.paused: set[TopicPartition] = set()
        self.seeks: list[tuple[TopicPartition, int]] = []
        self.commit_count = 0
        self.is_closed = False

    def append(self, partition: TopicPartition, *values: bytes) -> None:
        log = self.logs.setdefault(partition, Log())
        for value in values:
            log.records.append(Record(offset=log.high, value=value, recorded_at_ms=1_000 + log.high))

    # --- RecordSource ---

    def committed(self, partitions: Iterable[TopicPartition]) -> Mapping[TopicPartition, Commit]:
        return {partition: self.commits[partition] for partition in partitions if partition in self.commits}

    def bounds(self, partition: TopicPartition) -> tuple[int, int]:
        log = self.logs[partition]
        return log.low, log.high

    def partitions(self) -> Sequence[TopicPartition]:
        return list(self.logs)

    def origin(self, topic: str) -> TopicOrigin:
        return self.origins.get(topic, TopicOrigin(cluster_id="cluster", topic_id=f"id-of-{topic}"))

    # --- Source ---

    def start(self) -> None:
        self.assign(*self.logs)

    def assign(self, *partitions: TopicPartition) -> None:
        assert self.rebalance is not None
        self.assignment |= self.rebalance.assigned(partitions)
        self.paused -= set(partitions)

    def revoke(self, *partitions: TopicPartition) -> None:
        assert self.rebalance is not None
        self.rebalance.revoked(partitions)
        self._unassign(partitions)

    def lose(self, *partitions: TopicPartition) -> None:
        assert self.rebalance is not None
        self.rebalance.lost(partitions)
        self._unassign(partitions)

    def _unassign(self, partitions: Iterable[TopicPartition]) -> None:
        for partition in partitions:
            del self.assignment[partition]

    def read(self, most: int, wait_s: float) -> dict[TopicPartition, list[Record]]:
        assert wait_s > 0
        if self.script:
            self.script.pop(0)()
        else:
            self.then()
        found: dict[TopicPartition, list[Record]] = {}
        for partition, position in self.assignment.items():
            records = [record for record in self.logs[partition].records if record.offset >= position][:most]
            if records and partition not in self.paused:
                found[partition] = records
                self.assignment[partition] = records[-1].offset + 1
        return found

    def seek(self, partition: TopicPartition, offset: int) -> None:
        self.seeks.append((partition, offset))
        self.assignment[partition] = offset
        self.paused.discard(partition)

    def pause(self) -> None:
        self.paused |= self.assignment.keys()

    def resume(self) -> None:
        self.paused.clear()

    def commit(self, offsets: Mapping[TopicPartition, int], metadata: str, *, wait: bool) -> None:  # noqa: ARG002 - nothing is slow in memory
        self.commit_count += bool(offsets)
        for partition, offset in offsets.items():
            self.commits[partition] = Commit(offset=offset, metadata=metadata)

    def close(self) -> None:
        self.revoke(*self.assignment)
        self.is_closed = True
