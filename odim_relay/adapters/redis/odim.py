"""
ODIM's own Redis. Nothing here writes to it.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any

from redis.client import PubSub
from redis.exceptions import RedisError, ResponseError

from odim_relay.adapters.redis.connection import Client, translated
from odim_relay.ports import OdimFacts, OdimTables

_SUBSCRIPTIONS = "Subscription"
_DEVICES = "DeviceSubscription"
_AGGREGATE_HOSTS = "AggregateToHost"
_AGGREGATE = "Aggregate:"
_UNDELIVERED = "UndeliveredEvents:"
_TABLES = (_SUBSCRIPTIONS, _DEVICES, _AGGREGATE_HOSTS)
_KEYS_AT_ONCE = 1_000
_VALUES_AT_ONCE = 100
_DRAIN_MOST = 10_000


class RedisOdimStore:
    """
    `OdimStore` over Redis: of the primary, where there are replicas, for these may be behind.

    What changed is heard of by keyspace notifications, as ODIM itself does. They may be off, or be lost with the
    connection.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._heard: PubSub | None = None

    def read(self) -> OdimTables:
        """
        See `OdimStore.read`.
        """
        with translated("reading ODIM's tables"):
            pipe = self._client.pipeline(transaction=True)
            for table in _TABLES:
                pipe.zrange(table, 0, -1)
            subscriptions, devices, aggregate_hosts = pipe.execute()
            aggregates = dict(self._values(_AGGREGATE))
        return OdimTables(
            subscriptions=_texts(subscriptions),
            devices=_texts(devices),
            aggregate_hosts=_texts(aggregate_hosts),
            aggregates={_text(key).removeprefix(_AGGREGATE): _text(value) for key, value in aggregates.items()},
        )

    def undelivered(self) -> Iterator[tuple[str, bytes]]:
        """
        See `OdimStore.undelivered`.
        """
        with translated("reading the events that ODIM could not deliver"):
            for key, value in self._values(_UNDELIVERED):
                yield _text(key), value

    def undelivered_values(self, keys: Sequence[str]) -> Sequence[bytes | None]:
        """
        See `OdimStore.undelivered_values`.
        """
        if not keys:
            return []
        with translated("reading events that ODIM could not deliver"):
            values: Any = self._client.mget([key.encode("utf-8", "surrogateescape") for key in keys])
        return list(values)

    def wait_for_change(self, at_most_s: float) -> bool:
        """
        See `OdimStore.wait_for_change`. True after each new connection: what changed before it, nobody told.
        """
        try:
            with translated("waiting for a change of ODIM's tables"):
                if self._heard is None:
                    self._heard = self._listen()
                    return True
                return self._hears(self._heard, at_most_s)
        except Exception:
            self.close()
            raise

    def ping(self) -> None:
        """
        See `OdimStore.ping`.
        """
        with translated("asking whether ODIM's Redis is there"):
            self._client.ping()

    def examine(self) -> OdimFacts:
        """
        See `OdimStore.examine`.
        """
        with translated("asking what ODIM's Redis holds"):
            counts = {table: int(self._client.zcard(table)) for table in _TABLES}
            return OdimFacts(role=self._role(), notifications=self._notifications(), counts=counts)

    def close(self) -> None:
        """
        Hear of changes no more, until asked again.
        """
        heard, self._heard = self._heard, None
        if heard is not None:
            with suppress(RedisError, OSError):
                heard.close()

    def _listen(self) -> PubSub:
        heard: PubSub = self._client.pubsub()
        try:
            heard.psubscribe(*(f"__key*__:{table}" for table in _TABLES))
        except BaseException:
            heard.close()
            raise
        return heard

    @staticmethod
    def _hears(heard: PubSub, at_most_s: float) -> bool:
        deadline_s = time.monotonic() + at_most_s
        while not _is_hint(heard.get_message(timeout=max(deadline_s - time.monotonic(), 0.0))):
            if time.monotonic() >= deadline_s:
                return False
        # Each row that was written is told of: all that is there already is one change.
        for _ in range(_DRAIN_MOST):
            if heard.get_message(timeout=0.0) is None:
                break
        return True

    def _values(self, prefix: str) -> Iterator[tuple[bytes, bytes]]:
        """
        Walk the strings whose keys begin with `prefix`, each once, though a scan may tell a key twice.
        """
        seen: set[bytes] = set()
        keys: Iterator[bytes] = iter(self._client.scan_iter(match=f"{prefix}*", count=_KEYS_AT_ONCE))
        while step := list(islice(keys, _VALUES_AT_ONCE)):
            fresh = [key for key in dict.fromkeys(step) if key not in seen]
            seen.update(fresh)
            values: Any = self._client.mget(fresh) if fresh else []
            # One that was deleted since it was told has no value, and neither has what is no string.
            yield from ((key, value) for key, value in zip(fresh, values, strict=True) if value is not None)

    def _role(self) -> str | None:
        try:
            told: Any = self._client.execute_command("ROLE")
        except ResponseError:  # we may not be allowed to ask
            return None
        return _text(told[0])

    def _notifications(self) -> str | None:
        try:
            told: Any = self._client.config_get("notify-keyspace-events")
        except ResponseError:  # managed servers know no CONFIG, and we may not be allowed to ask
            return None
        value = told.get("notify-keyspace-events")
        return None if value is None else _text(value)


def _is_hint(message: Any) -> bool:
    # That it listens now is told by messages too.
    return message is not None and message["type"] == "pmessage"


def _texts(members: Sequence[bytes]) -> list[str]:
    return [_text(member) for member in members]


def _text(value: bytes | str) -> str:
    # What is no UTF-8 is told by who reads the row.
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else value
