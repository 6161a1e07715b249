"""
Celery's Redis transport, taking several messages in one round trip.

kombu takes one message per BRPOP, and goes once round its event loop for each: half of the engine's time. Here BRPOP
waits for the first, and `RPOP key count` takes what the prefetch limit allows of the rest. What a killed worker held by
then is lost to the broker, and repaired by the ledger (L27): with `ack_emulation` off it would be so for one message as
well.
"""

from typing import Any

from kombu.transport import TRANSPORT_ALIASES, redis
from kombu.utils.encoding import bytes_to_str
from kombu.utils.json import loads
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from odim_relay.telemetry import logger

log = logger(__name__)

_MOST = 64


class _TakesSeveral:
    """
    Mixed into kombu's channels.
    """

    _is_away = False

    def _connparams(self: Any, asynchronous: bool = False) -> dict[str, Any]:  # noqa: FBT002 - kombu's signature
        # redis-py would try each command four times: of a server that hangs a worker would learn, and could be ended,
        # only after all their timeouts.
        parameters: dict[str, Any] = super()._connparams(asynchronous)  # type: ignore[misc]
        return {**parameters, "retry": Retry(NoBackoff(), 0)}

    @property
    def supports_batch_publish(self) -> bool:
        """
        Whether many messages may go in one round trip. kombu takes any `retry` for one that would send them a second
        time, and then sends each by itself; ours tries once.
        """
        return True

    def _restore(self: Any, message: Any, leftmost: bool = False) -> None:  # noqa: FBT002 - kombu's signature
        # Giving messages back is a courtesy of a worker that ends: the ledger finds them anyway, and a broker that does
        # not take the first will not take the others.
        if self._is_away:
            return
        try:
            super()._restore(message, leftmost)  # type: ignore[misc]
        except RedisError as exc:
            self._is_away = True
            log.warning("tasks.not_given_back", detail=str(exc))

    def _brpop_read(self: Any, **options: Any) -> bool:
        super()._brpop_read(**options)  # type: ignore[misc] # raises Empty when there was none
        if not self.ack_emulation:
            for queue in self.active_queues:
                self._take_more(queue)
        return True

    def _take_more(self: Any, queue: str) -> None:
        room = self.qos.can_consume_max_estimate() if self.qos.can_consume() else 0
        room = _MOST if room is None else min(room, _MOST)
        if room <= 0:
            return
        for item in self.client.rpop(self._q_for_pri(queue, 0), room) or ():
            self.connection._deliver(loads(bytes_to_str(item)), queue)  # noqa: SLF001 - as kombu's own channel does


class Channel(_TakesSeveral, redis.Channel):
    """
    For one Redis server.
    """


class SentinelChannel(_TakesSeveral, redis.SentinelChannel):
    """
    For a server found by Sentinel.
    """


class Transport(redis.Transport):
    """
    `redis://` and `rediss://`.
    """

    Channel = Channel


class SentinelTransport(redis.SentinelTransport):
    """
    `sentinel://`.
    """

    Channel = SentinelChannel


def install() -> None:
    """
    Make kombu use these for its Redis URLs, in this process.
    """
    for scheme in ("redis", "rediss"):
        TRANSPORT_ALIASES[scheme] = f"{__name__}:Transport"
    TRANSPORT_ALIASES["sentinel"] = f"{__name__}:SentinelTransport"
