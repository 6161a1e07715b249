"""
`make demo`: an outage, shown and counted.
"""

import os
import re
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil
import pytest

from tests.support.processes import LocalProcess, free_port
from tests.support.waiting import wait_until

pytestmark = pytest.mark.server

PLAY_S = 120.0
GONE_S = 20.0

# A subscriber that answers 204 to an event and forgets it, and one that says it got one twice.
FORGETS_ONE_AND_DOUBLES_ONE = """
from odim_relay.dev import fickle_subscriber, outage

accept = fickle_subscriber.Tally.accept
bodies = []

def careless(tally, body):
    bodies.append(body)
    if len(bodies) != 7:
        accept(tally, body)
    if len(bodies) == 9:
        accept(tally, body)

fickle_subscriber.Tally.accept = careless
outage._LIMIT_S = 8.0
outage._LEAST = 300
from odim_relay.cli.main import main
main(["up", "--outage"])
"""


class Demo(LocalProcess):
    """
    One `odim-relay up --outage`, with settings around it that it must not obey.
    """

    def __init__(self, folder: Path, argv: Sequence[str] = ("-m", "odim_relay", "up", "--outage")) -> None:
        super().__init__("demo", [sys.executable, *argv], folder)
        elsewhere = f"redis://127.0.0.1:{free_port()}/0"
        self.env = {
            **{name: value for name, value in os.environ.items() if not name.startswith("ODIM_RELAY_")},
            "ODIM_RELAY_BROKER__URL": elsewhere,
            "TMPDIR": str(folder),
            "COLUMNS": "200",
        }
        (folder / ".env").write_text(f"ODIM_RELAY_REDIS__URL={elsewhere}\n")

    @property
    def folders(self) -> list[Path]:
        """
        What it left behind.
        """
        return list(self.folder.glob("odim-relay-*"))

    def play(self) -> int | None:
        """
        Let it run to its end, and return its exit code.
        """
        self.launch()
        wait_until(lambda: not self.running, timeout_s=PLAY_S, what="the end of the demonstration")
        return self.returncode

    def total(self, name: str) -> float:
        """
        A figure of the summary.
        """
        found = re.search(rf"^{name} +([\d,.]+)", self.log(), re.MULTILINE)
        assert found, self.log()
        return float(found[1].replace(",", ""))


@pytest.fixture
def demo(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Demo]:
    """
    One that is not started yet, by default the true one.
    """
    demo = Demo(tmp_path, *getattr(request, "param", ()))
    yield demo
    demo.kill()


def test_every_event_of_an_outage_arrives_exactly_once(demo: Demo) -> None:
    assert demo.play() == 0, demo.log()
    assert demo.total("published") == demo.total("delivered") >= 1_000
    assert demo.total("lost") == demo.total("doubled") == 0
    # At first 2 s, then 4 s, and 4 s.
    assert demo.total("the outage") >= 10
    assert demo.total("events that waited") >= 500
    # What was under way when it began to fail, and the probes.
    assert 3 <= demo.total("requests that the failing subscriber saw") <= 40
    assert demo.total("connections tried while it was off") >= 3
    assert demo.total("from its return to the first event") <= demo.total("from its return to the last that had waited")
    assert "events arrived exactly once." in demo.log()
    assert demo.folders == []


@pytest.mark.parametrize("demo", [(("-c", FORGETS_ONE_AND_DOUBLES_ONE),)], indirect=True)
def test_a_lost_and_a_doubled_event_fail_it_and_are_named(demo: Demo) -> None:
    assert demo.play() == 1, demo.log()
    assert demo.total("lost") == demo.total("doubled") == 1
    assert "exactly once" not in demo.log()
    (folder,) = demo.folders
    uuid = "[0-9a-f-]{36}"
    assert re.search(
        f"^odim-relay: 1 of the events did not arrive: {uuid}; 1 arrived more than once: {uuid}; the logs are in "
        f"{folder}/logs$",
        demo.log(),
        re.MULTILINE,
    ), demo.log()
    assert (folder / "logs" / "worker.log").exists()


def test_one_that_is_interrupted_proves_nothing_and_leaves_no_process(demo: Demo) -> None:
    demo.launch()
    wait_until(lambda: "go into Kafka" in demo.log() or not demo.running, timeout_s=60, what="the first events")
    processes = psutil.Process(demo.pid).children(recursive=True)
    assert len(processes) >= 6
    demo.send_signal(signal.SIGINT, group=False)
    wait_until(lambda: not demo.running, timeout_s=GONE_S, what="the end of the demonstration")
    assert demo.returncode == 1
    assert "stopped before the end: nothing is proven" in demo.log()
    assert not any(process.is_running() for process in processes)


def test_it_stands_alone(demo: Demo) -> None:
    demo.argv += ["--demo"]
    assert demo.play() == 2
    assert "--outage stands alone" in demo.log()
