"""
librdkafka's own mock of a Kafka broker, for machines where Apache Kafka cannot be had: in memory, and gone with its
process.

Also the program that runs it: it prints its address and serves until it is killed.
"""

import signal
import sys
from pathlib import Path

from confluent_kafka import Producer

from tests.support.processes import LocalProcess


class KafkaMock(LocalProcess):
    """
    One mock broker in a process of its own, which can be killed and hung, but forgets everything and changes its port
    when it starts again. Topics are made on first use, with four partitions.
    """

    start_limit_s = 15.0
    description = "librdkafka's mock broker"
    is_durable = False

    def __init__(self, folder: Path) -> None:
        super().__init__("kafka-mock", [sys.executable, "-m", "tests.support.kafka_mock"], folder)
        self.env["PYTHONPATH"] = str(Path(__file__).parents[2])

    @property
    def bootstrap_servers(self) -> str:
        return self.log(since_start=True).split()[-1]

    def is_ready(self) -> bool:
        return self.log(since_start=True).endswith("\n")


def run() -> None:
    cluster = Producer({"test.mock.num.brokers": 1, "bootstrap.servers": ""})
    (broker,) = cluster.list_topics(timeout=10).brokers.values()
    print(f"{broker.host}:{broker.port}", flush=True)
    signal.pause()


if __name__ == "__main__":
    run()
