"""
The commands in docs/api.md do what they say.
"""

import json
import os
import shutil
from pathlib import Path

import pytest

from tests.e2e.clients.conftest import Served
from tests.support.documents import blocks
from tests.support.relay_process import ROOT
from tests.support.terminal import run_script

pytestmark = pytest.mark.server


def test_every_command_of_the_document_succeeds(served: Served, tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("needs curl on PATH (Debian: curl)")
    (commands,) = blocks(ROOT / "docs" / "api.md", "bash")
    env = {
        "PATH": os.environ["PATH"],
        "RELAY": served.api.url,
        "CREDENTIALS": f"{served.api.user}:{served.api.password}",
    }

    told = run_script(commands.text, env=env, folder=tmp_path, timeout_s=60)

    made = json.loads((tmp_path / "subscription.json").read_text())
    assert made["Context"] == "rack 7"
    assert f'"Id":"{made["Id"]}"' in told
    assert ": alive" in told
