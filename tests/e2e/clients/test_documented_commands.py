"""
The commands in docs/api.md do what they say.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.e2e.clients.conftest import Served
from tests.support.relay_process import ROOT

pytestmark = pytest.mark.server


def test_every_command_of_the_document_succeeds(served: Served, tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("needs curl")
    document = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    commands = document.partition("```bash\n")[2].partition("```")[0]
    env = {"RELAY": served.api.url, "CREDENTIALS": f"{served.api.user}:{served.api.password}"}

    done = subprocess.run(
        ["bash", "-euo", "pipefail"],
        input=commands,
        env={"PATH": os.environ["PATH"], **env},
        cwd=tmp_path,
        text=True,
        capture_output=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    made = json.loads((tmp_path / "subscription.json").read_text())
    assert made["Context"] == "rack 7"
    assert f'"Id":"{made["Id"]}"' in done.stdout
    assert ": alive" in done.stdout
