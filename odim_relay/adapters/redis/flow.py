"""
Breakers, suspensions and workers, for people: read in bounded steps, changes nothing.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from odim_relay.adapters.redis import keys
from odim_relay.adapters.redis.connection import Scripts, text, translated
from odim_relay.domain.circuit_breaker import Breaker
from odim_relay.ports import DestinationFlow, SubscriptionFlow, Workforce

_STEP = 500
_WORKS_MS = 60_000
"""
A worker that claimed nothing for so long is not counted, as the reaper does it.
"""


class RedisFlowListing:
    """
    `FlowListing` over Redis.
    """

    def __init__(self, scripts: Scripts) -> None:
        self._client = scripts.client
        self._prefix = scripts.prefix

    def subscriptions(self, subscription_ids: Iterable[str]) -> Mapping[str, SubscriptionFlow]:
        """
        See `FlowListing.subscriptions`.
        """
        found = {}
        for ids in _steps(subscription_ids):
            with translated("reading how subscriptions flow"):
                pipe = self._client.pipeline(transaction=False)
                pipe.hmget(self._prefix + keys.SUBSCRIPTIONS, ids)
                for id_ in ids:
                    pipe.hgetall(self._prefix + keys.flow(id_))
                documents, *flows = pipe.execute()
            for id_, document, flow in zip(ids, documents, flows, strict=True):
                found[id_] = _subscription(id_, document is not None, _decoded(flow))
        return found

    def destinations(self, destination_ids: Iterable[str]) -> Mapping[str, DestinationFlow]:
        """
        See `FlowListing.destinations`.
        """
        found = {}
        for ids in _steps(destination_ids):
            with translated("reading breakers"):
                now_ms = self._now_ms()
                pipe = self._client.pipeline(transaction=False)
                for id_ in ids:
                    pipe.hgetall(self._prefix + keys.destination(id_))
                    # A killed worker's requests stand there until somebody claims.
                    pipe.zcount(self._prefix + keys.in_flight(id_), f"({now_ms}", "+inf")
                replies = pipe.execute()
            for id_, fields, count in zip(ids, replies[::2], replies[1::2], strict=True):
                found[id_] = _destination(id_, _decoded(fields), int(count))
        return found

    def workforce(self) -> Workforce:
        """
        See `FlowListing.workforce`.
        """
        with translated("counting workers"):
            since_ms = self._now_ms() - _WORKS_MS
            names: Any = self._client.zrangebyscore(self._prefix + keys.WORKERS, since_ms, "+inf")
        return Workforce(
            worker_count=len(names), slot_count=sum(int(text(name).rpartition(" ")[2] or 0) for name in names)
        )

    def _now_ms(self) -> int:
        seconds, microseconds = self._client.time()
        return int(seconds) * 1000 + int(microseconds) // 1000


def _steps(ids: Iterable[str]) -> Iterator[Sequence[str]]:
    rest = iter(dict.fromkeys(ids))
    while step := list(islice(rest, _STEP)):
        yield step


def _decoded(fields: Mapping[Any, Any]) -> dict[str, str]:
    return {text(name): text(value) for name, value in fields.items()}


def _subscription(id_: str, exists: bool, fields: Mapping[str, str]) -> SubscriptionFlow:
    return SubscriptionFlow(
        subscription_id=id_,
        exists=exists,
        destination_id=fields.get("destination", ""),
        suspended_by=fields.get("suspended", ""),
        suspended_at_ms=int(fields.get("suspended_at_ms", 0)),
        failure_count=int(fields.get("failures", 0)),
        unsaid_loss_count=int(fields.get("lost", 0)),
    )


def _destination(id_: str, fields: Mapping[str, str], in_flight_count: int) -> DestinationFlow:
    breaker = Breaker(fields.get("state", Breaker.CLOSED))
    next_probe = {Breaker.CLOSED: "", Breaker.OPEN: "probe_at_ms", Breaker.HALF_OPEN: "probe_until_ms"}[breaker]
    return DestinationFlow(
        destination_id=id_,
        breaker=breaker,
        opened_at_ms=int(fields.get("opened_at_ms", 0)),
        failure_count=int(fields.get("failures", 0)),
        next_probe_at_ms=int(fields.get(next_probe, 0)),
        is_unreachable=fields.get("unreachable") == "1",
        in_flight_count=in_flight_count,
        success_at_ms=int(fields.get("success_at_ms", 0)),
    )
