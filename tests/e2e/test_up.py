"""
`odim-relay up`: the whole product on a machine that has nothing but Python.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.support.events import event
from tests.support.processes import LocalProcess, free_port
from tests.support.receiver import Receiver
from tests.support.redis_server import RedisServer
from tests.support.waiting import wait_until

pytestmark = pytest.mark.server

DELIVERED_S = 30.0
GONE_S = 20.0


def clean_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("ODIM_RELAY_")}


class Up(LocalProcess):
    """
    One `odim-relay up`; ready when it says so.
    """

    start_limit_s = 90.0
    terminate_limit_s = 40.0

    def __init__(self, folder: Path, *arguments: str, data_dir: str = "data") -> None:
        command = [sys.executable, "-m", "odim_relay", "up", "--data-dir", data_dir, *arguments]
        super().__init__("up", command, folder)
        self.env = clean_environment()
        self.data_dir = folder / data_dir
        self.started: list[psutil.Process] = []

    def is_ready(self) -> bool:
        told = self.log(since_start=True)
        return '"ready": true' in told or "odim-relay is ready" in told

    @property
    def addresses(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.log(since_start=True).splitlines()[0])
        return found

    def descendants(self) -> list[psutil.Process]:
        return psutil.Process(self.pid).children(recursive=True)

    def command(self, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """
        A command in another terminal, after `. data/env`.
        """
        line = f'. {self.data_dir}/env && exec "$@"'
        argv = ["sh", "-c", line, "sh", sys.executable, "-m", "odim_relay", *arguments]
        return subprocess.run(
            argv, cwd=self.folder, env=self.env, input=stdin, capture_output=True, check=False, timeout=60
        )

    def output(self, *arguments: str, stdin: bytes = b"") -> str:
        done = self.command(*arguments, stdin=stdin)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode().strip()

    def wait_ready(self) -> None:
        super().wait_ready()
        self.started = self.descendants()

    def kill(self) -> None:
        # Its processes stand in sessions of their own: none is left even when what is tested here is broken.
        left = {*self.started, *(self.descendants() if self.running else ())}
        super().kill()
        for process in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()


def are_gone(processes: list[psutil.Process]) -> bool:
    return not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in processes)


def password_of(up: Up) -> str:
    return (up.data_dir / "api-password").read_text().strip()


def answered_to_the_admin(up: Up, path: str) -> int:
    answer = httpx.get(
        f"{up.addresses['api']}{path}",
        auth=("admin", password_of(up)),
        verify=False,  # noqa: S501 - its own
    )
    return answer.status_code


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    with Up(tmp_path, "--json") as process:
        yield process


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver.start() as found:
        yield found


def test_it_delivers_from_an_empty_folder_and_leaves_nothing_behind(up: Up, receiver: Receiver) -> None:
    assert up.addresses == {
        "ready": True,
        "api": up.addresses["api"],
        "page": f"{up.addresses['api']}/ui",
        "flower": up.addresses["flower"],
        "redis": up.addresses["redis"],
        "broker": up.addresses["redis"].removesuffix("0") + "1",
        "kafka": up.addresses["kafka"],
        "data_dir": str(up.data_dir),
    }
    assert answered_to_the_admin(up, "/redfish/v1/AccountService") == HTTPStatus.OK
    up.output("subscriptions", "create", "--destination", receiver.url("/hook"))
    assert "3 events published" in up.output("publish", "-", stdin=b"\n".join(event(number) for number in range(3)))
    (delivery_id, *_) = receiver.wait_for_accepted("/hook", 3, DELIVERED_S)
    assert json.loads(up.output("status", "--json"))["counters"]["deliveries_created"] == 3
    up.output("doctor")
    assert "the embedded one does not" in up.command("offsets", "reset", "latest", "--yes").stderr.decode()

    def is_in_flower() -> bool:
        url = f"{up.addresses['flower']}/task/{delivery_id}"
        assert httpx.get(url).status_code == HTTPStatus.UNAUTHORIZED
        page = httpx.get(url, auth=("admin", password_of(up))).text
        return "odim_relay.deliver" in page and delivery_id in page

    wait_until(is_in_flower, timeout_s=10, what="the delivery in Flower")
    processes = up.descendants()
    assert len(processes) >= 7
    assert up.terminate() == 0
    assert are_gone(processes)


def test_a_killed_process_is_started_again_and_events_flow(up: Up, receiver: Receiver) -> None:
    up.output("subscriptions", "create", "--destination", receiver.url("/hook"))
    for number, name in enumerate(("deliveries@", "redis-server"), start=1):
        (victim,) = [
            process for process in up.descendants() if name in " ".join(process.cmdline()) and not process.children()
        ]
        victim.kill()
        up.output("publish", "-", stdin=event(number))
        receiver.wait_for_accepted("/hook", number, DELIVERED_S)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends orphans")
@pytest.mark.parametrize("victim", ["up", "supervisord"])
def test_no_process_outlives_a_killed_one(up: Up, victim: str) -> None:
    processes = up.descendants()
    if victim == "up":
        os.kill(up.pid, signal.SIGKILL)
    else:
        (supervisord,) = psutil.Process(up.pid).children()
        supervisord.kill()
    wait_until(lambda: are_gone(processes), timeout_s=GONE_S, what="the end of all processes")
    wait_until(lambda: not up.running, timeout_s=GONE_S, what="the end of up")
    assert up.returncode == (-signal.SIGKILL if victim == "up" else 1)


def test_a_second_one_on_the_same_folder_is_refused_and_another_folder_is_not(up: Up, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "odim_relay", "up", "--data-dir", str(up.data_dir)]
    second = subprocess.run(command, cwd=tmp_path, env=up.env, capture_output=True, text=True, check=False, timeout=60)
    assert second.returncode == 1
    assert f"{up.data_dir} is in use by another `odim-relay up` (process {up.pid})" in second.stderr
    assert "Traceback" not in second.stderr


def test_the_demonstration_goes_on_after_a_restart_with_the_same_subscription(tmp_path: Path) -> None:
    with Up(tmp_path, "--demo") as up:
        wait_until(lambda: up.log().count("attempt 1") >= 2, timeout_s=DELIVERED_S, what="events on the screen")
        assert "ResourceEvent.1.4.ResourceStatusChangedWarning" in up.log()
        before = up.output("subscriptions", "list", "--json")
        assert up.terminate() == 0
        up.start()
        seen = up.log().count("attempt 1")
        wait_until(lambda: up.log().count("attempt 1") > seen, timeout_s=DELIVERED_S, what="events after the restart")
        after = up.output("subscriptions", "list", "--json")
        assert up.terminate() == 0
    assert [one["id"] for one in json.loads(after)] == [one["id"] for one in json.loads(before)]


def test_it_can_be_stopped_while_it_starts(tmp_path: Path) -> None:
    with Up(tmp_path) as up:
        assert up.terminate() == 0
        up.launch()
        wait_until(lambda: "waiting for bridge" in up.log(since_start=True), timeout_s=30, what="the start")
        processes = up.descendants()
        up.send_signal(signal.SIGINT, group=False)
        wait_until(lambda: not up.running, timeout_s=GONE_S, what="the end of up")
    assert up.returncode == 0
    assert are_gone(processes)


def test_what_cannot_start_is_told_with_its_log(tmp_path: Path) -> None:
    environment = {**clean_environment(), "ODIM_RELAY_KAFKA__FORMATS": '{"REDFISH-EVENTS-TOPIC": "morse"}'}
    command = [sys.executable, "-m", "odim_relay", "up", "--data-dir", "data"]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=90
    )
    assert done.returncode == 1
    assert "KAFKA__FORMATS names morse" in done.stderr
    assert "odim-relay: bridge ends again and again: see" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("name", "value", "command", "exit_code", "words"),
    [
        ("ODIM_RELAY_DELIVRY__TIMEOUT_S", "3", ("up",), 2, "ODIM_RELAY_DELIVRY__TIMEOUT_S is not a setting"),
        ("ODIM_RELAY_DELIVERY__TIMEOUT_S", "soon", ("bridge",), 2, "ODIM_RELAY_DELIVERY__TIMEOUT_S"),
        ("ODIM_RELAY_BROKER__URL", "carrier-pigeon://x", ("status",), 2, "ODIM_RELAY_BROKER__URL"),
        ("ODIM_RELAY_KAFKA__SECURITY__PROTOCOL", "SASL_SSL", ("offsets", "show"), 2, "KAFKA__*: "),
        ("ODIM_RELAY_REDIS__URL", "http://x", ("subscriptions", "list"), 2, "REDIS__URL"),
        ("ODIM_RELAY_ODIM__URL_TRANSLATION", '{"/ODIM": "redfish"}', ("bridge",), 2, "ODIM__URL_TRANSLATION: '/ODIM'"),
    ],
)
def test_a_wrong_setting_is_named(
    redis_server: RedisServer,
    tmp_path: Path,
    name: str,
    value: str,
    command: tuple[str, ...],
    exit_code: int,
    words: str,
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "odim_relay", *command],
        cwd=tmp_path,
        env={**clean_environment(), "ODIM_RELAY_REDIS__URL": redis_server.url(), name: value},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == exit_code
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_status_tells_which_stores_are_down(tmp_path: Path) -> None:
    environment = {
        **clean_environment(),
        "ODIM_RELAY_REDIS__URL": f"redis://127.0.0.1:{free_port()}/0",
        "ODIM_RELAY_KAFKA__BOOTSTRAP_SERVERS": f"127.0.0.1:{free_port()}",
    }
    command = [sys.executable, "-m", "odim_relay", "status", "--json"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=False, timeout=60)
    assert done.returncode == 3
    told = json.loads(done.stdout)
    assert told["ready"] is False
    assert sorted(told["reasons"]) == ["broker", "kafka", "redis"]
    assert b"Traceback" not in done.stderr
