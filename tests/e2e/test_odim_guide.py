"""
The commands in docs/odim.md, one after the other, against an ODIM whose Redis and Kafka want client certificates.
"""

import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.documents import blocks
from tests.support.events import event
from tests.support.kafka_client import KafkaClient, odim_envelope
from tests.support.kafka_distribution import KafkaMissingError
from tests.support.kafka_tls import KafkaCertificates, TlsKafkaServer, make_kafka_certificates
from tests.support.odim_redis import OdimRedis, OdimSubscription
from tests.support.odim_reference import AGGREGATES
from tests.support.receiver import Receiver
from tests.support.redis_server import RedisServer
from tests.support.relay_process import ROOT, RelayProcess, procfile_command, start_all
from tests.support.relay_settings import QUICK
from tests.support.terminal import run_script
from tests.support.tls_proxy import TlsProxy
from tests.support.waiting import wait_until

pytestmark = pytest.mark.server

DOCUMENT = ROOT / "docs" / "odim.md"
TOPICS = ("REDFISH-EVENTS-TOPIC", "ODIM-CONTROL-MESSAGES")
SYSTEMS = {
    f"10.24.0.{number}": f"/redfish/v1/Systems/6d4a0a66-7efa-578e-83cf-44dc68d2874{number}.1" for number in range(9)
}
GROUP = "0c0b6c3e-33bb-4f0e-9a54-9c5d1ce37a11"
READER = ("on", ">secret", "~*", "&*", "-@all", "+@read", "+multi", "+exec", "+psubscribe", "+ping", "+select")
PATIENCE_S = 90.0


@dataclass(frozen=True, slots=True)
class Ground:
    """
    The servers that the guide speaks of, and what a reader fills in.
    """

    odim: OdimRedis
    kafka: KafkaClient
    receiver: Receiver
    folder: Path
    env: Mapping[str, str]

    def run(self, script: str) -> str:
        """
        Run commands as a person would who has typed the document's settings before; returns what they print.
        """
        return run_script(script, env=self.env, folder=self.folder)

    def publish(self, *numbers: int) -> None:
        """
        An event of each number, from one server after the other, as its BMC says it.
        """
        hosts = list(SYSTEMS)
        self.kafka.produce(
            TOPICS[0],
            [
                (None, odim_envelope(event(number, origin="/ODIM/v1/Systems/1"), ip=hosts[number % len(hosts)]), [])
                for number in numbers
            ],
        )

    def arrived(self, path: str) -> list[tuple[str, str]]:
        """
        Number and origin of each event that came, but for test events.
        """
        bodies = [json.loads(body)["Events"][0] for _, _, body in self.receiver.bodies(path)]
        return sorted(
            (record["EventId"], record["OriginOfCondition"]["@odata.id"])
            for record in bodies
            if not record["MessageId"].endswith("TestMessage")
        )


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Ground]:
    for program in ("redis-cli", "bash"):
        if shutil.which(program) is None:
            pytest.skip(f"needs {program}")
    certificates = make_kafka_certificates(tmp_path / "odim_tls")
    with ExitStack() as stack:
        try:
            kafka = stack.enter_context(TlsKafkaServer(tmp_path / "kafka", certificates))
        except KafkaMissingError as exc:
            pytest.skip(f"needs Apache Kafka, but there is {exc}")
        client = KafkaClient(kafka.bootstrap_servers)
        for topic in TOPICS:
            client.create_topic(topic)
        receiver = stack.enter_context(Receiver.start(scheme="https"))
        odim_server = stack.enter_context(RedisServer(tmp_path / "odim-redis"))
        relay_redis = stack.enter_context(RedisServer(tmp_path / "relay-redis"))
        proxy = stack.enter_context(
            TlsProxy(odim_server.port, chain_file=certificates.keystore, client_ca=certificates.client.ca_file)
        )
        with odim_server.client() as admin:
            admin.execute_command("ACL", "SETUSER", "relay", *READER)
        env = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(tmp_path),
            "PYTHONPATH": str(ROOT),
            "ODIM_TLS": str(tls_folder(tmp_path, certificates)),
            "ODIM_REDIS": f"rediss://relay:secret@127.0.0.1:{proxy.port}/0",
            "ODIM_REDIS_CLI": f"-p {odim_server.port}",
            "KAFKA": kafka.tls_servers,
            "RELAY_REDIS": relay_redis.url(),
            "SUBSCRIBERS_CA": str(receiver.ca_file),
            **{f"ODIM_RELAY_{name}": str(value) for name, value in QUICK.items()},
        }
        yield Ground(OdimRedis(odim_server), client, receiver, tmp_path, env)


