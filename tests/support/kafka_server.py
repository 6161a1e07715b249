"""
A real Apache Kafka for tests: one node, broker and controller in one (KRaft).
"""

import shutil
from collections.abc import Mapping
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from tests.support.kafka_distribution import NODE, installed, java_command, kafka_version
from tests.support.processes import LocalProcess, accepts_connections, free_port

QUICK: Mapping[str, str] = {
    # A consumer of a test gets its partitions at once, and a group's metadata needs one small topic.
    "group.initial.rebalance.delay.ms": "0",
    # The group may agree on forgetting a killed consumer after less than the broker's usual 6 s.
    "group.min.session.timeout.ms": "1000",
    "offsets.topic.num.partitions": "1",
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.num.partitions": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    # A killed broker is forgotten, and may come back, after 2 s instead of 9.
    "broker.session.timeout.ms": "2000",
    "broker.heartbeat.interval.ms": "300",
    # Records of 5 MB fit, also in base64.
    "message.max.bytes": str(12 * 1024 * 1024),
    "replica.fetch.max.bytes": str(12 * 1024 * 1024),
    "auto.create.topics.enable": "false",
    # Two cores, few topics: no need for a server's numbers of threads.
    "num.network.threads": "2",
    "num.io.threads": "4",
    "log.cleaner.enable": "true",
    "log.cleaner.dedupe.buffer.size": "4194304",
}


class KafkaServer(LocalProcess):
    """
    One node; `restart`, or `kill` and `start`, keep its ports, folder and records.

    Measured on two cores with Java 17: ready in 2 s, 4 s after a kill, ended by SIGTERM in 0.4 s, 360 MB.
    `options` are names and values of server.properties, beside or instead of those in QUICK.
    Construction fetches Kafka where it is not yet; raises KafkaMissingError when it cannot.
    """

    start_limit_s = 60.0
    terminate_limit_s = 20.0
    description = f"Apache Kafka {kafka_version()}"
    is_durable = True

    def __init__(self, folder: Path, *, options: Mapping[str, str] | None = None) -> None:
        distribution = installed()
        self.port = free_port()
        self.bootstrap_servers = f"127.0.0.1:{self.port}"
        self.log_dirs = folder / "logs"
        shutil.copytree(distribution / "formatted", self.log_dirs)
        node = NODE.format(port=self.port, controller_port=free_port(), log_dirs=self.log_dirs)
        chosen = "".join(f"{name}={value}\n" for name, value in {**QUICK, **(options or {})}.items())
        properties = folder / "server.properties"
        properties.write_text(node + chosen)
        command = java_command(distribution / "lib", heap="512m")
        super().__init__(f"kafka-{self.port}", [*command, "kafka.Kafka", str(properties)], folder)

    def is_ready(self) -> bool:
        # The port first: librdkafka would pause between its own attempts, and tell each of them on stderr.
        if not accepts_connections(self.port):
            return False
        try:
            admin = AdminClient({"bootstrap.servers": self.bootstrap_servers, "log_level": 0})
            return bool(admin.list_topics(timeout=2).brokers)
        except KafkaException:
            return False
