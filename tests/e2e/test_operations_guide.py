"""
The tasks in docs/operations.md, by the commands that stand there, against real servers; and what each of them promises.
"""

import os
import shutil
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from signal import SIGKILL
from typing import TypeAlias

import pytest
import redis
import trustme

from odim_relay import bootstrap
from odim_relay.adapters.kafka.group import KafkaGroup
from odim_relay.errors import SealedError
from tests.support.api_process import ApiProcess
from tests.support.command_line import as_before
from tests.support.documents import ROOT, blocks
from tests.support.events import events
from tests.support.kafka_mock import KafkaMock
from tests.support.kafka_server import KafkaServer
from tests.support.ledger_view import LedgerView
from tests.support.receiver import Behaviour, Receiver
from tests.support.redfish_client import ACCOUNTS, open_client
from tests.support.redis_server import RedisServer, redis_binaries
from tests.support.relay import Relay
from tests.support.relay_process import RelayProcess, procfile_command, start_all
from tests.support.relay_settings import SHORT_OUTAGES
from tests.support.waiting import wait_until

pytestmark = pytest.mark.server

DOCUMENT = ROOT / "docs" / "operations.md"
TASKS = {block.title: block.text for block in blocks(DOCUMENT, "bash")}
PATIENCE_S = 90.0
PACKAGES = {"redis-cli": "redis-tools"}
MakeRelay: TypeAlias = Callable[..., Relay]


