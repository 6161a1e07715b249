import json

import pytest
from confluent_kafka import Consumer, TopicPartition

from tests.support.kafka_client import Committed, Header, KafkaClient, odim_envelope
from tests.support.kafka_server import KafkaServer

pytestmark = pytest.mark.server

NO_HEADERS: list[Header] = []


def test_records_survive_the_death_of_kafka(fresh_kafka: KafkaServer, topic: str) -> None:
    client = KafkaClient(fresh_kafka.bootstrap_servers)
    client.create_topic(topic)
    client.produce(topic, [(b"key", b"before", [("name", b"value")])])

    fresh_kafka.kill()
    fresh_kafka.start()
    client.produce(topic, [(b"key", b"after", NO_HEADERS)])
    fresh_kafka.restart()

    records = client.consume(topic)
    assert [record.value() for record in records] == [b"before", b"after"]
    assert records[0].headers() == [("name", b"value")]
    assert client.end_offsets(topic) == {0: 2}


def test_places_are_told_in_the_order_of_the_records(kafka_client: KafkaClient, topic: str) -> None:
    kafka_client.create_topic(topic, partitions=2)

    assert kafka_client.produce(topic, [(None, b"a", NO_HEADERS), (None, b"b", NO_HEADERS)], partition=1) == [
        (1, 0),
        (1, 1),
    ]


def test_a_record_of_five_megabytes_is_taken(kafka_client: KafkaClient, topic: str) -> None:
    value = odim_envelope(b"x" * 5 * 1024 * 1024)
    kafka_client.create_topic(topic)

    kafka_client.produce(topic, [(None, value, NO_HEADERS)])

    assert [record.value() for record in kafka_client.consume(topic)] == [value]


def test_committed_offsets_come_with_their_metadata(kafka_client: KafkaClient, kafka: KafkaServer, topic: str) -> None:
    kafka_client.create_topic(topic)
    kafka_client.produce(topic, [(None, b"value", NO_HEADERS)], partition=0)
    consumer = Consumer({"bootstrap.servers": kafka.bootstrap_servers, "group.id": topic, "enable.auto.commit": False})

    consumer.commit(offsets=[TopicPartition(topic, 0, 1, "note")], asynchronous=False)
    consumer.close()

    assert kafka_client.committed(topic, topic) == {0: Committed(offset=1, metadata="note")}
    assert kafka_client.committed("no-such-group", topic) == {}


def test_a_deleted_topic_can_be_made_again_and_is_empty(fresh_kafka: KafkaServer, topic: str) -> None:
    client = KafkaClient(fresh_kafka.bootstrap_servers)
    client.create_topic(topic)
    client.produce(topic, [(None, b"value", NO_HEADERS)])

    client.delete_topic(topic)
    assert client.end_offsets(topic) == {}
    client.create_topic(topic, partitions=3)

    assert client.end_offsets(topic) == {0: 0, 1: 0, 2: 0}


def test_the_envelope_is_odims() -> None:
    assert json.loads(odim_envelope(b'{"Events":[]}', ip="10.0.0.1", event_type="MetricReport")) == {
        "ip": "10.0.0.1",
        "request": "eyJFdmVudHMiOltdfQ==",
        "eventType": "MetricReport",
    }
