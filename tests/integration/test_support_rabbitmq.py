import os
import subprocess
import sys

import psutil
import pytest
from amqp import Connection
from amqp.basic_message import Message

from tests.support.rabbitmq_server import RabbitMQServer
from tests.support.waiting import wait_until

pytestmark = pytest.mark.server

DURABLE_MESSAGE = 2


def send(server: RabbitMQServer, body: str) -> None:
    with Connection(f"127.0.0.1:{server.port}") as connection:
        channel = connection.channel()
        channel.queue_declare("deliveries", durable=True, auto_delete=False)
        channel.basic_publish_confirm(Message(body, delivery_mode=DURABLE_MESSAGE), routing_key="deliveries")


def test_rabbitmq_keeps_its_messages_over_a_restart(fresh_rabbitmq: RabbitMQServer) -> None:
    send(fresh_rabbitmq, "a")

    fresh_rabbitmq.restart()

    assert fresh_rabbitmq.queue_depth() == 1
    assert fresh_rabbitmq.purge() == 1
    assert fresh_rabbitmq.queue_depth() == 0


def test_a_killed_rabbitmq_leaves_nothing_behind_and_comes_back_where_it_was(fresh_rabbitmq: RabbitMQServer) -> None:
    family = [psutil.Process(fresh_rabbitmq.pid), *psutil.Process(fresh_rabbitmq.pid).children(recursive=True)]
    port = fresh_rabbitmq.port

    fresh_rabbitmq.kill()
    wait_until(
        lambda: not [process for process in family if process.is_running()], timeout_s=5, what="its helpers to end"
    )
    fresh_rabbitmq.start()
    send(fresh_rabbitmq, "a")

    assert fresh_rabbitmq.port == port
    assert fresh_rabbitmq.queue_depth() == 1


def test_where_rabbitmq_is_missing_it_is_named_with_its_package() -> None:
    code = (
        "import tests.support.rabbitmq_server as s; s._BEHIND_DEBIANS = s.Path('/none'); print(s.rabbitmq_in_words())"
    )
    environment = {"PATH": "/none", "PYTHONPATH": os.pathsep.join(sys.path)}

    told = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)

    assert told.stdout == "no rabbitmq-server on PATH: install RabbitMQ (Debian: rabbitmq-server)\n"
