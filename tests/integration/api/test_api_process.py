"""
`odim-relay api` as a process: how it starts, what it is started with, and how it ends.
"""

import re
import socket
import ssl
import threading
from hashlib import sha256
from pathlib import Path

import httpx
import pytest
import trustme

from tests.integration.api.raw import connection
from tests.support.api_process import ApiProcess
from tests.support.processes import accepts_connections
from tests.support.redfish_client import ACCOUNTS, SESSION_SERVICE, SESSIONS, log_in, members, open_client
from tests.support.redis_server import RedisServer
from tests.support.relay_process import start_all, wait_for_end
from tests.support.waiting import wait_until

pytestmark = pytest.mark.server

PRINTED = re.compile(r"^odim-relay: the first account is (\S+), its password is (\S+)$", re.MULTILINE)
ENDS_IN_S = 5.0


@pytest.fixture
def redis(empty_redis: RedisServer) -> RedisServer:
    return empty_redis


def admin(api: ApiProcess) -> httpx.Client:
    return open_client(api.url, api.ca_file, credentials=(api.user, api.password))


def started(folder: Path, redis: RedisServer, name: str = "api", **settings: object) -> ApiProcess:
    return ApiProcess(folder, redis=redis, name=name, settings=settings)


# --- certificates ---


def test_its_own_certificate_is_verified_by_name_and_address_and_told_by_fingerprint(
    tmp_path: Path, redis: RedisServer
) -> None:
    with started(tmp_path, redis) as api:
        for host in ("127.0.0.1", "localhost", socket.gethostname()):
            context = ssl.create_default_context(cafile=str(api.ca_file))
            context.verify_flags |= ssl.VERIFY_X509_STRICT
            with (
                socket.create_connection(("127.0.0.1", api.port), 10) as plain,
                context.wrap_socket(plain, server_hostname=host) as wrapped,
            ):
                assert wrapped.version() == "TLSv1.3"
                served = wrapped.getpeercert(binary_form=True)
        (told,) = api.lines("certificate.loaded")
        assert served is not None
        assert told["sha256"].replace(":", "").lower() == _sha256(served)
        assert f"its SHA-256 fingerprint is {told['sha256']}" in api.log()
        assert "PRIVATE KEY" not in api.log()


def test_every_process_has_the_same_certificate_and_after_a_restart_too(tmp_path: Path, redis: RedisServer) -> None:
    with started(tmp_path, redis) as one, started(tmp_path, redis, "other") as other:
        served = one.ca_file.read_text()
        assert other.ca_file.read_text() == served
        one.restart()
        assert one.ca_file.read_text() == served
        with admin(one) as here, admin(other) as there:
            assert here.get("/redfish/v1/").json()["UUID"] == there.get("/redfish/v1/").json()["UUID"]


def test_a_certificate_that_is_given_is_served(tmp_path: Path, redis: RedisServer) -> None:
    authority = trustme.CA()
    given = authority.issue_cert("localhost", "127.0.0.1")
    given.private_key_and_cert_chain_pem.write_to_path(tmp_path / "server.pem")
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")

    with started(tmp_path, redis, API__TLS_CERT_FILE=tmp_path / "server.pem") as api:
        with open_client(api.url, tmp_path / "authority.pem") as client:
            assert client.get("/redfish").status_code == 200
        assert api.lines("certificate.loaded") == []


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"API__TLS_CERT_FILE": "/nowhere/cert.pem"}, "API__TLS_CERT_FILE: /nowhere/cert.pem cannot be read"),
        ({"API__TLS_CERT_FILE": "{folder}/wrong.pem"}, "API__TLS_CERT_FILE, API__TLS_KEY_FILE"),
        ({"API__TLS_KEY_FILE": "{folder}/wrong.pem"}, "API__TLS_KEY_FILE is set without API__TLS_CERT_FILE"),
        (
            {"API__TLS_CERT_FILE": "{folder}/wrong.pem", "API__TLS_KEY_FILE": "/nowhere/key.pem"},
            "API__TLS_KEY_FILE: /nowhere/key.pem cannot be read",
        ),
        ({"API__PLAIN_HTTP": "true", "API__BIND": "0.0.0.0"}, "API__PLAIN_HTTP is for loopback only"),
        ({"API__BIND": "192.0.2.1"}, "API__BIND, API__PORT: cannot listen on 192.0.2.1"),
        ({"API__ADMIN_USERNAME": "a:b"}, "API__ADMIN_USERNAME"),
        ({"API__ADMIN_PASSWORD": "short"}, "API__ADMIN_PASSWORD"),
        ({"API__PORT": "70000"}, "API__PORT"),
    ],
    ids=str,
)
def test_a_setting_that_cannot_be_is_named_and_nothing_is_served(
    tmp_path: Path, redis: RedisServer, settings: dict[str, str], told: str
) -> None:
    (tmp_path / "wrong.pem").write_text("no certificate")
    filled = {name: value.format(folder=tmp_path) for name, value in settings.items()}
    api = started(tmp_path, redis, **filled)
    api.launch()

    assert wait_for_end(api) == 2
    assert told in api.log()
    assert "Traceback" not in api.log()


def test_a_port_that_is_taken_is_told(tmp_path: Path, redis: RedisServer) -> None:
    with started(tmp_path, redis) as api:
        second = started(tmp_path, redis, "second", API__PORT=api.port)
        second.launch()
        assert wait_for_end(second) == 2

    assert f"cannot listen on 127.0.0.1, port {api.port}" in second.log()


