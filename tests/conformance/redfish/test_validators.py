"""
DMTF's service validator and protocol validator find nothing to complain of: no FAIL and no WARN.

The validators come from PyPI; what they need beside the service, Redfish's schemas in CSDL and the tool that runs them,
lies beside the repository: see CONTRIBUTING.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conformance.redfish.not_tested import NOT_TESTED
from tests.conformance.redfish.rich import RICH, SUSPENDED
from tests.support.api_process import ApiProcess
from tests.support.redfish_client import STREAM, SUBSCRIPTIONS, created, members, open_client
from tests.support.redis_server import RedisServer
from tests.support.relay_process import ROOT
from tests.support.shared import csdl_dir, shared_tool

pytestmark = pytest.mark.server

OWN_SCHEMA = "/redfish/v1/Schemas/OdimRelay_v1.xml"
LEAST_SERVICE_PASS = 161
LEAST_PROTOCOL_PASS = 330
ENDS_IN_S = 180


@pytest.fixture
def api(redis_server: RedisServer, tmp_path: Path) -> Iterator[ApiProcess]:
    redis_server.empty()
    with ApiProcess(tmp_path, redis=redis_server) as api:
        yield api


@pytest.fixture
def admin(api: ApiProcess) -> Iterator[httpx.Client]:
    with open_client(api.url, api.ca_file, credentials=(api.user, api.password)) as client:
        yield client


@pytest.fixture
def csdl(admin: httpx.Client, tmp_path: Path) -> Path:
    """
    Redfish's schemas, and the service's own of what stands under Oem.
    """
    folder = tmp_path / "csdl"
    folder.mkdir()
    for file in csdl_dir().glob("*.xml"):
        (folder / file.name).symlink_to(file)
    own = admin.get(OWN_SCHEMA)
    assert own.status_code == 200
    (folder / Path(OWN_SCHEMA).name).write_bytes(own.content)
    assert OWN_SCHEMA in admin.get("/redfish/v1/$metadata").text
    return folder


def validate(api: ApiProcess, csdl: Path, folder: Path) -> dict[str, Any]:
    """
    Run both validators, print what they say, and return the tool's result.
    """
    tool, out = shared_tool("redfish_conformance.py"), folder / "out"
    options = {
        "--url": api.url,
        "--user": api.user,
        "--password": api.password,
        "--csdl": str(csdl),
        "--ca": str(api.ca_file),
        "--min-service-pass": str(LEAST_SERVICE_PASS),
        "--min-protocol-pass": str(LEAST_PROTOCOL_PASS),
        "--out": str(out),
    }
    arguments = [word for pair in options.items() for word in pair]
    reasons = folder / "not_tested.json"
    module = "tests.conformance.redfish.validators"
    done = subprocess.run(
        [sys.executable, "-m", module, str(tool), str(reasons), *arguments, "--sse"],
        cwd=ROOT,
        env={**os.environ, "PYTHONWARNINGS": "default"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=ENDS_IN_S,
        check=False,
    )
    print(done.stdout)
    assert done.returncode == 0, "the validators have something to say: see above"
    for assertion, messages in json.loads(reasons.read_text()).items():
        why = NOT_TESTED.get(assertion, "nobody knows why")
        print(f"not tested: {assertion}: {why} ({'; '.join(messages)})")
    assert set(json.loads(reasons.read_text())) <= NOT_TESTED.keys()
    result: dict[str, Any] = json.loads((out / "result.json").read_text())
    return result


def check(result: dict[str, Any]) -> None:
    """
    The gate, once more: a tool that gates no more would be noticed.
    """
    passed, *others = result["service"]
    assert passed >= LEAST_SERVICE_PASS
    assert others == [0, 0]
    totals = result["protocol"]
    assert totals["PASS"] >= LEAST_PROTOCOL_PASS
    assert (totals["WARN"], totals["FAIL"]) == (0, 0)


def test_a_service_without_subscriptions_conforms(api: ApiProcess, csdl: Path, tmp_path: Path) -> None:
    check(validate(api, csdl, tmp_path))


def test_a_service_with_ten_rich_subscriptions_conforms(
    api: ApiProcess, admin: httpx.Client, csdl: Path, tmp_path: Path
) -> None:
    made = [created(admin, SUBSCRIPTIONS, wish) for wish in RICH]
    suspended = admin.post(f"{made[SUSPENDED]}/Actions/EventDestination.SuspendSubscription", json={})
    assert suspended.status_code == 204
    with ExitStack() as stack:
        stack.enter_context(admin.stream("GET", STREAM))
        before = members(admin)
        assert len(before) == len(RICH) + 1

        check(validate(api, csdl, tmp_path))

        assert members(admin) == before
