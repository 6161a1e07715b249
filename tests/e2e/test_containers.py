"""
docs/containers.md without containers: what compose.yaml says of its services, as processes on a read-only root file
system, with nothing in their environment but what stands there, and the document's commands.
"""

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, Self

import httpx
import pytest

from odim_relay.dev.programs import read_procfile
from tests.support.compose_file import ReaderMissingError, make_site, read_compose, reader
from tests.support.container_process import ContainerProcess, NoNamespacesError, closing
from tests.support.documents import ROOT, blocks, typed
from tests.support.kafka_client import KafkaClient
from tests.support.kafka_distribution import KafkaMissingError, installed, java_command
from tests.support.kafka_server import KafkaServer
from tests.support.processes import LocalProcess, free_port
from tests.support.receiver import Receiver
from tests.support.redis_server import system_binary
from tests.support.waiting import wait_until

pytestmark = pytest.mark.server

HAPPENS_S = 60.0
LOOK_DEAD_WITHIN_S = 60.0  # a sign of life may be 30 s old
EXEC = re.compile(r"docker compose exec (?:-T )?(\w+) ([^<]*)(?:< (\S+))?")
Adapt = Callable[[str], str]
Services = dict[str, dict[str, Any]]


class ComposeRedis(LocalProcess):
    """
    Redis with the arguments of the compose file, and its health check.
    """

    def __init__(self, service: dict[str, Any], folder: Path, binary: str, port: int) -> None:
        _, *arguments = service["command"]
        own = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder)]
        super().__init__("redis", [binary, *arguments, *own], folder, env=service["environment"])
        (_, check) = service["healthcheck"]["test"]
        self._check = check.replace("redis-cli", f"redis-cli -p {port}")

    def is_ready(self) -> bool:
        return subprocess.run(["sh", "-c", self._check], env=self.env, check=False, timeout=30).returncode == 0


def kafka_of(service: dict[str, Any], folder: Path) -> tuple[KafkaServer, int]:
    """
    Kafka with the properties that its image makes of the environment, in storage of the given cluster. And the port of
    the listener for the host.
    """
    server = KafkaServer(folder)
    controller, host = free_port(), free_port()
    ports = {"9092": server.port, "9093": controller, "9094": host}
    properties = {
        name.removeprefix("KAFKA_").lower().replace("_", "."): value
        for name, value in service["environment"].items()
        if name.startswith("KAFKA_")
    }
    properties["log.dirs"] = str(server.log_dirs)
    text = "".join(f"{name}={value}\n" for name, value in properties.items())
    for there, here in ports.items():
        text = re.sub(rf"(//|@)(?:kafka|127\.0\.0\.1)?:{there}\b", rf"\g<1>127.0.0.1:{here}", text)
    path = folder / "server.properties"
    path.write_text(text)
    shutil.rmtree(server.log_dirs)
    cluster = service["environment"]["CLUSTER_ID"]
    storage = [*java_command(installed() / "lib", heap="64m"), "kafka.tools.StorageTool", "format"]
    subprocess.run([*storage, "-t", cluster, "-c", str(path)], check=True, capture_output=True, timeout=60)
    return server, host


def make_topic(service: dict[str, Any], kafka: KafkaClient) -> None:
    words = list(service["command"])
    assert {"--create", "--if-not-exists"} <= set(words)
    kafka.create_topic(words[words.index("--topic") + 1], partitions=int(words[words.index("--partitions") + 1]))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        reader()
    except ReaderMissingError as exc:
        pytest.skip(f"needs a reader of compose files, but there is {exc}")
    try:
        closing()
    except NoNamespacesError as exc:
        pytest.skip(f"needs the right to make a mount namespace, but there is {exc}")
    if system_binary() is None or shutil.which("redis-cli") is None:
        pytest.skip("needs redis-server and redis-cli on PATH (Debian: redis-server)")
    folder = tmp_path_factory.mktemp("site")
    make_site(folder)
    return folder


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with Receiver.start(scheme="https") as found:
        yield found


