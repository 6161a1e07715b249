"""
A whole relay for a test to do harm to.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from tests.support.kafka_mock import KafkaMock
from tests.support.kafka_server import KafkaServer
from tests.support.receiver import Receiver
from tests.support.redis_server import RedisServer
from tests.support.relay import Relay

MakeRelay: TypeAlias = Callable[..., Relay]


@pytest.fixture
def apache_kafka(kafka: KafkaServer | KafkaMock) -> KafkaServer:
    """
    The Apache Kafka of all tests. Skips the test where there is none.
    """
    if isinstance(kafka, KafkaMock):
        pytest.skip("needs Apache Kafka, but there is only librdkafka's mock broker")
    return kafka


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver.start(keep_bodies=False) as receiver:
        yield receiver


@pytest.fixture
def make_relay(apache_kafka: KafkaServer, fresh_redis: RedisServer, receiver: Receiver, tmp_path: Path) -> MakeRelay:
    """
    Makes a relay over a Redis of its own, the shared Kafka and a receiver; entering it starts it.
    """

    def make(*, bridges: int = 1, workers: int = 1, partitions: int = 1, **settings: Any) -> Relay:
        return Relay(
            tmp_path / "relay",
            redis=fresh_redis,
            kafka=apache_kafka.bootstrap_servers,
            receiver=receiver,
            partitions=partitions,
            bridges=bridges,
            workers=workers,
            settings=settings,
        )

    return make
