"""
What a test may look at in Redis: the ledger, and the broker's queue beside it.
"""

import json
from typing import Any, Protocol

from tests.support.redis_server import RedisServer

PREFIX = "odim-relay:"


class Broker(Protocol):
    """
    Where the task messages wait.
    """

    def queue_depth(self) -> int:
        """
        How many delivery tasks wait.
        """


class RedisBroker:
    """
    A database of a Redis.
    """

    def __init__(self, server: RedisServer, database: int) -> None:
        self._client = server.client(database)

    def close(self) -> None:
        self._client.close()

    def queue_depth(self) -> int:
        return int(self._client.llen("deliveries"))

    def flush(self) -> int:
        """
        Forgets every task message and returns how many there were.
        """
        pipe = self._client.pipeline()
        pipe.llen("deliveries")
        pipe.flushdb()
        return int(pipe.execute()[0])


class LedgerView:
    """
    Reads only, past the product's own code. Every call raises redis.RedisError while the server is away.

    Attributes:
        broker: where the tasks are; by default beside the ledger.
    """

    def __init__(self, server: RedisServer) -> None:
        self._client = server.client(decode_responses=True)
        self._bytes = server.client()
        self._beside = RedisBroker(server, 1)
        self.broker: Broker = self._beside

    def close(self) -> None:
        for client in (self._client, self._bytes, self._beside):
            client.close()

    def positions(self, topic: str) -> dict[int, tuple[str, int]]:
        """
        The topic epoch and the next offset of each partition that was ever read.
        """
        found = {}
        names: set[Any] = self._client.smembers(PREFIX + "partitions")
        for name in names:
            topic_name, _, partition = name.rpartition(":")
            if topic_name == topic:
                epoch, offset = self._client.hmget(f"{PREFIX}position:{name}", ["topic_epoch", "offset"])
                found[int(partition)] = (str(epoch), int(str(offset)))
        return found

    def open_count(self) -> int:
        """
        How many deliveries have a task, a lease, a countdown or a due time.
        """
        return int(self._client.zcard(PREFIX + "deadlines"))

    def waiting_count(self) -> int:
        """
        How many parked deliveries go as soon as their turn comes; those of suspended subscriptions are not counted.
        """
        due: list[Any] = self._client.zrange(PREFIX + "due", 0, -1)
        return sum(int(self._client.zcard(f"{PREFIX}parked:{subscription}")) for subscription in due)

    def queue_depth(self) -> int:
        """
        How many delivery tasks wait in the broker.
        """
        return self.broker.queue_depth()

    def flush_broker(self) -> int:
        """
        Forgets every task message beside the ledger, and returns how many there were; the one thing here that is no
        reading.
        """
        return self._beside.flush()

    def deliveries(self, state: str = "") -> dict[str, dict[str, str]]:
        """
        The deliveries that are not parked, in one state or in all.
        """
        pipe = self._client.pipeline(transaction=False)
        ids = [str(key).rpartition(":")[2] for key in self._client.scan_iter(f"{PREFIX}delivery:*", count=5_000)]
        for id_ in ids:
            pipe.hgetall(f"{PREFIX}delivery:{id_}")
        found = dict(zip(ids, pipe.execute(), strict=True))
        return {id_: fields for id_, fields in found.items() if fields and state in ("", fields["state"])}

    def dead_letters(self) -> dict[str, dict[str, Any]]:
        """
        Everything parked; `last` is decoded.
        """
        letters: dict[Any, Any] = self._client.hgetall(PREFIX + "dead-letters")
        found = {}
        for id_, document in letters.items():
            letter = json.loads(document)
            found[str(id_)] = {**letter, "last": json.loads(letter.get("last") or "{}")}
        return found

    def parked_of(self, subscription_id: str, *, by_hand: bool = False) -> list[str]:
        """
        A subscription's parked deliveries in order of arrival: those to be replayed, or those for a person only.
        """
        indexes = ["by-hand"] if by_hand else ["parked", "delayed"]
        ids: list[Any] = self._client.zunion([f"{PREFIX}{index}:{subscription_id}" for index in indexes])
        return [str(id_) for id_ in ids]

    def flow(self, subscription_id: str) -> dict[str, str]:
        """
        How a subscription's deliveries flow, as the ledger keeps it.
        """
        found: dict[Any, Any] = self._client.hgetall(f"{PREFIX}flow:{subscription_id}")
        return {str(name): str(value) for name, value in found.items()}

    def breaker(self, subscription_id: str) -> str:
        """
        The state of the breaker of a subscription's destination.
        """
        destination = self.flow(subscription_id)["destination"]
        return str(self._client.hget(f"{PREFIX}destination:{destination}", "state") or "closed")

    def payload(self, event_id: str) -> bytes:
        """
        The body that is kept for an event; empty when there is none.
        """
        payload: Any = self._bytes.hget(f"{PREFIX}body:{event_id}", "payload")
        return bytes(payload or b"")

    def quarantine(self) -> dict[str, dict[str, Any]]:
        """
        The documents of the quarantine, by their record's place; `value` has its bytes.
        """
        values: dict[Any, Any] = self._bytes.hgetall(PREFIX + "quarantine:values")
        found = {}
        for id_, document in self._bytes.hgetall(PREFIX + "quarantine").items():
            entry = {**json.loads(document), "value": values[id_]}
            found[str(entry["record"])] = entry
        return found

    def quarantine_count(self) -> int:
        return int(self._client.hlen(PREFIX + "quarantine"))

    def counters(self) -> dict[str, int]:
        counters: dict[Any, Any] = self._client.hgetall(PREFIX + "counters")
        return {str(name): int(count) for name, count in counters.items()}

    def counter(self, name: str) -> int:
        return self.counters().get(name, 0)
