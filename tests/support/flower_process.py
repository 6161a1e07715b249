"""
Flower in a test: what a person can see of the workers' tasks.
"""

import json
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.support.processes import free_port
from tests.support.relay_process import RelayProcess, procfile_command

_ANSWER_S = 10


class FlowerProcess(RelayProcess):
    """
    Flower on a free port, with its API open; it sees what happens from its start on.
    """

    start_limit_s = 60.0

    def __init__(self, folder: Path, env: Mapping[str, str]) -> None:
        self.url = f"http://127.0.0.1:{(port := free_port())}"
        own = {"FLOWER_PORT": str(port), "FLOWER_UNAUTHENTICATED_API": "true"}
        super().__init__("flower", procfile_command("flower"), folder, {**env, **own}, ready="")

    def is_ready(self) -> bool:
        try:
            return bool(self.read("/healthcheck"))
        except OSError:
            return False

    def read(self, path: str) -> str:
        """
        What it answers, as text.
        """
        with urllib.request.urlopen(f"{self.url}{path}", timeout=_ANSWER_S) as answer:
            text: str = answer.read().decode()
        return text

    def tasks(self) -> dict[str, Any]:
        """
        The tasks that it has seen.
        """
        found: dict[str, Any] = json.loads(self.read("/api/tasks?limit=10000"))
        return found
