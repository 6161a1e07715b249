"""
Requests that a machine makes up from the API's own description: none breaks the service, none hangs it.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.api_process import ApiProcess
from tests.support.redfish_client import (
    ACCOUNTS,
    EVENT_SERVICE,
    SUBSCRIPTIONS,
    created,
    log_in,
    members,
    open_client,
)
from tests.support.redis_server import RedisServer

pytestmark = pytest.mark.server

SEED = 20_261_125
EXAMPLES = 25
ANSWERS_IN_S = 10
ENDS_IN_S = 300

# What would take the fuzzer's own log-in from under it, or everybody's. All of it is tested elsewhere, one by one.
EXCLUDED = (
    "DELETE /redfish/v1/SessionService/Sessions/{session_id}",
    "DELETE /redfish/v1/AccountService/Accounts/{account_id}",
    "PATCH /redfish/v1/AccountService/Accounts/{account_id}",
)
# An endless answer: there is no telling when it hangs.
STREAM = "GET /redfish/v1/EventService/SSE"


@pytest.fixture
def api(redis_server: RedisServer, tmp_path: Path) -> Iterator[ApiProcess]:
    redis_server.empty()
    with ApiProcess(tmp_path, redis=redis_server) as api:
        yield api


def test_no_request_that_the_description_allows_or_forbids_breaks_or_hangs_the_service(
    api: ApiProcess, tmp_path: Path
) -> None:
    with open_client(api.url, api.ca_file) as client:
        token = log_in(client, api.user, api.password)
    command = [str(Path(sys.executable).parent / "st"), "run", f"{api.url}/redfish/v1/openapi.yaml"]
    options = {
        "--header": f"X-Auth-Token:{token}",
        "--tls-verify": str(api.ca_file),
        "--checks": "not_a_server_error",
        "--max-examples": str(EXAMPLES),
        "--seed": str(SEED),
        "--request-timeout": str(ANSWERS_IN_S),
        "--workers": "2",
    }
    arguments = [word for pair in options.items() for word in pair]
    arguments += [word for name in (*EXCLUDED, STREAM) for word in ("--exclude-name", name)]

    done = subprocess.run(
        [*command, *arguments, "--no-shrink"],
        cwd=tmp_path,
        env={**os.environ, "HYPOTHESIS_STORAGE_DIRECTORY": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=ENDS_IN_S,
        check=False,
    )

    print(f"seed {SEED}; not fuzzed: {', '.join((*EXCLUDED, STREAM))}\n{done.stdout}")
    assert done.returncode == 0
    assert "Traceback" not in api.log()
    with open_client(api.url, api.ca_file, credentials=(api.user, api.password)) as admin:
        assert admin.get(EVENT_SERVICE).status_code == 200
        assert log_in(admin, api.user, api.password)
        assert members(admin, ACCOUNTS)
        uri = created(admin, SUBSCRIPTIONS, {"Destination": "https://192.0.2.1/after", "Protocol": "Redfish"})
        assert uri in members(admin)
