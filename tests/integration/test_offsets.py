"""
Starting elsewhere by hand, on a real Kafka: the way out when a bridge refuses the ledger (L12).
"""

import json
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from confluent_kafka import Consumer

from odim_relay import bootstrap
from odim_relay.cli.main import main
from odim_relay.ports import TopicPartition
from odim_relay.use_cases.start import LedgerMissingError, check_ledger
from tests.support.command_line import as_before
from tests.support.events import events
from tests.support.kafka_client import KafkaClient
from tests.support.kafka_mock import KafkaMock
from tests.support.kafka_server import KafkaServer
from tests.support.redis_server import RedisServer
from tests.support.waiting import wait_until

pytestmark = pytest.mark.server


@pytest.fixture
def kafka_server(kafka: KafkaServer | KafkaMock) -> KafkaServer:
    if isinstance(kafka, KafkaMock):
        pytest.skip("needs Apache Kafka: the mock broker does not tell who is in a group")
    return kafka


@pytest.fixture
def cli(
    kafka_server: KafkaServer,
    kafka_client: KafkaClient,
    redis_server: RedisServer,
    topic: str,
    key_prefix: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[CliRunner]:
    """
    The command line over a topic of two partitions, with three records in each, that no bridge has read.
    """
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "REDIS__URL": redis_server.url(),
        "REDIS__KEY_PREFIX": key_prefix,
        "KAFKA__BOOTSTRAP_SERVERS": kafka_server.bootstrap_servers,
        "KAFKA__TOPICS": json.dumps([topic]),
        "KAFKA__GROUP_ID": f"group-{uuid.uuid4().hex[:8]}",
    }.items():
        monkeypatch.setenv(f"ODIM_RELAY_{name}", value)
    kafka_client.create_topic(topic, 2)
    for partition in (0, 1):
        kafka_client.produce(topic, ((None, payload, []) for payload in events(3)), partition=partition)
    with as_before():
        yield CliRunner()


def ok(result: Result) -> str:
    assert result.exit_code == 0, result.output
    return result.stdout


def positions(cli: CliRunner) -> list[tuple[int | None, int | None]]:
    """
    The ledger's and the committed offset of each partition.
    """
    rows = json.loads(ok(cli.invoke(main, ["offsets", "show", "--json"])))
    return [
        (row["ledger"] and row["ledger"]["offset"], row["committed"] and row["committed"]["offset"]) for row in rows
    ]


def would_start() -> bool:
    source = bootstrap.kafka_source()
    try:
        check_ledger(bootstrap.ingest_ledger(), source)
    except LedgerMissingError:
        return False
    finally:
        source.close()
    return True


def test_a_lost_ledger_is_mended_by_a_reset(cli: CliRunner, topic: str) -> None:
    partitions = [TopicPartition(topic=topic, partition=number) for number in (0, 1)]
    bootstrap.consumer_group().commit(dict.fromkeys(partitions, 2), "of a ledger that is gone")
    assert not would_start()
    assert positions(cli) == [(None, 2), (None, 2)]
    doctor = cli.invoke(main, ["doctor", "--stores", "--json"])
    assert doctor.exit_code == 1
    assert [one["subject"] for one in json.loads(doctor.stdout) if one["is_wrong"]] == ["ledger"]

    planned = ok(cli.invoke(main, ["offsets", "reset", "earliest", "--dry-run"]))
    assert topic in planned
    assert positions(cli) == [(None, 2), (None, 2)]

    one = cli.invoke(main, ["offsets", "reset", "1", "--topic", topic, "--partition", "1", "--yes"])
    assert one.exit_code == 1
    assert "bridges will still not start" in one.stderr
    ok(cli.invoke(main, ["offsets", "reset", "earliest", "--yes"]))
    assert positions(cli) == [(0, 0), (0, 0)]
    assert would_start()
    assert cli.invoke(main, ["doctor", "--stores"]).exit_code == 0
    ok(cli.invoke(main, ["offsets", "reset", "latest", "--yes"]))
    assert positions(cli) == [(3, 3), (3, 3)]
    ok(cli.invoke(main, ["offsets", "reset", "1h", "--yes"]))
    assert positions(cli) == [(0, 0), (0, 0)]
    ok(cli.invoke(main, ["offsets", "reset", "2999-01-01T00:00:00Z", "--yes"]))
    assert positions(cli) == [(3, 3), (3, 3)]


def test_nothing_happens_unless_it_is_wanted(cli: CliRunner) -> None:
    refused = cli.invoke(main, ["offsets", "reset", "latest"], input="n\n")
    assert refused.exit_code == 1
    outside = cli.invoke(main, ["offsets", "reset", "4", "--yes"])
    assert outside.exit_code == 1
    assert "which holds 0 to 3" in outside.stderr
    nowhere = cli.invoke(main, ["offsets", "reset", "latest", "--topic", "other", "--yes"])
    assert nowhere.exit_code == 1
    assert positions(cli) == [(None, None), (None, None)]


def test_a_reset_is_refused_while_a_bridge_is_active(cli: CliRunner, topic: str) -> None:
    settings = bootstrap.settings().kafka
    bridge = Consumer({"bootstrap.servers": settings.bootstrap_servers, "group.id": settings.group_id})
    bridge.subscribe([topic])

    def is_reading() -> bool:
        bridge.poll(0.05)
        return len(bootstrap.consumer_group().reading()) == 2

    wait_until(is_reading, timeout_s=20, what="both partitions for the bridge")
    refused = cli.invoke(main, ["offsets", "reset", "latest", "--yes"])
    bridge.close()
    assert refused.exit_code == 1
    assert "1 bridge is active in the group: stop all of them first" in refused.stderr
    assert positions(cli) == [(None, None), (None, None)]
    ok(cli.invoke(main, ["offsets", "reset", "latest", "--yes"]))
    assert positions(cli) == [(3, 3), (3, 3)]


def test_published_bytes_arrive_as_they_stood_in_the_file(
    cli: CliRunner, kafka_client: KafkaClient, topic: str, tmp_path: Path
) -> None:
    lines = [b'{ "Id" : "1" }', b'{"Id":"\\u00e4","n":1.0}']
    (tmp_path / "events.jsonl").write_bytes(b"\n".join(lines))
    said = ok(cli.invoke(main, ["publish", "--format", "redfish", "events.jsonl"]))
    assert said == f"2 events published to {topic}\n"
    # Of one source, so in one partition and in order.
    assert [record.value() for record in kafka_client.consume(topic) if record.key() == b"127.0.0.1"] == lines
    (tmp_path / "bad.jsonl").write_bytes(b"\n".join([*lines, b"{"]))
    refused = cli.invoke(main, ["publish", "events.jsonl", "bad.jsonl"])
    assert refused.exit_code == 1
    assert refused.stderr.startswith("odim-relay: bad.jsonl, line 3: not JSON")
    unknown = cli.invoke(main, ["publish", "--topic", "nowhere", "events.jsonl"])
    assert unknown.exit_code == 1
    assert "topic nowhere cannot be written to" in unknown.stderr
    idle = cli.invoke(main, ["publish", "--format", "redfish", "--source", "h", "events.jsonl"])
    assert idle.exit_code == 2
