"""
Each process with the chart's own environment, as its user and with nothing to write to but a small `/tmp`: it works,
and ends as it is told.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import httpx
import pytest

from tests.support.chart import VALUES_FILES, Rendered, Thing, container_of, environment, pod_of, rendered_with
from tests.support.kafka_mock import KafkaMock
from tests.support.kafka_server import KafkaServer
from tests.support.processes import LocalProcess, free_port
from tests.support.redis_server import RedisServer
from tests.support.relay_process import ROOT, wait_for_end

pytestmark = pytest.mark.server

MINIMAL = next(file for file in VALUES_FILES if file.name == "minimal-values.yaml")
VENV = Path(sys.prefix).resolve()
PYTHON = str(VENV / "bin" / "python")
MODULES = {"odim-relay": "odim_relay", "celery": "celery"}
PROCESSES = ("bridge", "worker", "maintenance", "beat", "api", "flower")
WORKS = {"bridge": "bridge.started", "worker": " ready.", "maintenance": " ready.", "beat": "beat: Starting..."}
# What this test needs of /tmp and of homes, which others may not enter, is put back after they were emptied.
SCRIPT = """
set -eu
user=$1 size=$2 root=$3 venv=$4 base=$5; shift 5
mount --make-rprivate /
mount -t tmpfs tmpfs /mnt
for name in root venv base; do
    eval "path=\\$$name"
    mkdir "/mnt/$name"
    mount --bind "$path" "/mnt/$name"
done
mount -t tmpfs -o mode=1777,size="$size" tmpfs /tmp
for home in /root /home; do
    [ ! -d $home ] || mount -t tmpfs -o mode=755 tmpfs $home
done
for name in root venv base; do
    eval "path=\\$$name"
    if [ ! -d "$path" ]; then
        mkdir -p "$path"
        mount --bind "/mnt/$name" "$path"
        mount -o remount,ro,bind "$path"
    fi
done
mount -o remount,ro,bind /
cd /
exec setpriv --reuid "$user" --regid "$user" --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all "$@"
"""


def caged_argv(user: str, size: str, *command: str) -> list[str]:
    """
    The command as this user, with nothing to write to but a `/tmp` of this size.
    """
    paths = [str(path) for path in (ROOT, VENV, Path(sys.base_prefix).resolve())]
    return ["unshare", "--mount", "sh", "-c", SCRIPT, "cage", user, size, *paths, *command]


class Caged(LocalProcess):
    """
    One container of the chart, as far as a mount namespace and a user can be one.
    """

    start_limit_s = 90.0

    def __init__(self, found: Rendered, process: str, folder: Path) -> None:
        deployment = found.deployment(process)
        self.container = container_of(deployment)
        self.user = str(pod_of(deployment)["securityContext"]["runAsUser"])
        (tmp,) = [one for one in pod_of(deployment)["volumes"] if one["name"] == "tmp"]
        size = str(tmp["emptyDir"]["sizeLimit"]).removesuffix("i").lower()
        program, *arguments = self.container["command"]
        argv = caged_argv(self.user, size, PYTHON, "-m", MODULES[program], *arguments)
        super().__init__(process, argv, folder)
        self.env = {
            **environment(found, deployment, {"ODIM_RELAY_FLOWER__PASSWORD": "a-long-password"}),
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
        }

    def inside(self, *command: str) -> subprocess.CompletedProcess[str]:
        """
        Run a command where the process is, as its user.
        """
        argv = ["nsenter", "--mount", "--target", str(self.pid), "setpriv", "--reuid", self.user, "--regid", self.user]
        argv += ["--clear-groups", "--no-new-privs", *command]
        return subprocess.run(argv, env=self.env, capture_output=True, text=True, check=False, cwd="/")

    def is_ready(self) -> bool:
        probe: Thing = self.container.get("readinessProbe") or self.container["startupProbe"]
        if "exec" in probe:
            # The first sign of life comes before a signal is waited for.
            if WORKS[self.name] not in self.log():
                return False
            _, *arguments = probe["exec"]["command"]
            return not self.inside(PYTHON, "-m", "odim_relay", *arguments).returncode
        asked: Thing = probe["httpGet"]
        (port,) = self.container["ports"]
        url = f"{asked.get('scheme', 'HTTP').lower()}://127.0.0.1:{port['containerPort']}{asked['path']}"
        try:
            return httpx.get(url, verify=False, trust_env=False).status_code == httpx.codes.OK  # noqa: S501 - as the kubelet
        except httpx.HTTPError:
            return False


@cache
def why_not() -> str:
    """
    Why no process can be caged here; nothing when one can.
    """
    for program in ("unshare", "nsenter", "setpriv"):
        if shutil.which(program) is None:
            return f"needs {program}, of util-linux"
    argv = caged_argv("10001", "1m", PYTHON, "-c", "import odim_relay.celery")
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    tried = subprocess.run(argv, env=env, capture_output=True, text=True, check=False)
    return "" if tried.returncode == 0 else f"needs the right to make a mount namespace: {tried.stderr.strip()[-200:]}"


@pytest.fixture(params=PROCESSES)
def caged(
    request: pytest.FixtureRequest,
    redis_server: RedisServer,
    kafka: KafkaServer | KafkaMock,
    topic: str,
    tmp_path: Path,
) -> Iterator[Caged]:
    if missing := why_not():
        pytest.skip(missing)
    settings = {
        "redis": {"url": redis_server.url(), "key_prefix": f"{topic}:"},
        "kafka": {"bootstrap_servers": kafka.bootstrap_servers, "topics": [topic]},
        "api": {"port": free_port()},
        "flower": {"port": free_port()},
    }
    secrets = {"flower": {"password": {"existingSecret": "relay"}}}
    found = rendered_with({"settings": settings, "settingsFromSecrets": secrets, "flower": {"enabled": True}}, MINIMAL)
    process = Caged(found, request.param, tmp_path)
    yield process
    process.kill()


def test_it_works_and_ends_where_it_can_write_to_tmp_alone(caged: Caged) -> None:
    caged.start()
    for folder in ("/", "/var/tmp", str(ROOT), str(VENV)):  # noqa: S108 - that nothing is written there is the point
        tried = caged.inside("touch", f"{folder}/written")
        assert tried.returncode, folder
        assert "Read-only file system" in tried.stderr or "Permission denied" in tried.stderr
    assert caged.inside("touch", "/tmp/written").returncode == 0  # noqa: S108
    status = Path(f"/proc/{caged.pid}/status").read_text()
    assert f"Uid:\t{caged.user}\t{caged.user}" in status
    assert "CapEff:\t0000000000000000" in status

    caged.send_signal(15, group=False)

    assert wait_for_end(caged) == 0
    assert "Read-only file system" not in caged.log()
    assert "Permission denied" not in caged.log()


def test_the_cage_keeps_its_prisoner() -> None:
    """
    What a process could write to would be told, for what does write is refused.
    """
    if missing := why_not():
        pytest.skip(missing)
    argv = caged_argv("10001", "1m", "touch", "/var/tmp/x")  # noqa: S108 - that nothing is written there is the point
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert "Read-only file system" in done.stderr
