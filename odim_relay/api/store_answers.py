"""
What the stores answer, asked once for all who want to know it in this process: health, metrics, pages.
"""

from odim_relay import bootstrap
from odim_relay.api.recent import Recent
from odim_relay.use_cases.readiness import Unreachable
from odim_relay.use_cases.status import PartitionStatus

_PATIENCE_S = 0.5
"""
Nobody waits longer for what may hang; what is not known yet is told the next time.
"""


def _ask_unreachable() -> list[Unreachable]:
    return bootstrap.readiness()


def _ask_partitions() -> list[PartitionStatus]:
    return bootstrap.partitions()


def _ask_queue_depth() -> int:
    return bootstrap.publisher().queue_depth()


unreachable: Recent[list[Unreachable]] = Recent(_ask_unreachable, max_age_s=3.0, patience_s=_PATIENCE_S)
partitions: Recent[list[PartitionStatus]] = Recent(_ask_partitions, max_age_s=3.0, patience_s=_PATIENCE_S)
queue_depth: Recent[int] = Recent(_ask_queue_depth, max_age_s=1.0, patience_s=_PATIENCE_S)


def kafka_lag() -> int | None:
    """
    Records that Kafka holds and that were not taken in; None while it does not answer.
    """
    found = partitions()
    return None if found is None else sum(row.lag for row in found)
