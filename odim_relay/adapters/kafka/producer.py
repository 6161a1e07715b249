"""
Records to Kafka, each acknowledged or told to have failed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Producer

from odim_relay.errors import PermanentError, TransientError

_ANSWER_S = 10.0
_GIVE_UP_S = 30.0
_MOST_BYTES = 512 * 1024 * 1024
# What a broker says that has no idempotent producers, or does not let us be one.
_NOT_IDEMPOTENT = frozenset(
    {
        KafkaError._UNSUPPORTED_FEATURE,  # noqa: SLF001 - how the library names its own error codes
        KafkaError.UNSUPPORTED_VERSION,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    }
)


@dataclass(frozen=True, slots=True)
class _Sent:
    topic: str
    key: bytes
    value: bytes
    told: Callable[[str | None], None]


class KafkaSink:
    """
    `RecordSink` over a producer: acknowledged by all replicas, and idempotent unless the broker refuses that.
    For one thread.
    """

    def __init__(self, config: Mapping[str, Any], *, make: Callable[..., Any] = Producer) -> None:
        """
        Args:
            config: librdkafka's: where Kafka is, TLS and SASL.
            make: makes a producer of its configuration.
        """
        self._config = {
            **config,
            "acks": "all",
            # What matters comes as an error as well.
            "log_level": 0,
            "linger.ms": 5,
            "message.timeout.ms": int(_GIVE_UP_S * 1000),
            # The broker knows its own limit, and says so.
            "message.max.bytes": _MOST_BYTES,
        }
        self._make = make
        self._is_refused = False
        self._failed: list[tuple[_Sent, KafkaError]] = []
        self._producer = self._open(idempotent=True)

    def prepare(self, topic: str) -> None:
        """
        See `RecordSink.prepare`.
        """
        try:
            known = self._producer.list_topics(topic, timeout=_ANSWER_S).topics[topic]
        except KafkaException as exc:
            raise TransientError(f"Kafka cannot be reached: {exc.args[0].str()}") from exc
        # A broker that makes topics on first use makes it now, and has no leader for it yet.
        if known.error is not None and known.error.code() != KafkaError.LEADER_NOT_AVAILABLE:
            raise PermanentError(f"topic {topic} cannot be written to: {known.error.str()}")

    def send(self, topic: str, *, key: bytes, value: bytes, told: Callable[[str | None], None]) -> None:
        """
        See `RecordSink.send`.
        """
        self._produce(_Sent(topic, key, value, told))
        self._producer.poll(0)

    def flush(self) -> None:
        """
        See `RecordSink.flush`.
        """
        while True:
            while self._producer.flush(_ANSWER_S):
                pass
            failed, self._failed = self._failed, []
            if not (failed and self._is_refused):
                break
            self._is_refused = False
            self._producer = self._open(idempotent=False)
            for sent, _ in failed:
                self._produce(sent)
        for sent, error in failed:
            sent.told(error.str())

    def _produce(self, sent: _Sent) -> None:
        while True:
            try:
                self._producer.produce(
                    sent.topic, sent.value, sent.key, on_delivery=lambda error, _: self._settle(sent, error)
                )
            except BufferError:
                self._producer.poll(1)
            except KafkaException as exc:
                self._settle(sent, exc.args[0])
                return
            else:
                return

    def _settle(self, sent: _Sent, error: KafkaError | None) -> None:
        if error is None:
            sent.told(None)
        else:
            # Not told before the flush: until then it may turn out that it can be sent without idempotence.
            self._failed.append((sent, error))

    def _open(self, *, idempotent: bool) -> Any:
        def watch(error: KafkaError) -> None:
            if idempotent and error.fatal() and error.code() in _NOT_IDEMPOTENT:
                self._is_refused = True

        return self._make({**self._config, "enable.idempotence": idempotent, "error_cb": watch})
