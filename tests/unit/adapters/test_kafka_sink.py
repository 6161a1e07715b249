from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from odim_relay.adapters.kafka.producer import KafkaSink
from odim_relay.errors import PermanentError, TransientError


class Broker:
    """
    Makes producers that answer in `flush`; `refuses` is said of an idempotent one, at its first answer.
    """

    def __init__(self, *, refuses: int | None = None, full: int = 0, failing: frozenset[bytes] = frozenset()) -> None:
        self.refuses = refuses
        self.full = full
        self.failing = failing
        self.made: list[dict[str, Any]] = []
        self.written: list[bytes] = []

    def __call__(self, config: dict[str, Any]) -> "Client":
        self.made.append(config)
        return Client(self, config)


class Client:
    def __init__(self, broker: Broker, config: dict[str, Any]) -> None:
        self.broker = broker
        self.config = config
        self.waiting: list[tuple[bytes, Callable[[KafkaError | None, object], None]]] = []

    def produce(self, topic: str, value: bytes, key: bytes, on_delivery: Callable[..., None]) -> None:  # noqa: ARG002
        if value == b"too large":
            raise KafkaException(KafkaError(KafkaError.MSG_SIZE_TOO_LARGE))
        if self.broker.full:
            self.broker.full -= 1
            raise BufferError
        self.waiting.append((value, on_delivery))

    def poll(self, wait_s: float) -> int:
        return int(wait_s)

    def flush(self, wait_s: float) -> int:  # noqa: ARG002
        refused = None
        if self.broker.refuses is not None and self.config["enable.idempotence"]:
            refused = KafkaError(self.broker.refuses, "no", fatal=True)
            self.config["error_cb"](refused)
        for value, told in self.waiting:
            error = KafkaError(KafkaError._MSG_TIMED_OUT) if value in self.broker.failing else refused
            if error is None:
                self.broker.written.append(value)
            told(error, None)
        self.waiting = []
        return 0

    def list_topics(self, topic: str, timeout: float) -> object:
        raise KafkaException(KafkaError(KafkaError._TRANSPORT, f"{topic} {timeout}"))


def publish(broker: Broker, *values: bytes) -> list[str | None]:
    sink = KafkaSink({"bootstrap.servers": "h"}, make=broker)
    told: dict[bytes, str | None] = {}
    for value in values:
        sink.send("T", key=b"k", value=value, told=partial(told.__setitem__, value))
    sink.flush()
    assert len(told) == len(values)
    return [told[value] for value in values]


def test_records_are_acknowledged_by_all_replicas_of_an_idempotent_producer() -> None:
    broker = Broker()
    assert publish(broker, b"1", b"2") == [None, None]
    assert broker.written == [b"1", b"2"]
    assert [(made["acks"], made["enable.idempotence"]) for made in broker.made] == [("all", True)]


@pytest.mark.parametrize("code", [KafkaError.CLUSTER_AUTHORIZATION_FAILED, KafkaError._UNSUPPORTED_FEATURE])
def test_a_broker_that_refuses_idempotence_gets_plain_records(code: int) -> None:
    broker = Broker(refuses=code)
    assert publish(broker, b"1", b"2") == [None, None]
    assert broker.written == [b"1", b"2"]
    assert [made["enable.idempotence"] for made in broker.made] == [True, False]


def test_what_fails_also_without_idempotence_is_told() -> None:
    broker = Broker(refuses=KafkaError.UNSUPPORTED_VERSION, failing=frozenset({b"2"}))
    first, second = publish(broker, b"1", b"2")
    assert first is None
    assert second
    assert len(broker.made) == 2


def test_another_fatal_error_is_told_for_each_record() -> None:
    broker = Broker(refuses=KafkaError.TOPIC_AUTHORIZATION_FAILED)
    assert publish(broker, b"1", b"2") == ["no", "no"]
    assert len(broker.made) == 1


def test_a_full_queue_is_waited_for_and_a_failure_told() -> None:
    broker = Broker(full=3, failing=frozenset({b"2"}))
    first, second, third = publish(broker, b"1", b"2", b"too large")
    assert first is None
    assert second
    assert third


def test_a_broker_that_is_away_and_a_topic_that_is_missing_are_told_apart() -> None:
    with pytest.raises(TransientError, match="Kafka cannot be reached"):
        KafkaSink({}, make=Broker()).prepare("T")

    class Known(Client):
        def list_topics(self, topic: str, timeout: float) -> object:  # noqa: ARG002
            error = KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART, "no such topic")
            return type("Metadata", (), {"topics": {topic: type("Topic", (), {"error": error})}})

    broker = Broker()
    with pytest.raises(PermanentError, match="topic T cannot be written to: no such topic"):
        KafkaSink({}, make=lambda config: Known(broker, config)).prepare("T")
