"""
Kafka as ODIM runs it: TLS for those with a certificate, events on one topic, and on another what ODIM says itself.
"""

import base64
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support.events import event
from tests.support.kafka_client import KafkaClient, odim_envelope
from tests.support.kafka_distribution import KafkaMissingError
from tests.support.kafka_tls import ClientFiles, KafkaCertificates, TlsKafkaServer, make_kafka_certificates
from tests.support.receiver import Receiver
from tests.support.redis_server import RedisServer
from tests.support.relay import Relay
from tests.support.relay_process import RelayProcess, wait_for_end
from tests.support.waiting import wait_until

pytestmark = pytest.mark.server

EVENTS = "REDFISH-EVENTS-TOPIC"
CONTROL = "ODIM-CONTROL-MESSAGES"
PSEUDO_HOSTS = ("SystemsCollection", "ChassisCollection", "ManagerCollection", "FabricsCollection", "TasksCollection")
WRONG_USAGE, UNREACHABLE = 2, 3


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> KafkaCertificates:
    return make_kafka_certificates(tmp_path_factory.mktemp("kafka-certificates") / "made")


@pytest.fixture(scope="module")
def tls_kafka(certificates: KafkaCertificates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsKafkaServer]:
    try:
        server = TlsKafkaServer(tmp_path_factory.mktemp("kafka-tls"), certificates)
    except KafkaMissingError as exc:
        pytest.skip(f"needs Apache Kafka, but there is {exc}")
    with server:
        yield server


def security(files: ClientFiles) -> dict[str, object]:
    return {
        "KAFKA__SECURITY__PROTOCOL": "SSL",
        "KAFKA__SECURITY__CA_FILE": files.ca_file,
        "KAFKA__SECURITY__CERT_FILE": files.cert_file,
        "KAFKA__SECURITY__KEY_FILE": files.key_file,
    }


def of_odim_itself(number: int, host: str) -> bytes:
    """
    An event that no machine sent: ODIM has added or removed something, or a task of its has ended.
    """
    return odim_envelope(event(number, origin=f"/redfish/v1/Systems/{number}"), ip=host)


def plugin_start_up() -> bytes:
    body = {"Name": "Plugin startup event", "Type": "PluginStarted", "OriginatorID": "10.233.90.24"}
    return odim_envelope(json.dumps(body).encode(), ip="grfplugin:45001", event_type="PluginStartUp")


def control_message() -> bytes:
    data = json.dumps({"PluginID": "GRF", "EMBQueues": [EVENTS]}).encode()
    return json.dumps({"MessageType": 0, "Data": base64.b64encode(data).decode()}).encode()


def ids_at(receiver: Receiver, path: str) -> list[str]:
    """
    The numbers of the events that have come, each as often as it came.
    """
    return sorted(json.loads(body)["Events"][0]["EventId"] for _, _, body in receiver.bodies(path))


def test_both_topics_are_read_side_by_side_over_tls_and_what_is_no_event_is_counted_and_left_alone(
    tls_kafka: TlsKafkaServer, certificates: KafkaCertificates, fresh_redis: RedisServer, tmp_path: Path
) -> None:
    hands = KafkaClient(tls_kafka.bootstrap_servers)
    hands.create_topic(CONTROL, 2)
    settings = {
        "KAFKA__BOOTSTRAP_SERVERS": tls_kafka.tls_servers,
        "KAFKA__TOPICS": json.dumps([EVENTS, CONTROL]),
        **security(certificates.client),
    }
    with (
        Receiver.start(scheme="https") as receiver,
        Relay(
            tmp_path / "relay",
            redis=fresh_redis,
            kafka=tls_kafka.bootstrap_servers,
            receiver=receiver,
            partitions=2,
            settings=settings,
        ) as relay,
    ):
        subscriber = relay.subscribe()
        wait_until(
            lambda: len(relay.ledger.positions(CONTROL)) == 2, timeout_s=30, what="the bridge to have the second topic"
        )
        relay.publish(event(number) for number in range(100))
        hands.produce(
            CONTROL,
            [
                (None, value, [])
                for number, host in enumerate(PSEUDO_HOSTS, 100)
                for value in (plugin_start_up(), of_odim_itself(number, host), control_message())
            ],
        )
        receiver.wait_for_accepted(subscriber.path, 105, timeout_s=60)
        wait_until(
            lambda: sum(offset for _, offset in relay.ledger.positions(CONTROL).values()) == 15,
            timeout_s=30,
            what="the whole second topic to be taken in",
        )
        relay.settle()

        assert ids_at(receiver, subscriber.path) == sorted(str(number) for number in range(105))
        status = status_of(relay)
        assert status["kafka_lag"] == 0
        assert {row["topic"] for row in status["partitions"]} == {EVENTS, CONTROL}
        counters = status["counters"]
        assert counters["records_ignored"] == 10
        assert counters["records_ignored:plugin_start_up"] == 5
        assert counters["records_ignored:control_message"] == 5
        assert relay.ledger.quarantine_count() == 0
        relay.check_health()


