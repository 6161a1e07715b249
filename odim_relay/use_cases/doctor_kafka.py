"""
Whether Kafka keeps events for as long as an outage may last, and who reads them. Pure: the facts come in.
"""

from collections.abc import Mapping, Sequence

from odim_relay.ports import Position, TopicFacts, TopicPartition
from odim_relay.use_cases.doctor import name
from odim_relay.use_cases.findings import Finding, hint, some, span, verdict

_LEAST_RETENTION_S = 86_400


def examine_retention(topic: str, facts: TopicFacts) -> list[Finding]:
    """
    Judge how long a topic keeps what was not taken in yet.
    """
    if not facts.partition_count:
        return []
    subject = f"topic {topic} retention"
    told = facts.configuration
    if not told:
        return [
            hint(
                subject,
                wanted=True,
                found="not told: this Kafka does not describe its topics to us",
                remedy="look there that retention.ms is longer than the relay or its Redis may be away",
            )
        ]
    time_ms, most_bytes = int(told.get("retention.ms", -1)), int(told.get("retention.bytes", -1))
    is_short = 0 <= time_ms < _LEAST_RETENTION_S * 1000
    found = "for ever" if time_ms < 0 else span(time_ms / 1000)
    if most_bytes >= 0:
        found += f", and at most {most_bytes} bytes of each partition"
    policy = told.get("cleanup.policy", "delete")
    return [
        verdict(
            subject,
            wrong=is_short,
            found=found,
            remedy="an outage of the relay or its Redis that is longer loses events: set retention.ms to some days",
        )
        if is_short or most_bytes < 0
        else hint(
            subject,
            wanted=True,
            found=found,
            remedy="see that so many bytes are some days, or set retention.bytes to -1",
        ),
        verdict(
            f"topic {topic} cleanup",
            wrong="compact" in policy,
            found=policy,
            remedy="compaction removes earlier events of the same key: set cleanup.policy to delete",
        ),
        hint(
            f"topic {topic} replicas",
            wanted=facts.replica_count == 1,
            found=str(facts.replica_count),
            remedy="with one replica a broker's disk that is lost takes events with it",
        ),
    ]


def examine_lost(
    positions: Mapping[TopicPartition, Position], bounds: Mapping[TopicPartition, tuple[int, int]]
) -> list[Finding]:
    """
    Judge whether Kafka has removed what was not taken in.
    """
    lost = {
        partition: first - positions[partition].offset
        for partition, (first, end) in bounds.items()
        # What lies beyond the end is of a log that is gone (L11).
        if partition in positions and positions[partition].offset < first <= end
    }
    if not lost:
        return []
    where = some([f"{count} of {name(partition)}" for partition, count in lost.items()])
    return [
        Finding(
            subject="kafka records lost",
            is_wrong=True,
            found=f"{where} were removed by Kafka before they were taken in",
            remedy="they are gone; start a bridge at once, and raise retention.ms",
        )
    ]


def examine_group(member_count: int | None, partitions: Sequence[TopicPartition]) -> Finding:
    """
    Judge whether somebody reads.

    Args:
        member_count: bridges in the group; None when this Kafka does not tell.
    """
    subject = "bridges"
    if member_count is None:
        return hint(
            subject,
            wanted=True,
            found="not told by this Kafka",
            remedy="see by `odim-relay status` that the lag shrinks",
        )
    if not member_count:
        return Finding(subject=subject, is_wrong=True, found="none reads", remedy="start `odim-relay bridge`")
    idle = member_count - len(partitions)
    return hint(
        subject,
        wanted=idle > 0,
        found=f"{member_count} for {len(partitions)} partitions",
        remedy=f"{idle} of them stand by: more partitions would give them work",
    )