def tls_folder(folder: Path, certificates: KafkaCertificates) -> Path:
    """
    The files under the names that the guide gives them.
    """
    named = folder / "named"
    named.mkdir()
    for name, path in {
        "ca.pem": certificates.client.ca_file,
        "client.pem": certificates.client.cert_file,
        "client-key.pem": certificates.client.key_file,
    }.items():
        shutil.copy(path, named / name)
    return named


def environment(ground: Ground, settings: str) -> dict[str, str]:
    """
    What the document's settings make of the environment.
    """
    told = ground.run(f"{settings}\nenv -0")
    return dict(line.split("=", 1) for line in told.split("\0") if line.startswith("ODIM_RELAY_"))


def fill(odim: OdimRedis, receiver: Receiver) -> dict[str, OdimSubscription]:
    """
    Let ODIM know its servers, and who wants their events: by the path at the receiver.
    """
    odim.turn_on_notifications()
    odim.put_own_rows()
    odim.put_devices({address: [origin] for address, origin in SYSTEMS.items()})
    odim.put_aggregate(GROUP, list(SYSTEMS.values())[:3], list(SYSTEMS)[:3])
    theirs = {
        "/all": OdimSubscription(id="3ce177bf-42a4-4335-b1c1-41540a4b65d7", destination=receiver.url("/all?a=1&b=2")),
        "/group": OdimSubscription(
            id="8e0c2d2a-4b0a-4e43-9d5c-0a8a2a4b5d11",
            destination=receiver.url("/group"),
            origin_resources=(AGGREGATES + GROUP,),
        ),
    }
    odim.subscribe(*theirs.values())
    odim.put_undelivered(theirs["/all"].destination, event(900, origin=SYSTEMS["10.24.0.1"]))
    return theirs


@contextmanager
def started(ground: Ground, settings: str) -> Iterator[RelayProcess]:
    """
    The processes of the Procfile, of which the bridge is given.
    """
    env = environment(ground, settings)
    ready = {"bridge": "bridge.started", "worker": " ready.", "maintenance": " ready.", "beat": "beat: Starting..."}
    processes = {
        name: RelayProcess(name, procfile_command(name), ground.folder, env, ready=sign) for name, sign in ready.items()
    }
    try:
        start_all(processes.values())
        yield processes["bridge"]
    finally:
        for process in processes.values():
            process.kill()


def test_the_guide_takes_over_from_odim_without_loss_and_goes_back(ground: Ground) -> None:
    settings, look, take_over, take_away, begin, verify, tidy, back = (
        f"{block.text}\n" for block in blocks(DOCUMENT, "bash")
    )
    redis_cli = take_away.partition("\n")[0] + "\n"
    odim, receiver = ground.odim, ground.receiver
    theirs = fill(odim, receiver)
    before = rows(odim)
    ground.publish(*range(100, 110))  # which ODIM has delivered

    told = ground.run(settings + look)
    assert all(one.id in told for one in theirs.values())
    assert rows(odim) == before
    stopped_at = datetime.now(UTC)
    wait_until(lambda: (datetime.now(UTC) - stopped_at).total_seconds() > 0.01, timeout_s=10, what="a later time")
    ground.publish(*range(9))
    ground.run(settings + take_over)
    ground.run(settings + take_away)
    assert [json.loads(row)["SubscriptionID"] for row in rows(odim)] == ["0"]
    ground.run(f"{settings}STOPPED_AT={stopped_at.isoformat()}\n{begin}")
    with started(ground, settings) as bridge:
        receiver.wait_for_accepted("/all", 10, timeout_s=PATIENCE_S)
        receiver.wait_for_accepted("/group", 3, timeout_s=PATIENCE_S)
        told = ground.run(settings + redis_cli + verify + tidy)
        # And then one test event for each.
        receiver.wait_for_accepted("/all", 11, timeout_s=PATIENCE_S)
        receiver.wait_for_accepted("/group", 4, timeout_s=PATIENCE_S)
        assert bridge.terminate() == 0
        ground.run(settings + redis_cli + back)

    origins = list(SYSTEMS.values())
    everything = sorted([("900", origins[1]), *((str(number), origins[number]) for number in range(9))])
    assert ground.arrived("/all") == everything
    assert ground.arrived("/group") == everything[:3]
    assert all(one.id in told for one in theirs.values())
    assert origins[8] in told
    assert rows(odim) == before
    with odim.server.client() as client:
        assert client.keys("UndeliveredEvents:*") == []
    made = json.loads((ground.folder / "subscriptions-of-odim-relay.json").read_text())
    assert {one["id"] for one in made} == {one.id for one in theirs.values()}


def rows(odim: OdimRedis) -> list[str]:
    with odim.server.client(decode_responses=True) as client:
        found: list[str] = client.zrange("Subscription", 0, -1)
        return found
