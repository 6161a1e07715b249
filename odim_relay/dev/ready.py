"""
When a process of the stack does its work.
"""

import socket
import ssl
import urllib.request
from collections.abc import Callable, Collection
from dataclasses import dataclass
from http import HTTPStatus

from odim_relay import bootstrap
from odim_relay.ports import TopicPartition

_ANSWER_S = 1.0


@dataclass(frozen=True, slots=True)
class Condition:
    """
    Something to wait for.

    Attributes:
        program: whose log tells more.
        is_met: asked again and again; may raise `TransientError` for "not yet".
    """

    program: str
    is_met: Callable[[], bool]


def redis_answers() -> bool:
    """
    Whether the ledger's server can be asked.
    """
    return bootstrap.ledger_figures().now_ms() > 0


def bridge_reads_embedded(incarnation: str, partitions: Collection[TopicPartition]) -> bool:
    """
    Whether a bridge has stored where it starts in each partition of this incarnation of the embedded Kafka, which
    tells nobody who is in a group.
    """
    ledger, positions = bootstrap.ingest_ledger(), bootstrap.ledger_figures().positions()
    for partition in partitions:
        epoch, position = ledger.topic_epoch(partition.topic), positions.get(partition)
        if epoch is None or position is None or incarnation not in epoch.origin:
            return False
        if not position.topic_epoch.startswith(epoch.topic_epoch):
            return False
    return True


def bridge_reads() -> bool:
    """
    Whether a bridge of the group has a partition.
    """
    return bool(bootstrap.consumer_group().reading())


def api_answers(url: str) -> bool:
    """
    Whether the API can serve; its certificate is its own.
    """
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=_ANSWER_S, context=context) as answer:  # noqa: S310 - our own
            return bool(answer.status == HTTPStatus.OK)
    except OSError:
        return False


def workers_answer() -> bool:
    """
    Whether this machine's nodes of both queues answer.
    """
    names = {f"{queue}@{socket.gethostname()}" for queue in ("deliveries", "maintenance")}
    return bootstrap.answering_workers(names, _ANSWER_S) >= names


def flower_answers(url: str) -> bool:
    """
    Whether Flower serves pages; nobody is asked for a password for this one.
    """
    try:
        with urllib.request.urlopen(f"{url.rstrip('/')}/healthcheck", timeout=_ANSWER_S):  # noqa: S310 - on loopback
            return True
    except OSError:
        return False