def run(task: str, env: Mapping[str, str], folder: Path) -> str:
    """
    Run a task of the guide as a person would who has set what it takes; gives what it prints.
    """
    done = subprocess.run(
        ["bash", "-euo", "pipefail"],
        input=TASKS[task],
        env={"HOME": str(folder), "PYTHONPATH": str(ROOT), **env, "PATH": path(folder, env)},
        cwd=folder,
        text=True,
        capture_output=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, f"{task}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def path(folder: Path, env: Mapping[str, str]) -> str:
    """
    Where programs are looked for: the product's before all, and a Redis of the kind that is tested.
    """
    found = [str(Path(sys.executable).parent), os.environ["PATH"]]
    if "REDIS_SERVER" in env:
        programs = folder / "programs"
        programs.mkdir(exist_ok=True)
        link = programs / "redis-server"
        link.unlink(missing_ok=True)
        link.symlink_to(env["REDIS_SERVER"])
        found.insert(0, str(programs))
    return os.pathsep.join(found)


@pytest.fixture(autouse=True)
def _programs() -> None:
    for program in ("bash", "redis-cli", "curl"):
        if shutil.which(program) is None:
            pytest.skip(f"needs {program} on PATH (Debian: {PACKAGES.get(program, program)})")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver.start(keep_bodies=False) as receiver:
        yield receiver


@pytest.fixture
def make_relay(
    kafka: KafkaServer | KafkaMock, fresh_redis: RedisServer, receiver: Receiver, tmp_path: Path
) -> MakeRelay:
    if isinstance(kafka, KafkaMock):
        pytest.skip("needs Apache Kafka, but there is only librdkafka's mock broker")

    def make() -> Relay:
        return Relay(
            tmp_path / "relay",
            redis=fresh_redis,
            kafka=kafka.bootstrap_servers,
            receiver=receiver,
            settings=SHORT_OUTAGES,
        )

    return make


@pytest.fixture
def api(fresh_redis: RedisServer, tmp_path: Path) -> ApiProcess:
    """
    An api process that is not started yet, with a certificate of its operator's.
    """
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    certificate(authority, tmp_path, "served")
    certificate(authority, tmp_path, "renewed")
    return ApiProcess(
        tmp_path,
        redis=fresh_redis,
        settings={"API__TLS_CERT_FILE": tmp_path / "served.crt", "API__TLS_KEY_FILE": tmp_path / "served.key"},
    )


def certificate(authority: trustme.CA, folder: Path, name: str) -> None:
    made = authority.issue_cert("localhost", "127.0.0.1")
    made.private_key_pem.write_to_path(folder / f"{name}.key")
    made.cert_chain_pems[0].write_to_path(folder / f"{name}.crt")


def served_by(api: ApiProcess) -> str:
    return ssl.get_server_certificate(("127.0.0.1", api.port), timeout=10)


def let_wait(relay: Relay, count: int) -> None:
    """
    Let so many deliveries be parked, but for one that may probe their destination right now.
    """
    wait_until(
        lambda: len(relay.ledger.dead_letters()) >= count - 1, timeout_s=PATIENCE_S, what=f"{count} deliveries to wait"
    )


def has_committed_all(relay: Relay) -> bool:
    """
    Whether the group's offsets in Kafka are where the ledger is: they follow it by seconds.
    """
    committed = {number: mark.offset for number, mark in relay.kafka.committed(relay.group_id, relay.topic).items()}
    return committed == {number: offset for number, (_, offset) in relay.ledger.positions(relay.topic).items()}


def nobody_reads(relay: Relay) -> bool:
    """
    Whether the group is empty: who was killed is in it until its session ends.
    """
    servers = {"bootstrap.servers": relay.env["ODIM_RELAY_KAFKA__BOOTSTRAP_SERVERS"]}
    return KafkaGroup(servers, relay.group_id).member_count() == 0


def settings_of(process: RelayProcess) -> dict[str, str]:
    return {name: value for name, value in process.env.items() if name.startswith("ODIM_RELAY_")}


def end(relay: Relay) -> None:
    for process in relay.processes:
        process.kill()


def test_every_task_is_run_here() -> None:
    used = {
        *("back up", "restore", "start without a ledger", "move: copy", "move: switch", "end the old processes"),
        *("let somebody in", "renew the certificate of the api", "change the encryption keys"),
        *("hold everything back", "go on", "hold one subscription back"),
    }
    assert used == TASKS.keys()


# --- Redis ---


@contextmanager
def ending(pid_file: Path) -> Iterator[None]:
    """
    Ends the Redis that the guide's commands have started, whatever comes.
    """
    try:
        yield
    finally:
        with suppress(FileNotFoundError, ProcessLookupError):
            os.kill(int(pid_file.read_text()), SIGKILL)


@pytest.mark.parametrize("redis_binary", redis_binaries(), ids=str, indirect=True)
def test_what_was_backed_up_is_restored_and_kafka_brings_what_came_since(make_relay: MakeRelay, tmp_path: Path) -> None:
    with make_relay() as relay:
        server = relay.redis
        awake, asleep = relay.subscribe(), relay.subscribe()
        relay.receiver.behave(asleep.path, Behaviour(status=503))
        before = relay.publish(events(60))
        relay.receiver.wait_for_accepted(awake.path, 60, PATIENCE_S)
        let_wait(relay, 60)
        run("back up", relay.env, tmp_path)
        (copy,) = tmp_path.glob("ledger-*.rdb")
        since = relay.publish(events(40, first=60))
        relay.receiver.wait_for_accepted(awake.path, 100, PATIENCE_S)
        let_wait(relay, 100)
        wait_until(lambda: has_committed_all(relay), timeout_s=PATIENCE_S, what="the offsets to be committed")

        # The host is lost, with its disk.
        end(relay)
        server.kill()
        shutil.rmtree(server.folder)
        server.folder.mkdir()
        pid_file, configuration = tmp_path / "redis.pid", tmp_path / "redis.conf"
        configuration.write_text(
            f"port {server.port}\nbind 127.0.0.1\ndir {server.folder}\npidfile {pid_file}\n"
            'appendonly yes\nappendfsync everysec\nsave ""\nmaxmemory-policy noeviction\n'
        )
        with ending(pid_file):
            told = run(
                "restore",
                {
                    **relay.env,
                    "COPY": str(copy),
                    "REDIS_FOLDER": str(server.folder),
                    "REDIS_CONF": str(configuration),
                    "REDIS_SERVER": server.binary.path,
                },
                tmp_path,
            )
            with suppress(redis.ConnectionError), server.client() as client:
                client.shutdown()
        assert relay.topic in told

        # Its own configuration reads the AOF that the restore has made.
        wait_until(lambda: not server.is_ready(), timeout_s=30, what="the restored Redis to end")
        server.start()
        relay.receiver.behave(asleep.path, Behaviour())
        start_all(relay.processes)
        account = relay.wait_for_all(PATIENCE_S)

    accepted = relay.accepted()
    again = {id_ for id_, count in accepted.items() if count > 1}
    of_awake = relay.expected(since) & relay.receiver.accepted(awake.path).keys()
    assert (account.lost, account.strangers, account.delivered) == (0, 0, account.published)
    assert account.published == 200
    # What had been delivered since the copy, and nothing else, comes once more.
    assert again == of_awake
    assert max(accepted.values()) == 2
    assert not again & relay.expected(before)


def test_without_a_copy_reading_begins_where_one_says(make_relay: MakeRelay, tmp_path: Path) -> None:
    with make_relay() as relay:
        gone = relay.subscribe()
        relay.publish(events(20))
        relay.receiver.wait_for_accepted(gone.path, 20, PATIENCE_S)
        wait_until(lambda: has_committed_all(relay), timeout_s=PATIENCE_S, what="the offsets to be committed")
        end(relay)
        relay.redis.empty()
        relay.bridge.launch()
        wait_until(lambda: not relay.bridge.running, timeout_s=PATIENCE_S, what="the bridge to refuse")
        assert relay.bridge.returncode == 3
        wait_until(lambda: nobody_reads(relay), timeout_s=PATIENCE_S, what="the killed bridge to be forgotten")

        run("start without a ledger", relay.env, tmp_path)
        anew = relay.subscribe()
        start_all(relay.processes)

        # All of them are younger than an hour: they come again.
        relay.receiver.wait_for_accepted(anew.path, 20, PATIENCE_S)


@pytest.mark.parametrize("redis_binary", redis_binaries(), ids=str, indirect=True)
def test_another_redis_takes_over_and_nothing_is_lost_or_comes_twice(make_relay: MakeRelay, tmp_path: Path) -> None:
    with make_relay() as relay, RedisServer(tmp_path / "new", binary=relay.redis.binary) as new:
        awake, asleep = relay.subscribe(), relay.subscribe()
        relay.receiver.behave(asleep.path, Behaviour(status=503))
        relay.publish(events(50))
        relay.receiver.wait_for_accepted(awake.path, 50, PATIENCE_S)
        let_wait(relay, 50)
        env = {
            **relay.env,
            "NEW_REDIS": new.url(),
            "OLD_HOST": "127.0.0.1",
            "OLD_PORT": str(relay.redis.port),
        }

        run("move: copy", env, tmp_path)
        relay.publish(events(50, first=50))
        for process in relay.processes:
            assert process.terminate() == 0
        told = run("move: switch", env, tmp_path)
        assert told.startswith("1\n")
        expected = relay.expected()
        relay.redis.kill()
        relay.receiver.behave(asleep.path, Behaviour())
        moved = further({**relay.env, "ODIM_RELAY_REDIS__URL": new.url()}, tmp_path / "moved")
        try:
            start_all(moved)
            for path_ in (awake.path, asleep.path):
                relay.receiver.wait_for_accepted(path_, 100, PATIENCE_S)
            with closing(LedgerView(new)) as ledger:
                wait_until(lambda: not ledger.open_count(), timeout_s=PATIENCE_S, what="nothing to be under way")
                assert ledger.dead_letters() == {}
        finally:
            for process in moved:
                process.kill()

    assert set(relay.accepted().values()) == {1}
    assert relay.accepted().keys() == expected
    assert len(expected) == 200


def further(env: Mapping[str, str], folder: Path) -> list[RelayProcess]:
    """
    A further process of each kind, not started yet.
    """
    ready = {"maintenance": " ready.", "worker": " ready.", "beat": "beat: Starting...", "bridge": "bridge.started"}
    made = []
    for kind, sign in ready.items():
        node = ["-n", f"{kind}-new@%h"] if sign == " ready." else []
        made.append(RelayProcess(f"{kind}-new", [*procfile_command(kind), *node], folder, env, ready=sign))
    return made


# --- processes ---


def test_new_processes_take_the_place_of_old_ones_while_deliveries_wait(make_relay: MakeRelay, tmp_path: Path) -> None:
    with make_relay() as relay:
        awake, asleep = relay.subscribe(), relay.subscribe()
        relay.receiver.behave(asleep.path, Behaviour(status=503))
        relay.publish(events(50))
        let_wait(relay, 50)
        old = {process.name: process for process in relay.processes}
        new = further(relay.env, tmp_path / "new")
        with relay.under_load(50):
            start_all(new)
            with being_reaped(old.values()):
                run(
                    "end the old processes",
                    {
                        **relay.env,
                        "OLD_MAINTENANCE": str(old["maintenance"].pid),
                        "OLD_WORKERS": str(old["worker1"].pid),
                        "OLD_BEAT": str(old["beat"].pid),
                        "OLD_API": "",
                        "OLD_BRIDGES": str(old["bridge1"].pid),
                    },
                    tmp_path,
                )
        assert {name: process.returncode for name, process in old.items()} == dict.fromkeys(old, 0)
        relay.receiver.behave(asleep.path, Behaviour())
        try:
            account = relay.wait_for_all(PATIENCE_S)
        finally:
            for process in new:
                process.kill()

    assert account.is_perfect, account
    assert account.published > 150
    assert len(relay.receiver.accepted(awake.path)) == len(relay.receiver.accepted(asleep.path))


@contextmanager
def being_reaped(processes: Iterable[RelayProcess]) -> Iterator[None]:
    """
    As a supervisor does: notice is taken of whoever ends, and its process id is free.
    """
    done = threading.Event()

    def look() -> None:
        while not done.wait(0.05) and any([process.running for process in processes]):  # noqa: C419 - look at each
            pass

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


# --- the API ---


def test_a_lost_password_is_replaced_and_the_account_let_in(api: ApiProcess, tmp_path: Path) -> None:
    with api:
        told = run("let somebody in", settings_of(api), tmp_path).splitlines()
        password = told[told.index("admin has a new password, and its sessions have ended") + 1]
        for secret, status in ((password, 200), (api.password, 401)):
            with open_client(api.url, tmp_path / "authority.pem", credentials=("admin", secret)) as client:
                assert client.get(ACCOUNTS).status_code == status
    assert told[-1] == "admin was enabled already"


def test_a_renewed_certificate_is_served_without_a_restart(api: ApiProcess, tmp_path: Path) -> None:
    with api:
        before = served_by(api)
        run(
            "renew the certificate of the api",
            {
                **settings_of(api),
                "NEW_KEY": str(tmp_path / "renewed.key"),
                "NEW_CERTIFICATE": str(tmp_path / "renewed.crt"),
            },
            tmp_path,
        )
        wait_until(lambda: served_by(api) != before, timeout_s=10, what="the new certificate")
        assert served_by(api) == (tmp_path / "renewed.crt").read_text()
        wait_until(lambda: api.lines("certificate.changed"), timeout_s=10, what="a word of it")
    assert len(api.lines("certificate.changed")) == 1
    assert api.lines("certificate.not_usable") == []
    assert (tmp_path / "served.key").stat().st_mode & 0o777 == 0o600


def test_everything_is_held_back_until_it_goes_on(make_relay: MakeRelay, api: ApiProcess, tmp_path: Path) -> None:
    with api, make_relay() as relay:
        env = {
            **relay.env,
            "API": api.url,
            "API_CA": str(tmp_path / "authority.pem"),
            "API_USER": api.user,
            "API_PASSWORD": api.password,
        }
        held = relay.subscribe()
        run("hold everything back", env, tmp_path)
        relay.publish(events(20))
        wait_until(lambda: relay.ledger.waiting_count() == 20, timeout_s=PATIENCE_S, what="all to wait")
        assert relay.receiver.request_count(held.path) == 0

        run("go on", env, tmp_path)

        relay.receiver.wait_for_accepted(held.path, 20, PATIENCE_S)
        assert "resumed" in run("hold one subscription back", {**env, "ID": held.id}, tmp_path).lower()


def test_new_encryption_keys_are_in_use_and_what_was_encrypted_is_read(
    fresh_redis: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old_key = bootstrap.new_encryption_key()
    env = {"ODIM_RELAY_REDIS__URL": fresh_redis.url(), "OLD_KEY": old_key}
    monkeypatch.setenv("ODIM_RELAY_REDIS__URL", fresh_redis.url())
    monkeypatch.setenv("ODIM_RELAY_SECRETS__ENCRYPTION_KEYS", f'["{old_key}"]')
    with as_before():
        assert bootstrap.service_identity().certificate()

    told = run("change the encryption keys", env, tmp_path)

    assert "1 secret now" in told
    with fresh_redis.client() as client:
        stored = client.get("odim-relay:service:certificate")
    assert isinstance(stored, bytes)
    assert b"PRIVATE KEY" not in stored
    with as_before(), pytest.raises(SealedError):
        bootstrap.service_identity().certificate()
