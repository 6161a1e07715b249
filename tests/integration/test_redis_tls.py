"""
The ledger and Celery's queues on a Redis that speaks TLS alone, with an authority of its own.
"""

from pathlib import Path

import pytest

from tests.support.certificates import Certificate, make_certificates
from tests.support.events import events
from tests.support.kafka_mock import KafkaMock
from tests.support.kafka_server import KafkaServer
from tests.support.receiver import Receiver
from tests.support.redis_server import RedisServer
from tests.support.relay import Relay
from tests.support.tls_proxy import TlsProxy

pytestmark = pytest.mark.server

COUNT = 50


def test_with_its_authority_named_once_ledger_and_queues_are_reached(
    kafka: KafkaServer | KafkaMock, fresh_redis: RedisServer, tmp_path: Path
) -> None:
    certificates = make_certificates(tmp_path)
    ours = certificates.chain_files[Certificate.GOOD]
    with (
        TlsProxy(fresh_redis.port, chain_file=ours, client_ca=certificates.ca_file) as proxy,
        Receiver.start() as receiver,
        Relay(
            tmp_path / "relay",
            redis=fresh_redis,
            kafka=kafka.bootstrap_servers,
            receiver=receiver,
            settings={
                "REDIS__URL": f"rediss://127.0.0.1:{proxy.port}/0?ssl_certfile={ours}&ssl_keyfile={ours}",
                "REDIS__CA_FILE": certificates.ca_file,
            },
        ) as relay,
    ):
        relay.subscribe()
        relay.publish(events(COUNT))
        account = relay.settle()

        assert (account.lost, account.doubled) == (0, 0)
        assert not relay.bridge.lines("deliveries.not_published")
        relay.check_health()
