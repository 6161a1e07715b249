"""
The servers of the tests. Each test says by its fixtures what it needs; nothing starts that nobody asked for.
"""

import os
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.kafka_client import KafkaClient
from tests.support.kafka_distribution import KafkaMissingError, home, java, kafka_version
from tests.support.kafka_mock import KafkaMock
from tests.support.kafka_server import KafkaServer
from tests.support.rabbitmq_server import RabbitMQMissingError, RabbitMQServer, rabbitmq_in_words
from tests.support.redfish_schemas import are_schemas_here
from tests.support.redis_server import RedisBinary, RedisServer, redis_binaries
from tests.support.skip_gate import ALLOWED_SKIPS, SkipGate, read_allowed

IN_CI = os.environ.get("CI") == "true"


def pytest_configure(config: pytest.Config) -> None:
    if IN_CI:
        allowed = read_allowed(ALLOWED_SKIPS.read_text().splitlines())
        config.pluginmanager.register(SkipGate(allowed), "skip_gate")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    in_containers = [item for item in items if item.get_closest_marker("docker")]
    if in_containers and not engine_answers():
        for item in in_containers:
            item.add_marker(pytest.mark.skip(reason="needs a container engine, and none answers"))


def engine_answers() -> bool:
    """
    Whether a container engine runs here that pytest-celery's own nodes could use.
    """
    client = shutil.which("docker")
    return client is not None and subprocess.run([client, "version"], capture_output=True, check=False).returncode == 0


def pytest_report_header() -> list[str]:
    """
    Which servers the tests run against, and what is missing for better ones.
    """
    return [
        f"redis: {', '.join(map(str, redis_binaries()))}",
        f"kafka: {kafka_in_words()}",
        f"rabbitmq: {rabbitmq_in_words()}",
        f"redfish schemas: {schemas_in_words()}",
    ]


def schemas_in_words() -> str:
    return "here" if are_schemas_here() else "not here: what clients receive is not held against them"


def kafka_in_words() -> str:
    try:
        java()
    except KafkaMissingError as exc:
        return f"{KafkaMock.description}, for there is {exc}"
    fetched = "" if home().is_dir() else ", to be fetched by Maven when a test needs it"
    return f"Apache Kafka {kafka_version()}{fetched}"


@pytest.fixture(scope="session")
def redis_binary(request: pytest.FixtureRequest) -> RedisBinary:
    """
    The Redis of the fixtures below: the bundled one.

    A test that shall run on every Redis there is takes `@pytest.mark.parametrize("redis_binary", redis_binaries(),
    ids=str, indirect=True)`.
    """
    chosen: RedisBinary = getattr(request, "param", redis_binaries()[0])
    return chosen


@pytest.fixture(scope="session")
def redis_server(redis_binary: RedisBinary, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """
    One Redis for all tests, with the data of those before. For tests that only read, or use `key_prefix`.
    """
    with RedisServer(tmp_path_factory.mktemp("redis"), binary=redis_binary) as server:
        yield server


@pytest.fixture
def empty_redis(redis_server: RedisServer) -> RedisServer:
    """
    The Redis of all tests, emptied: every database, and the loaded scripts.
    """
    redis_server.empty()
    return redis_server


@pytest.fixture
def fresh_redis(redis_binary: RedisBinary, tmp_path: Path) -> Iterator[RedisServer]:
    """
    A Redis for this test alone, to kill, hang and restart.
    """
    with RedisServer(tmp_path / "redis", binary=redis_binary) as server:
        yield server


@pytest.fixture
def key_prefix() -> str:
    """
    A prefix for keys that no other test uses.
    """
    return f"test-{uuid.uuid4().hex[:8]}:"


def best_kafka(folder: Path) -> KafkaServer | KafkaMock:
    try:
        return KafkaServer(folder)
    except KafkaMissingError as exc:
        if IN_CI:
            pytest.fail(f"CI needs Apache Kafka: {exc}")
        return KafkaMock(folder)


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaServer | KafkaMock]:
    """
    One Kafka for all tests: Apache Kafka, or librdkafka's mock broker where that cannot be had.
    """
    with best_kafka(tmp_path_factory.mktemp("kafka")) as server:
        yield server


@pytest.fixture
def fresh_kafka(tmp_path: Path) -> Iterator[KafkaServer]:
    """
    An Apache Kafka for this test alone, to kill, hang and restart. Skips the test where there is none.
    """
    server = best_kafka(tmp_path / "kafka")
    if isinstance(server, KafkaMock):
        pytest.skip(f"needs Apache Kafka, but there is only {kafka_in_words()}")
    with server:
        yield server


@pytest.fixture
def fresh_rabbitmq(tmp_path: Path) -> Iterator[RabbitMQServer]:
    """
    A RabbitMQ for this test alone, to kill, hang and restart. Skips the test where there is none.
    """
    try:
        server = RabbitMQServer(tmp_path / "rabbitmq")
    except RabbitMQMissingError as exc:
        pytest.skip(f"needs RabbitMQ, but there is {exc}")
    with server:
        yield server


@pytest.fixture
def kafka_client(kafka: KafkaServer | KafkaMock) -> KafkaClient:
    """
    Hands on `kafka`.
    """
    return KafkaClient(kafka.bootstrap_servers)


@pytest.fixture
def topic() -> str:
    """
    The name of a topic that no other test uses; it is not made yet.
    """
    return f"topic-{uuid.uuid4().hex[:8]}"
