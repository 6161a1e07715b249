"""
compose.yaml as it is understood: the Procfile's processes, with settings that exist, closed and durable.
"""

import json
import os
import re
import shlex
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from odim_relay.dev.programs import read_procfile
from tests.support.compose_file import (
    BadComposeFileError,
    ReaderMissingError,
    make_site,
    read_compose,
    reader,
)
from tests.support.documents import ROOT, blocks
from tests.support.kafka_distribution import kafka_version

PROCESSES = tuple(read_procfile())
STORES = ("redis", "kafka", "topics")
LOADED = "import json, sys; from odim_relay.settings import load; print(load().model_dump_json())"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        reader()
    except ReaderMissingError as exc:
        pytest.skip(f"needs a reader of compose files, but there is {exc}")
    folder = tmp_path_factory.mktemp("site")
    make_site(folder)
    return folder


@pytest.fixture(scope="module")
def services(site: Path) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = read_compose(site)["services"]
    return found


def secrets_of(site: Path) -> dict[str, str]:
    lines = (site / ".env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines)


def settings_of(service: dict[str, Any], folder: Path) -> dict[str, Any]:
    """
    The settings of a process in such a container.
    """
    done = subprocess.run(
        [sys.executable, "-c", LOADED],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **service["environment"]},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def seconds(duration: str) -> float:
    minutes, rest = re.fullmatch(r"(?:(\d+)m)?([\d.]+)s", duration).groups()  # type: ignore[union-attr]
    return 60 * float(minutes or 0) + float(rest)


def test_there_are_the_processes_of_the_procfile_and_their_stores(services: dict[str, dict[str, Any]]) -> None:
    assert set(services) == {*PROCESSES, *STORES}


@pytest.mark.parametrize("name", PROCESSES)
def test_a_process_has_the_command_of_the_procfile(services: dict[str, dict[str, Any]], name: str) -> None:
    assert tuple(services[name]["command"]) == read_procfile()[name]


@pytest.mark.parametrize("name", PROCESSES)
def test_a_process_has_settings_that_exist(
    services: dict[str, dict[str, Any]], site: Path, tmp_path: Path, name: str
) -> None:
    settings = settings_of(services[name], tmp_path)

    secrets = secrets_of(site)
    assert settings["redis"]["url"] == f"redis://:{secrets['REDIS_PASSWORD']}@redis:6379/0"
    assert settings["kafka"]["bootstrap_servers"] == "kafka:9092"
    assert settings["secrets"]["encryption_keys"] == [secrets["ENCRYPTION_KEY"]]
    assert {variable for variable in services[name]["environment"] if not variable.startswith("ODIM_RELAY_")} == set()


def test_who_is_asked_for_a_password_listens_to_the_host(
    services: dict[str, dict[str, Any]], site: Path, tmp_path: Path
) -> None:
    api, flower = (settings_of(services[name], tmp_path)[name] for name in ("api", "flower"))

    secrets = secrets_of(site)
    assert (api["bind"], api["admin_password"]) == ("0.0.0.0", secrets["API_PASSWORD"])
    assert (flower["bind"], flower["password"]) == ("0.0.0.0", secrets["FLOWER_PASSWORD"])
    assert services["api"]["ports"][0]["target"] == api["port"]
    assert services["flower"]["ports"][0]["target"] == flower["port"]
    assert not flower["unauthenticated"]


def test_only_the_host_itself_reaches_a_port(services: dict[str, dict[str, Any]]) -> None:
    ports = [port for service in services.values() for port in service.get("ports", ())]

    assert {port["published"] for port in ports} == {"8443", "5555", "9094"}
    assert {port["host_ip"] for port in ports} == {"127.0.0.1"}


def test_what_one_process_needs_to_know_no_other_does(services: dict[str, dict[str, Any]], site: Path) -> None:
    secrets = secrets_of(site)
    for secret, owner in ((secrets["API_PASSWORD"], "api"), (secrets["FLOWER_PASSWORD"], "flower")):
        assert [name for name, service in services.items() if secret in json.dumps(service)] == [owner]


@pytest.mark.parametrize("name", [*PROCESSES, *STORES])
def test_no_container_may_more_than_it_needs(services: dict[str, dict[str, Any]], name: str) -> None:
    service = services[name]

    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service.get("privileged")
    # Kafka's image writes its configuration at its start.
    assert service.get("read_only", False) is (name not in {"kafka", "topics"})


@pytest.mark.parametrize("name", PROCESSES)
def test_a_process_starts_after_its_stores_and_again_when_it_fell(
    services: dict[str, dict[str, Any]], name: str
) -> None:
    service = services[name]

    conditions = {store: needed["condition"] for store, needed in service["depends_on"].items()}
    assert conditions == {"redis": "service_healthy", "topics": "service_completed_successfully"}
    assert service["restart"] == "unless-stopped"
    assert service["tmpfs"] == ["/tmp"]  # noqa: S108 - a container's


@pytest.mark.parametrize("name", ["worker", "maintenance"])
def test_a_worker_may_finish_what_is_in_flight(services: dict[str, dict[str, Any]], tmp_path: Path, name: str) -> None:
    timeout_s = settings_of(services[name], tmp_path)["delivery"]["timeout_s"]

    assert seconds(services[name]["stop_grace_period"]) >= timeout_s + 10


@pytest.mark.parametrize("name", ["bridge", "worker", "maintenance", "beat"])
def test_what_works_in_a_loop_gives_the_sign_of_life_that_is_looked_at(
    services: dict[str, dict[str, Any]], tmp_path: Path, name: str
) -> None:
    file = settings_of(services[name], tmp_path)["liveness"]["file"]

    assert services[name]["healthcheck"]["test"][:4] == ["CMD", "odim-relay", "alive", file]


def test_the_stores_are_durable_and_pinned(services: dict[str, dict[str, Any]]) -> None:
    assert services["kafka"]["image"] == services["topics"]["image"] == f"apache/kafka:{kafka_version()}"
    assert re.fullmatch(r"redis:\d+\.\d+\.\d+-alpine", services["redis"]["image"])
    mounts = {name: services[name]["volumes"][0]["target"] for name in ("redis", "kafka")}
    assert mounts == {"redis": "/data", "kafka": services["kafka"]["environment"]["KAFKA_LOG_DIRS"]}
    assert {services[name]["healthcheck"]["test"][0] for name in ("redis", "kafka")} == {"CMD-SHELL"}


def test_the_topic_is_the_one_that_bridges_read(services: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    words = list(services["topics"]["command"])

    assert [words[words.index("--topic") + 1]] == settings_of(services["bridge"], tmp_path)["kafka"]["topics"]


@pytest.mark.parametrize(
    "name", ["REDIS_PASSWORD", "ENCRYPTION_KEY", "API_PASSWORD", "FLOWER_PASSWORD", "KAFKA_CLUSTER_ID"]
)
def test_without_a_secret_nothing_starts_and_it_is_named(site: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "compose.yaml").write_text((site / "compose.yaml").read_text())
    others = [f"{one}={value}" for one, value in secrets_of(site).items() if one != name]
    (tmp_path / ".env").write_text("\n".join(others))

    with pytest.raises(BadComposeFileError, match=f"required variable {name} is missing a value: set it in .env"):
        read_compose(tmp_path)


def test_the_secrets_are_made_for_their_owner_alone_and_are_others_each_time(site: Path, tmp_path: Path) -> None:
    make_site(tmp_path)

    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600
    assert set(secrets_of(site).values()).isdisjoint(secrets_of(tmp_path).values())
    assert min(len(secret) for secret in secrets_of(site).values()) >= 22


def test_settings_of_a_file_reach_every_process(site: Path, tmp_path: Path) -> None:
    (example,) = blocks(ROOT / "docs" / "containers.md", "ini")
    for name in ("compose.yaml", ".env"):
        (tmp_path / name).write_text((site / name).read_text())
    (tmp_path / "relay.env").write_text(example.text)

    services = read_compose(tmp_path)["services"]

    empty = tmp_path / "empty"
    empty.mkdir()
    for name in PROCESSES:
        settings = settings_of(services[name], empty)
        assert settings["egress"]["allow"] == ["10.0.0.0/8"]
        assert settings["delivery"]["retry_attempts"] == 8
        assert shlex.split(example.text)  # a line each, without quotes that compose would keep
