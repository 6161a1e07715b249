"""
One relay for the tests of a module, with HTTPS to its subscribers.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.support.browser import open_browser
from tests.support.chromium import ChromiumMissingError, chromium
from tests.support.kafka_mock import KafkaMock
from tests.support.kafka_server import KafkaServer
from tests.support.receiver import Receiver
from tests.support.redis_server import RedisBinary, RedisServer
from tests.support.relay import Relay


@pytest.fixture(scope="module")
def relay(
    request: pytest.FixtureRequest,
    kafka: KafkaServer | KafkaMock,
    redis_binary: RedisBinary,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Relay]:
    """
    A relay that lives as long as the module. A module may set RELAY_SETTINGS and RELAY_PARTITIONS.
    """
    if isinstance(kafka, KafkaMock):
        pytest.skip("needs Apache Kafka, but there is only librdkafka's mock broker")
    settings: dict[str, Any] = getattr(request.module, "RELAY_SETTINGS", {})
    folder = tmp_path_factory.mktemp("relay")
    with (
        RedisServer(folder / "redis", binary=redis_binary) as redis,
        Receiver.start(scheme="https") as receiver,
        Relay(
            folder,
            redis=redis,
            kafka=kafka.bootstrap_servers,
            receiver=receiver,
            partitions=getattr(request.module, "RELAY_PARTITIONS", 1),
            settings=settings,
        ) as relay,
    ):
        yield relay


@pytest.fixture(autouse=True)
def _end_subscriptions(request: pytest.FixtureRequest) -> Iterator[None]:
    """
    A test's subscriptions end with it, and a failed test shows the relay's state and logs.
    """
    yield
    if "relay" not in request.fixturenames:
        return
    relay: Relay = request.getfixturevalue("relay")
    for subscriber in tuple(relay.subscribers.values()):
        relay.unsubscribe(subscriber)
    relay.tell()
    relay.forget()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """
    A Chromium of this module's alone. Skips the test where there is none.
    """
    try:
        chromium()
    except ChromiumMissingError as exc:
        pytest.skip(f"needs a browser, but there is {exc}")
    with open_browser() as found:
        yield found