@pytest.fixture(scope="module")
def running(site: Path, receiver: Receiver) -> Iterator[dict[str, ContainerProcess]]:
    """
    `docker compose up --wait`.
    """
    services: Services = read_compose(site)["services"]
    redis_binary = system_binary()
    assert redis_binary
    with ExitStack() as stack:
        try:
            kafka, host_port = kafka_of(services["kafka"], site / "kafka")
        except KafkaMissingError as exc:
            pytest.skip(f"needs Apache Kafka, but there is {exc}")
        redis_port, api_port, flower_port = free_port(), free_port(), free_port()
        stack.enter_context(kafka)
        stack.enter_context(ComposeRedis(services["redis"], site / "redis", redis_binary, redis_port))
        make_topic(services["topics"], KafkaClient(f"127.0.0.1:{host_port}"))

        def adapt(text: str) -> str:
            places = {
                "redis:6379": f"127.0.0.1:{redis_port}",
                "kafka:9092": kafka.bootstrap_servers,
                ":8443": f":{api_port}",
                ":5555": f":{flower_port}",
            }
            for there, here in places.items():
                text = text.replace(there, here)
            return text

        extra = {
            "ODIM_RELAY_API__PORT": str(api_port),
            "ODIM_RELAY_FLOWER__PORT": str(flower_port),
            "ODIM_RELAY_EGRESS__ALLOW": '["127.0.0.0/8"]',
            "ODIM_RELAY_DELIVERY__CA_FILE": str(receiver.ca_file),
        }
        processes: dict[str, ContainerProcess] = {
            name: stack.enter_context(_Launched(name, services[name], site, adapt=adapt, extra=extra))
            for name in read_procfile()
        }
        for process in processes.values():
            process.wait_ready()
        yield processes


class _Launched(ContainerProcess):
    """
    Entered without waiting: all of them start at the same time.
    """

    def __enter__(self) -> Self:
        self.launch()
        return self


def commands(receiver: Receiver) -> list[tuple[str, str, str]]:
    """
    Of the document, those that are run in a container: which, what, and a file for its stdin.
    """
    found = []
    for block in blocks(ROOT / "docs" / "containers.md", "console"):
        for one in typed(block):
            match = EXEC.fullmatch(one.command)
            if match:
                text = match[2].strip().replace("https://alerts.example.net/hook", receiver.url("/hook"))
                found.append((match[1], text, match[3] or ""))
    return found


def looks_dead(process: ContainerProcess) -> bool:
    return not process.is_healthy()


def password(site: Path, name: str) -> str:
    (found,) = re.findall(rf"^{name}=(.*)$", (site / ".env").read_text(), re.MULTILINE)
    return str(found)


def test_the_commands_of_the_document_deliver_its_events(
    running: dict[str, ContainerProcess], receiver: Receiver
) -> None:
    shown = [
        running[service].exec(command, stdin=(ROOT / file).read_text() if file else "")
        for service, command, file in commands(receiver)
    ]

    assert len(shown) == 4
    assert any("3 events published to REDFISH-EVENTS-TOPIC" in text for text in shown)
    assert len(receiver.wait_for_accepted("/hook", 3, HAPPENS_S)) == 3


def test_the_passwords_of_the_file_open_what_they_are_for(running: dict[str, ContainerProcess], site: Path) -> None:
    api = f"https://127.0.0.1:{running['api'].env['ODIM_RELAY_API__PORT']}/redfish/v1/EventService/Subscriptions"
    flower = f"http://127.0.0.1:{running['flower'].env['ODIM_RELAY_FLOWER__PORT']}/tasks"

    for url, name in ((api, "API_PASSWORD"), (flower, "FLOWER_PASSWORD")):
        for given, status in ((password(site, name), 200), ("wrong-password", 401)):
            answer = httpx.get(url, auth=("admin", given), verify=False)  # noqa: S501 - its own certificate
            assert answer.status_code == status, url


def test_every_health_check_passes_and_fails_when_its_process_hangs(running: dict[str, ContainerProcess]) -> None:
    checked = list(running.values())
    assert all(process.is_healthy() for process in checked)

    for process in checked:
        process.stop()
    try:
        for process in checked:
            wait_until(partial(looks_dead, process), timeout_s=LOOK_DEAD_WITHIN_S, what=f"{process.name} to look dead")
    finally:
        for process in checked:
            process.cont()


def test_a_container_that_is_stopped_ends_within_its_grace(running: dict[str, ContainerProcess]) -> None:
    with ThreadPoolExecutor(len(running)) as pool:
        codes = dict(zip(running, pool.map(lambda one: one.terminate(one.grace_s), running.values()), strict=True))

    assert codes == dict.fromkeys(running, 0)
    for process in running.values():
        assert "Read-only file system" not in process.log(), process.name
        assert "Traceback" not in process.log(), process.name
