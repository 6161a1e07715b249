"""
What ODIM could not deliver arrives at its subscriber after the import, byte for byte, and once.
"""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.odim_redis import OdimRedis, OdimSubscription
from tests.support.receiver import Receiver
from tests.support.redis_server import RedisBinary, RedisServer
from tests.support.relay_process import RelayProcess, procfile_command, start_all, wait_for_end
from tests.support.relay_settings import QUICK, SHORT_OUTAGES

pytestmark = pytest.mark.server

ARRIVES_S = 60.0
PATH = "/hook"
ID = "3ce177bf-42a4-4335-b1c1-41540a4b65d7"
# As Go writes an Event out of its struct, with what redelivering by ODIM damages: quotes, line ends, backslashes.
EVENT = (
    '{"@odata.type":"","Name":"Events","@odata.context":"","Events":[{"MemberId":"0","EventType":"Alert","EventId":"%d",'
    '"Severity":"OK","EventTimestamp":"2022-07-05T08:54:%02dZ","Message":"a \\"b\\"\\n \\\\ \\u0026 é",'
    '"MessageId":"i.2.3.X"}]}'
)
REPORT = '{"@odata.type":"#MetricReport.v1_4_2.MetricReport","Id":"CPU","Name":"\\"a\\\\b\\"","MetricValues":[]}'


@dataclass(frozen=True, slots=True)
class World:
    odim: OdimRedis
    receiver: Receiver
    folder: Path
    env: dict[str, str]

    def imported(self, name: str) -> None:
        command = RelayProcess(name, ["-m", "odim_relay", "odim", "import"], self.folder, self.env, ready="")
        command.launch()
        assert wait_for_end(command, ARRIVES_S) == 0, command.log_tail()


@pytest.fixture
def world(redis_binary: RedisBinary, tmp_path: Path) -> Iterator[World]:
    with ExitStack() as stack:
        redis, odim = (stack.enter_context(RedisServer(tmp_path / name, binary=redis_binary)) for name in ("r", "o"))
        receiver = stack.enter_context(Receiver.start())
        settings = {"REDIS__URL": redis.url(), "ODIM__REDIS_URL": odim.url(), **QUICK, **SHORT_OUTAGES}
        env = {f"ODIM_RELAY_{name}": str(value) for name, value in settings.items()}
        processes = [
            RelayProcess(name, procfile_command(name), tmp_path, env, ready=ready)
            for name, ready in (("worker", " ready."), ("maintenance", " ready."), ("beat", "beat: Starting..."))
        ]
        for process in processes:
            stack.callback(process.kill)
        start_all(processes)
        yield World(OdimRedis(odim), receiver, tmp_path, env)
        for process in processes:
            assert '"level": "error"' not in process.log(), process.log_tail()


def test_undelivered_events_arrive_after_the_import_byte_for_byte_and_once(world: World) -> None:
    url = world.receiver.url(f"{PATH}?a=1&b=2")
    world.odim.subscribe(OdimSubscription(id=ID, destination=url, message_ids=("Nothing.1.0.Of",)))
    bodies = [(EVENT % (number, number)).encode() for number in range(30)]
    for body in reversed(bodies):
        world.odim.put_undelivered(url, body)
    world.odim.put_undelivered(url, json.dumps(REPORT).encode())
    world.imported("import")
    accepted = world.receiver.wait_for_accepted(PATH, 31, timeout_s=ARRIVES_S)
    assert set(accepted.values()) == {1}

    arrived = [body for _, _, body in world.receiver.bodies(PATH)]
    assert sorted(arrived) == sorted([*bodies, REPORT.encode()])

    # What was delivered is not imported again; what came since is.
    late = (EVENT % (99, 59)).encode()
    world.odim.put_undelivered(url, late)
    world.imported("import-again")
    world.receiver.wait_for_accepted(PATH, 32, timeout_s=ARRIVES_S)
    assert world.receiver.request_count(PATH) == 32
    assert late in [body for _, _, body in world.receiver.bodies(PATH)]