def test_without_tls_it_serves_where_that_is_asked_for(tmp_path: Path, redis: RedisServer) -> None:
    with started(tmp_path, redis, API__PLAIN_HTTP="true") as api:
        answer = httpx.get(f"{api.url}{SESSION_SERVICE}", auth=(api.user, api.password))

    assert answer.status_code == 200


# --- the first account ---


def test_a_generated_password_is_printed_once_and_never_logged(tmp_path: Path, redis: RedisServer) -> None:
    with started(tmp_path, redis, API__ADMIN_PASSWORD="") as api:
        ((user, password),) = PRINTED.findall(api.log())
        with open_client(api.url, api.ca_file, credentials=(user, password)) as client:
            assert len(members(client, ACCOUNTS)) == 1
        assert api.log().count(password) == 1

        api.restart()

        assert PRINTED.findall(api.log(since_start=True)) == []


def test_processes_that_start_together_make_one_account(tmp_path: Path, redis: RedisServer) -> None:
    several = [started(tmp_path, redis, f"api-{number}", API__ADMIN_PASSWORD="") for number in range(3)]
    try:
        start_all(several)
        ((user, password),) = [found for api in several for found in PRINTED.findall(api.log())]
        for api in several:
            with open_client(api.url, api.ca_file, credentials=(user, password)) as client:
                assert len(members(client, ACCOUNTS)) == 1
    finally:
        for api in several:
            api.kill()


# --- without Redis ---


def test_it_starts_without_redis_says_so_and_is_ready_when_redis_comes(
    tmp_path: Path, fresh_redis: RedisServer
) -> None:
    fresh_redis.terminate()
    with started(tmp_path, fresh_redis) as api, admin(api) as client:
        assert client.get("/healthz").status_code == 200
        ready = client.get("/readyz")
        assert (ready.status_code, ready.json()["ready"]) == (503, False)
        assert "Redis" in ready.json()["reasons"]["redis"]
        refused = client.get(SESSIONS)
        assert refused.status_code == 503
        assert refused.headers["Retry-After"]
        assert refused.json()["error"]["code"].endswith(".ServiceTemporarilyUnavailable")

        fresh_redis.start()
        wait_until(lambda: _status_anyhow(api, "/readyz") == 200, timeout_s=20, what="readiness")

        api.wait_ready()  # the certificate is another now
        with admin(api) as again:
            assert again.get(SESSIONS).status_code == 200


def test_redis_may_go_away_and_come_back(tmp_path: Path, fresh_redis: RedisServer) -> None:
    with started(tmp_path, fresh_redis) as api, admin(api) as client:
        token = log_in(client, api.user, api.password)
        fresh_redis.wait_until_written()
        fresh_redis.kill()
        assert client.get(SESSIONS).status_code == 503
        assert client.get("/readyz").status_code == 503
        assert client.get("/metrics").status_code == 503

        fresh_redis.start()

        with open_client(api.url, api.ca_file, token=token) as session:
            wait_until(lambda: session.get(SESSIONS).status_code == 200, timeout_s=20, what="the session")


# --- the end ---


def test_it_ends_with_0_and_leaves_no_connection_open_that_says_nothing(tmp_path: Path, redis: RedisServer) -> None:
    with started(tmp_path, redis) as api, admin(api) as client, connection(api):
        assert client.get(SESSIONS).status_code == 200

        assert api.terminate(limit_s=ENDS_IN_S) == 0

    assert api.lines("api.stopped")


def test_a_request_that_is_under_way_is_answered_before_the_end(tmp_path: Path, redis: RedisServer) -> None:
    with started(tmp_path, redis) as api, connection(api) as wrapped:
        body = f'{{"UserName":"{api.user}","Password":"{api.password}"}}'.encode()
        wrapped.sendall(
            f"POST {SESSIONS} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n".encode()
        )
        assert wrapped.recv(1_000).startswith(b"HTTP/1.1 100")
        ended: list[int] = []
        ending = threading.Thread(target=lambda: ended.append(api.terminate()))
        ending.start()
        wait_until(lambda: not accepts_connections(api.port), timeout_s=5, what="no new connections")

        wrapped.sendall(body)

        assert wrapped.recv(1_000).startswith(b"HTTP/1.1 201")
        ending.join()
        assert ended == [0]


def test_a_session_survives_the_process(tmp_path: Path, redis: RedisServer) -> None:
    with started(tmp_path, redis) as api:
        with open_client(api.url, api.ca_file) as client:
            token = log_in(client, api.user, api.password)
        api.kill()
        api.start()
        with open_client(api.url, api.ca_file, token=token) as client:
            assert client.get(SESSIONS).status_code == 200


def test_a_head_that_trickles_in_is_given_up(tmp_path: Path, redis: RedisServer) -> None:
    with started(tmp_path, redis, API__BODY_TIMEOUT_S=1) as api, connection(api, timeout_s=0.2) as wrapped:
        _trickle_until_cut_off(wrapped)
        with admin(api) as client:
            assert client.get(SESSIONS).status_code == 200


def _trickle_until_cut_off(wrapped: ssl.SSLSocket) -> None:
    wrapped.sendall(b"GET /redfish HTTP/1.1\r\nX-Long: ")
    for _ in range(100):
        try:
            wrapped.sendall(b"x")
            if wrapped.recv(1) == b"":
                return
        except TimeoutError:
            continue
        except OSError:
            return
    raise AssertionError("it still waits for the head")


def _status_anyhow(api: ApiProcess, path: str) -> int:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return httpx.get(f"{api.url}{path}", verify=context).status_code


def _sha256(der: bytes) -> str:
    return sha256(der).hexdigest()
