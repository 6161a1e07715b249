"""
What `helm test` runs, run: against the API, over TLS.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import certifi
import pytest

from tests.support.api_process import ApiProcess
from tests.support.chart import VALUES_FILES, Rendered, rendered
from tests.support.redis_server import RedisServer

pytestmark = pytest.mark.server

MINIMAL = next(file for file in VALUES_FILES if file.name == "minimal-values.yaml")


@pytest.fixture(scope="module")
def api(redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiProcess]:
    folder = tmp_path_factory.mktemp("api")
    with ApiProcess(folder, redis=redis_server, settings={"REDIS__KEY_PREFIX": "helm-test:"}) as process:
        yield process


def ask(found: Rendered, url: str, *ca_file: Path | str, tries: int = 1) -> subprocess.CompletedProcess[str]:
    """
    Run the test pod's command with another address, and other files.
    """
    (container,) = found.one("Pod")["spec"]["containers"]
    python, option, program, *_ = container["command"]
    assert (python, option) == ("python", "-c")
    assert "TRIES = 10\n" in program
    return subprocess.run(
        [sys.executable, "-c", program.replace("TRIES = 10\n", f"TRIES = {tries}\n"), url, *map(str, ca_file)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_an_api_that_is_ready_passes(api: ApiProcess) -> None:
    done = ask(rendered(MINIMAL), api.url, tries=10)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, f"{api.url} is ready")


def test_with_an_authority_its_certificate_is_verified(api: ApiProcess) -> None:
    assert ask(rendered(MINIMAL), api.url, api.ca_file, tries=10).returncode == 0
    done = ask(rendered(MINIMAL), api.url, certifi.where())
    assert done.returncode == 1
    assert "certificate verify failed" in done.stdout


def test_an_api_whose_redis_is_away_fails_with_the_reason(fresh_redis: RedisServer, tmp_path: Path) -> None:
    with ApiProcess(tmp_path, redis=fresh_redis) as process:
        fresh_redis.kill()
        done = ask(rendered(MINIMAL), process.url)
    assert done.returncode == 1
    assert "/readyz answers 503" in done.stdout
    assert "redis" in done.stdout


def test_nobody_there_fails() -> None:
    done = ask(rendered(MINIMAL), "https://127.0.0.1:1")
    assert done.returncode == 1
    assert "refused" in done.stdout


def test_the_pod_asks_the_service_of_the_api(production: Rendered) -> None:
    (container,) = production.one("Pod")["spec"]["containers"]
    *_, url, ca_file = container["command"]
    service = production.one("Service", "-api")
    (port,) = service["spec"]["ports"]
    assert url == f"https://{service['metadata']['name']}.events.svc:{port['port']}"
    (mount,) = container["volumeMounts"]
    assert ca_file == f"{mount['mountPath']}/ca.crt"
    (pod,) = production.of("Pod")
    assert pod["spec"]["volumes"][0]["secret"]["items"] == [{"key": "ca.crt", "path": "ca.crt"}]