def status_of(relay: Relay) -> dict[str, Any]:
    command = relay.command("status", "--json")
    command.launch()
    assert wait_for_end(command) == 0, command.log()
    document: dict[str, Any] = json.loads(command.log())
    return document


def without(settings: Mapping[str, object], *names: str) -> dict[str, object]:
    return {name: value for name, value in settings.items() if name.rpartition("__")[2] not in names}


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        pytest.param("no certificate", "KAFKA__SECURITY__CERT_FILE", id="without a certificate"),
        pytest.param("a stranger's certificate", "KAFKA__SECURITY__CERT_FILE", id="with a stranger's certificate"),
        pytest.param("another authority", "KAFKA__SECURITY__CA_FILE", id="with another authority"),
        pytest.param("plain text", "KAFKA__SECURITY__PROTOCOL", id="without TLS"),
        pytest.param("TLS where there is none", "KAFKA__SECURITY__PROTOCOL", id="with TLS where there is none"),
    ],
)
def test_a_refused_bridge_reads_nothing_and_says_which_setting_the_broker_minds(
    tls_kafka: TlsKafkaServer,
    certificates: KafkaCertificates,
    redis_server: RedisServer,
    key_prefix: str,
    tmp_path: Path,
    changed: str,
    named: str,
) -> None:
    good, stranger = security(certificates.client), security(certificates.stranger)
    chosen = {
        "no certificate": without(good, "CERT_FILE", "KEY_FILE"),
        "a stranger's certificate": {**stranger, "KAFKA__SECURITY__CA_FILE": certificates.client.ca_file},
        "another authority": {**good, "KAFKA__SECURITY__CA_FILE": certificates.stranger.ca_file},
        "plain text": {},
        "TLS where there is none": {**good, "KAFKA__BOOTSTRAP_SERVERS": tls_kafka.bootstrap_servers},
    }[changed]
    settings = {
        "REDIS__URL": redis_server.url(),
        "REDIS__KEY_PREFIX": key_prefix,
        "KAFKA__BOOTSTRAP_SERVERS": tls_kafka.tls_servers,
        "KAFKA__TOPICS": json.dumps([EVENTS]),
        "KAFKA__GROUP_ID": key_prefix,
        "LOG__FORMAT": "json",
        **chosen,
    }
    env = {f"ODIM_RELAY_{name}": str(value) for name, value in settings.items()}
    command = ["-m", "tests.support.bridge_program", "--waits-s", "1", "--answer-s", "5"]
    bridge = RelayProcess("bridge", command, tmp_path, env, ready="")
    bridge.launch()

    assert wait_for_end(bridge, timeout_s=90) == UNREACHABLE
    last = bridge.log().splitlines()[-1]
    assert last.startswith("odim-relay: Kafka failed while")
    assert named in last
    # Tried many times a second, told once.
    assert len(bridge.lines("kafka.failed")) <= 5
    assert not bridge.lines("bridge.started")


@pytest.mark.parametrize("setting", ["CA_FILE", "CERT_FILE", "KEY_FILE"])
def test_a_file_that_is_not_there_ends_the_bridge_at_once_and_its_setting_is_named(
    certificates: KafkaCertificates, redis_server: RedisServer, key_prefix: str, tmp_path: Path, setting: str
) -> None:
    settings = {
        "REDIS__URL": redis_server.url(),
        "REDIS__KEY_PREFIX": key_prefix,
        **security(certificates.client),
        f"KAFKA__SECURITY__{setting}": tmp_path / "nowhere.pem",
    }
    env = {f"ODIM_RELAY_{name}": str(value) for name, value in settings.items()}
    bridge = RelayProcess("bridge", ["-m", "odim_relay", "bridge"], tmp_path, env, ready="")
    bridge.launch()

    assert wait_for_end(bridge) == WRONG_USAGE
    assert bridge.log().startswith(f"odim-relay: KAFKA__SECURITY__{setting}: ")
