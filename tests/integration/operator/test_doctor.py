"""
`odim-relay doctor` before real servers that are wrong in one way each.
"""

import json
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import trustme
from click.testing import CliRunner
from confluent_kafka import KafkaException

from odim_relay import bootstrap
from odim_relay.adapters.redis import inspection
from odim_relay.cli.main import main
from odim_relay.domain.subscription import Subscription
from tests.support.command_line import as_before
from tests.support.kafka_client import KafkaClient
from tests.support.kafka_mock import KafkaMock
from tests.support.kafka_server import KafkaServer
from tests.support.processes import free_port
from tests.support.redis_server import RedisServer
from tests.support.relay_process import RelayProcess, procfile_command
from tests.support.waiting import wait_until

pytestmark = pytest.mark.server

Found = dict[str, dict[str, Any]]
Examine = Callable[..., tuple[int, Found]]


@pytest.fixture
def examine(
    fresh_redis: RedisServer,
    kafka: KafkaServer | KafkaMock,
    kafka_client: KafkaClient,
    topic: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Examine:
    """
    Runs the doctor under these settings, over a Redis of this test's own and a topic that there is, after `prepare`
    under the same; gives its exit code and its findings by subject.
    """
    kafka_client.create_topic(topic)
    wait_until(lambda: knows_groups(kafka_client, topic), timeout_s=60, what="Kafka to know of groups")
    monkeypatch.chdir(tmp_path)

    def run(*options: str, prepare: Callable[[], None] = lambda: None, **settings: object) -> tuple[int, Found]:
        chosen = {
            "REDIS__URL": fresh_redis.url(),
            "KAFKA__BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
            "KAFKA__TOPICS": json.dumps([topic]),
            "KAFKA__GROUP_ID": f"group-{topic}",
            **settings,
        }
        with monkeypatch.context() as environment, as_before():
            for name, value in chosen.items():
                environment.setenv(f"ODIM_RELAY_{name}", str(value))
            prepare()
            done = CliRunner().invoke(main, ["doctor", "--json", *options])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.output
        return done.exit_code, by_subject(json.loads(done.stdout))

    return run


def knows_groups(client: KafkaClient, topic: str) -> bool:
    """
    One that has just started makes the topic of its groups first.
    """
    try:
        client.committed(f"group-{topic}", topic)
    except KafkaException:
        return False
    return True


def by_subject(findings: list[dict[str, Any]]) -> Found:
    found = {one["subject"]: one for one in findings}
    assert len(found) == len(findings), "two findings have the same subject"
    return found


def wrong(found: Found) -> set[str]:
    assert all(one["remedy"] for one in found.values() if one["is_wrong"])
    return {subject for subject, one in found.items() if one["is_wrong"]}


@pytest.fixture
def settings(fresh_redis: RedisServer, kafka: KafkaServer | KafkaMock, topic: str) -> Mapping[str, str]:
    chosen = {
        "REDIS__URL": fresh_redis.url(),
        "KAFKA__BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        "KAFKA__TOPICS": json.dumps([topic]),
        "KAFKA__GROUP_ID": f"group-{topic}",
        "LOG__FORMAT": "json",
    }
    return {f"ODIM_RELAY_{name}": value for name, value in chosen.items()}


@pytest.fixture
def processes(settings: Mapping[str, str], tmp_path: Path) -> Iterator[dict[str, RelayProcess]]:
    """
    Those of the Procfile that a relay needs, not started yet.
    """
    ready = {"bridge": "bridge.started", "worker": " ready.", "maintenance": " ready.", "beat": "beat.sending"}
    made = {
        name: RelayProcess(name, procfile_command(name), tmp_path, settings, ready=sign) for name, sign in ready.items()
    }
    yield made
    for process in made.values():
        process.kill()


# --- Redis ---


def test_good_stores_have_nothing_wrong_and_no_process_has_to_run(examine: Examine) -> None:
    exit_code, found = examine("--stores")

    assert (exit_code, wrong(found)) == (0, set()), found
    assert {"redis memory", "redis answers", "redis clock", "ledger budget", "settings"} <= found.keys()
    assert found["redis clock"]["found"] == "as this host's"


@pytest.mark.parametrize(
    ("options", "subject", "told"),
    [
        ({"maxmemory": str(64 * 2**20)}, "ledger budget", "64.0 MiB maxmemory"),
        ({"maxclients": "100"}, "redis connections", "of 100"),
        ({"appendonly": "no", "save": "60 1"}, "redis persistence", "appendonly is no"),
    ],
    ids=str,
)
def test_a_server_that_is_configured_wrong_is_told_with_its_figures(
    examine: Examine, fresh_redis: RedisServer, options: dict[str, str], subject: str, told: str
) -> None:
    with fresh_redis.client() as client:
        for name, value in options.items():
            client.config_set(name, value)

    exit_code, found = examine("--stores", REDIS__REQUIRE_DURABLE="false", LEDGER__MAX_BYTES=200 * 2**20)

    assert (exit_code, wrong(found)) == (1, {subject})
    assert told in found[subject]["found"]


def test_a_server_that_is_full_or_has_evicted_is_told(examine: Examine, fresh_redis: RedisServer) -> None:
    with fresh_redis.client(3) as client:
        client.config_set("maxmemory-policy", "allkeys-random")
        client.config_set("maxmemory", 3 * 2**20)
        for number in range(3_000):
            client.set(f"filler-{number}", b"x" * 1_000)
        client.config_set("maxmemory-policy", "noeviction")

    exit_code, found = examine(
        "--stores", LEDGER__MAX_BYTES=2**20, QUARANTINE__MAX_BYTES=0, API__JOURNAL_MAX_BYTES=65_536
    )

    # The broker, which is there too, takes nothing either.
    assert (exit_code, wrong(found)) == (3, {"redis memory", "redis evicted keys", "broker"})
    assert "maxmemory" in found["broker"]["found"]
    assert int(found["redis evicted keys"]["found"].split()[0]) > 0


def test_a_clock_that_is_off_is_told(examine: Examine, monkeypatch: pytest.MonkeyPatch) -> None:
    class HourBehind:
        monotonic = staticmethod(time.monotonic)

        @staticmethod
        def time() -> float:
            return time.time() - 3_600

    monkeypatch.setattr(inspection, "time", HourBehind)

    exit_code, found = examine("--stores")

    assert (exit_code, wrong(found)) == (1, {"redis clock"})
    assert found["redis clock"]["found"] == "1 hour before this host's"


def test_a_redis_that_is_away_is_a_matter_of_its_own(examine: Examine, fresh_redis: RedisServer) -> None:
    fresh_redis.kill()

    exit_code, found = examine()

    assert exit_code == 3
    assert wrong(found) >= {"redis", "broker"}
    assert found["redis"]["is_unreachable"]
    assert "redis memory" not in found


# --- Kafka ---


def test_a_kafka_that_is_away_is_told_and_the_rest_is_looked_at(examine: Examine) -> None:
    exit_code, found = examine("--stores", KAFKA__BOOTSTRAP_SERVERS="127.0.0.1:1")

    assert (exit_code, wrong(found)) == (3, {"kafka"})
    assert "redis memory" in found


@pytest.mark.parametrize(
    ("configuration", "subject"),
    [({"retention.ms": "3600000"}, "retention"), ({"cleanup.policy": "compact"}, "cleanup")],
    ids=str,
)
def test_a_topic_that_forgets_is_told(
    examine: Examine,
    kafka: KafkaServer | KafkaMock,
    kafka_client: KafkaClient,
    configuration: dict[str, str],
    subject: str,
) -> None:
    if isinstance(kafka, KafkaMock):
        pytest.skip("needs Apache Kafka: librdkafka's mock broker does not describe its topics")
    forgetful = f"forgetful-{uuid4().hex[:8]}"
    kafka_client.create_topic(forgetful, options=configuration)

    exit_code, found = examine("--stores", KAFKA__TOPICS=json.dumps([forgetful]))

    assert (exit_code, wrong(found)) == (1, {f"topic {forgetful} {subject}"})


# --- processes ---


def test_who_does_not_run_is_told_with_the_command_that_starts_it(examine: Examine) -> None:
    exit_code, found = examine()

    assert exit_code == 1
    assert wrong(found) - {"bridges"} == {"workers", "beat"}
    assert "celery -A odim_relay worker -Q maintenance" in found["workers"]["remedy"]


def test_who_runs_answers_with_version_and_queue(
    examine: Examine, processes: dict[str, RelayProcess], kafka: KafkaServer | KafkaMock
) -> None:
    for process in processes.values():
        process.launch()
    for process in processes.values():
        process.wait_ready()

    exit_code, found = examine()

    assert (exit_code, wrong(found)) == (0, set())
    assert found["workers"]["found"] == "1 for deliveries, 1 for maintenance"
    assert found["worker clocks"]["found"] == "as this host's"
    if not isinstance(kafka, KafkaMock):
        assert found["bridges"]["found"] == "1 for 1 partitions"

    processes["maintenance"].terminate()
    exit_code, found = examine()
    assert (exit_code, wrong(found)) == (1, {"workers"})
    assert "nothing is replayed" in found["workers"]["found"]


# --- files, certificates, settings ---


def expired(authority: trustme.CA, folder: Path) -> Path:
    path = folder / "expired.pem"
    now = datetime.now(UTC)
    made = authority.issue_cert("client.example", not_before=now - timedelta(days=3), not_after=now - timedelta(days=1))
    made.private_key_and_cert_chain_pem.write_to_path(path)
    return path


def test_the_files_of_a_subscription_are_read_as_its_requests_would(examine: Examine, tmp_path: Path) -> None:
    authority = trustme.CA()
    expired(authority, tmp_path)
    authority.issue_cert("client.example").private_key_and_cert_chain_pem.write_to_path(tmp_path / "good.pem")

    def subscribe() -> None:
        for id_, name in {"missing": "gone.pem", "late": "expired.pem", "well": "good.pem"}.items():
            bootstrap.subscription_store().save(
                Subscription(subscription_id=id_, destination="https://192.0.2.1/", client_certificate_file=name)
            )

    exit_code, found = examine("--stores", DELIVERY__TLS_DIR=tmp_path, prepare=subscribe)

    assert (exit_code, wrong(found)) == (1, {"tls files: subscription missing", "tls files: subscription late"})
    assert "gone.pem cannot be read" in found["tls files: subscription missing"]["found"]
    assert "has expired" in found["tls files: subscription late"]["found"]


@pytest.mark.parametrize("setting", ["DELIVERY__CA_FILE", "REDIS__CA_FILE", "KAFKA__SECURITY__CA_FILE"])
def test_a_file_that_a_setting_names_and_that_is_gone_is_told(examine: Examine, setting: str) -> None:
    _, found = examine("--stores", **{setting: "/nowhere/ca.pem"})

    assert f"tls files: {setting}" in wrong(found)


def test_a_certificate_of_the_api_that_has_expired_is_told(examine: Examine, tmp_path: Path) -> None:
    authority = trustme.CA()
    good = tmp_path / "good.pem"
    authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(good)

    exit_code, found = examine("--stores", API__TLS_CERT_FILE=good)
    assert (exit_code, found["certificate of the api"]["is_wrong"]) == (0, False)
    exit_code, found = examine("--stores", API__TLS_CERT_FILE=expired(authority, tmp_path))
    assert (exit_code, wrong(found)) == (1, {"certificate of the api"})
    assert found["certificate of the api"]["found"] == "expired 1 day ago"
    exit_code, found = examine("--stores", API__TLS_CERT_FILE="/nowhere/at-all.pem")
    assert (exit_code, "certificate of the api" in wrong(found)) == (1, True)


def test_the_apis_own_certificate_is_told_and_never_wrong(examine: Examine) -> None:
    def make() -> None:
        assert bootstrap.service_identity().certificate()

    _, found = examine("--stores", prepare=make)

    assert found["certificate of the api"]["found"].startswith("self-signed, expires in ")
    assert not found["certificate of the api"]["is_wrong"]


def test_settings_that_contradict_each_other_are_told(examine: Examine) -> None:
    port = free_port()

    exit_code, found = examine(
        "--stores",
        LEDGER__REAP_INTERVAL_S=60,
        BREAKER__PROBE_INTERVAL_S=900,
        EGRESS__ALLOW='["10.1.0.0/16"]',
        EGRESS__DENY='["10.0.0.0/8"]',
        EGRESS__PROXY=f"http://user:pass@127.0.0.1:{port}",
    )

    assert exit_code == 1
    assert wrong(found) == {
        "settings: half of LEDGER__REAP_INTERVAL_S",
        "settings: LEDGER__REAP_INTERVAL_S",
        "settings: BREAKER__PROBE_INTERVAL_S",
        "egress",
        "egress proxy",
    }
    assert "pass" not in json.dumps(found).replace("password", "")


def test_a_proxy_that_listens_is_well(examine: Examine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        exit_code, found = examine("--stores", EGRESS__PROXY=f"socks5://127.0.0.1:{listening.getsockname()[1]}")

    assert (exit_code, found["egress proxy"]["is_wrong"]) == (0, False)


def test_a_person_reads_what_is_wrong_and_what_to_do(
    fresh_redis: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with fresh_redis.client() as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
    with pytest.MonkeyPatch.context() as environment, as_before():
        environment.setenv("ODIM_RELAY_REDIS__URL", fresh_redis.url())
        environment.setenv("ODIM_RELAY_KAFKA__BOOTSTRAP_SERVERS", "127.0.0.1:1")
        done = CliRunner().invoke(main, ["doctor", "--stores"])

    assert done.exit_code == 3
    assert "wrong  redis eviction: maxmemory-policy is allkeys-lru\n       any other policy drops" in done.stdout
    assert "ok     redis persistence: appendonly is yes\n" in done.stdout
