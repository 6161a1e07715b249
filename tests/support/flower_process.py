"""
Flower in a test: what a person can see of the workers' tasks.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from tests.support.processes import free_port
from tests.support.relay_process import RelayProcess, procfile_command

USER, PASSWORD = "ann", "correct-horse-battery"
_ANSWER_S = 10
_SETTINGS = {"USERNAME": USER, "PASSWORD": PASSWORD, "TASK_EVENTS": "true"}


class FlowerProcess(RelayProcess):
    """
    Flower on a free port; it sees what happens from its start on. Answers are to `USER` with `PASSWORD`.

    `settings` are those of its group, beside or instead of these.
    """

    start_limit_s = 60.0

    def __init__(self, folder: Path, env: Mapping[str, str], settings: Mapping[str, object] | None = None) -> None:
        chosen = {"PORT": free_port(), **_SETTINGS, **(settings or {})}
        self.origin = f"http://127.0.0.1:{chosen['PORT']}"
        self.url = f"{self.origin}/{str(chosen.get('URL_PREFIX', '')).strip('/')}".rstrip("/")
        own = {f"ODIM_RELAY_FLOWER__{name}": str(value) for name, value in chosen.items()}
        super().__init__("flower", procfile_command("flower"), folder, {**env, **own}, ready="")

    def is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/healthcheck", timeout=_ANSWER_S).is_success
        except httpx.TransportError:
            return False

    def ask(self, path: str, *, method: str = "GET", auth: tuple[str, str] | None = (USER, PASSWORD)) -> httpx.Response:
        """
        What it answers, whatever that is.
        """
        return httpx.request(method, f"{self.url}{path}", auth=auth, timeout=_ANSWER_S)

    def read(self, path: str) -> str:
        """
        What it answers, as text.
        """
        return self.ask(path).raise_for_status().text

    def tasks(self) -> dict[str, Any]:
        """
        The tasks that it has seen.
        """
        found: dict[str, Any] = self.ask("/api/tasks?limit=10000").raise_for_status().json()
        return found
