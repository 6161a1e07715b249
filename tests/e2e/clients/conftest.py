"""
What a client of Redfish needs to see its own test event: the API, a worker, and a receiver.
"""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from tests.support.api_process import ApiProcess
from tests.support.receiver import Receiver
from tests.support.redfish_client import members, open_client
from tests.support.redfish_schemas import are_schemas_here, flaws
from tests.support.redis_server import RedisBinary, RedisServer
from tests.support.relay_process import RelayProcess, procfile_command, start_all
from tests.support.relay_settings import QUICK

ARRIVES_S = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """
    A relay as its clients see it: no Kafka, for test events are the service's own.
    """

    api: ApiProcess
    worker: RelayProcess
    receiver: Receiver

    def arrived(self, path: str, count: int = 1) -> list[tuple[dict[str, str], dict[str, Any]]]:
        """
        Headers (names in lower case) and body of what came to `path`, which has to be `count` events as the schema
        wants them.
        """
        self.receiver.wait_for_accepted(path, count, timeout_s=ARRIVES_S)
        came = [(headers, json.loads(body)) for _, headers, body in self.receiver.bodies(path)]
        assert len(came) == count
        for _, event in came:
            assert not are_schemas_here() or not flaws(event, "Event.v1_13_0")
        return [({name.lower(): value for name, value in headers}, event) for headers, event in came]

    def subscriptions(self) -> list[str]:
        """
        The URIs of all, as the service tells them.
        """
        with open_client(self.api.url, self.api.ca_file, credentials=(self.api.user, self.api.password)) as client:
            return members(client)


@pytest.fixture(scope="package")
def served(redis_binary: RedisBinary, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("clients")
    with ExitStack() as stack:
        redis = stack.enter_context(RedisServer(folder / "redis", binary=redis_binary))
        receiver = stack.enter_context(Receiver.start())
        api = ApiProcess(folder, redis=redis, settings=QUICK)
        env = {f"ODIM_RELAY_{name}": str(value) for name, value in {"REDIS__URL": redis.url(), **QUICK}.items()}
        worker = RelayProcess("worker", procfile_command("worker"), folder, env, ready=" ready.")
        stack.callback(api.kill)
        stack.callback(worker.kill)
        start_all([api, worker])
        yield Served(api=api, worker=worker, receiver=receiver)


@pytest.fixture(autouse=True)
def _leaves_nothing_and_breaks_nothing(served: Served) -> Iterator[None]:
    yield
    assert served.subscriptions() == []
    for process in (served.api, served.worker):
        for sign in ('"level": "error"', '"level": "critical"', "Traceback"):
            assert sign not in process.log(), process.log_tail()
