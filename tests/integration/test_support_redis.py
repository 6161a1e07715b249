import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.support.processes import LocalProcess
from tests.support.redis_server import RedisServer, redis_binaries
from tests.support.waiting import wait_until

pytestmark = pytest.mark.server

every_redis = pytest.mark.parametrize("redis_binary", redis_binaries(), ids=str, indirect=True)


@every_redis
def test_redis_keeps_its_keys_over_a_kill_and_a_restart(fresh_redis: RedisServer) -> None:
    with fresh_redis.client() as client:
        client.set("key", "value")
    fresh_redis.restart()
    with fresh_redis.client() as client:
        client.set("other", "value")
    fresh_redis.wait_until_written()

    fresh_redis.kill()
    fresh_redis.start()

    with fresh_redis.client() as client:
        assert client.mget("key", "other") == [b"value", b"value"]


@every_redis
def test_redis_is_set_up_as_the_product_asks_for(fresh_redis: RedisServer) -> None:
    with fresh_redis.client() as client:
        settings = client.config_get("*")

    assert settings["appendonly"] == "yes"
    assert settings["appendfsync"] == "everysec"
    assert settings["maxmemory-policy"] == "noeviction"


def test_options_are_redis_own(tmp_path: Path) -> None:
    with RedisServer(tmp_path, options={"appendfsync": "always"}) as server, server.client() as client:
        assert client.config_get("appendfsync") == {"appendfsync": "always"}


def test_empty_redis_has_no_keys_in_any_database(empty_redis: RedisServer) -> None:
    with empty_redis.client() as client, empty_redis.client(database=1) as other:
        client.set("key", "value")
        other.set("key", "value")
        empty_redis.empty()

        assert (client.dbsize(), other.dbsize()) == (0, 0)


def test_a_stopped_server_hangs_and_a_continued_one_answers(fresh_redis: RedisServer) -> None:
    fresh_redis.stop()
    assert not fresh_redis.is_ready()

    fresh_redis.cont()
    assert fresh_redis.is_ready()


def test_what_cannot_start_tells_its_log(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="Bad directive"):
        RedisServer(tmp_path, options={"no-such-option": "1"}).start()


def test_what_is_not_ready_in_time_is_killed(tmp_path: Path) -> None:
    class Sleeper(LocalProcess):
        start_limit_s = 0.2

        def is_ready(self) -> bool:
            return False

    sleeper = Sleeper("sleeper", ["sleep", "60"], tmp_path)

    with pytest.raises(RuntimeError, match=r"not ready in 0\.2 s"):
        sleeper.start()
    assert sleeper.returncode == -signal.SIGKILL


def test_a_process_dies_with_its_children(tmp_path: Path) -> None:
    with LocalProcess("parent", ["sh", "-c", "sleep 60 & wait"], tmp_path) as parent:
        wait_until(lambda: psutil.Process(parent.pid).children(), timeout_s=5, what="a child")
        (child,) = psutil.Process(parent.pid).children()

    # Killed with its parent; the kernel takes a moment.
    wait_until(lambda: not is_alive(child), timeout_s=5, what="the child's end")


def test_a_killed_test_run_leaves_no_server_behind(tmp_path: Path) -> None:
    program = (
        "import pathlib, time; from tests.support.redis_server import RedisServer\n"
        f"server = RedisServer(pathlib.Path({str(tmp_path)!r})).start(); print(server.pid, flush=True); time.sleep(60)"
    )
    root = Path(__file__).parents[2]
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, cwd=root, env=os.environ) as run:
        assert run.stdout
        server = psutil.Process(int(run.stdout.readline()))
        run.kill()

    wait_until(lambda: not is_alive(server), timeout_s=10, what="the server's end")


def is_alive(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
