"""
The receivers of examples/, as processes.
"""

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.processes import LocalProcess, free_port
from tests.support.relay_process import ROOT

EXAMPLES = ROOT / "examples"
BUILD_LIMIT_S = 300


class ExampleReceiver(LocalProcess):
    """
    One of them, over TLS, with everything it keeps in `folder`.
    """

    terminate_limit_s = 15.0

    def __init__(self, folder: Path, program: Sequence[str], chain_file: Path) -> None:
        self.port = free_port()
        self.secret_file = folder / "receiver.secret"
        super().__init__("receiver", [*program], folder)
        self.chain_file = chain_file
        folder.mkdir(parents=True, exist_ok=True)

    def is_ready(self) -> bool:
        return "listening at https://" in self.log(since_start=True)

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}/events"

    def trust(self, *secrets: str) -> None:
        """
        What requests may be signed with, from the next start on.
        """
        self.secret_file.write_text("".join(f"{secret}\n" for secret in secrets))

    def handled(self) -> Counter[str]:
        """
        How often each webhook-id was worked on with success, as the example itself tells.
        """
        raise NotImplementedError


class PythonReceiver(ExampleReceiver):
    def __init__(self, folder: Path, chain_file: Path) -> None:
        self._program = [sys.executable, "-W", "error", str(EXAMPLES / "receiver-python" / "receiver.py")]
        super().__init__(folder, self._program, chain_file)
        self.argv += ["--secret-file", str(self.secret_file), "--certificate", str(chain_file)]
        self.argv += ["--port", str(self.port)]

    def handled(self) -> Counter[str]:
        told = subprocess.run(
            [*self._program, "--list"], cwd=self.folder, capture_output=True, text=True, timeout=60, check=True
        ).stdout
        return Counter(line.partition("\t")[0] for line in told.splitlines())


class GoReceiver(ExampleReceiver):
    def __init__(self, folder: Path, chain_file: Path) -> None:
        super().__init__(folder, [str(go_binary(folder.parent))], chain_file)
        self.argv += ["-secret-file", str(self.secret_file), "-certificate", str(chain_file)]
        self.argv += ["-listen", f"127.0.0.1:{self.port}"]

    @property
    def arrived_file(self) -> Path:
        return self.folder / "arrived.jsonl"

    @property
    def handled_file(self) -> Path:
        return self.folder / "handled.jsonl"

    def handled(self) -> Counter[str]:
        if not self.handled_file.exists():
            return Counter()
        whole = self.handled_file.read_bytes()
        # The last line may be under way.
        lines = whole[: whole.rfind(b"\n") + 1].splitlines()
        results = [json.loads(line) for line in lines]
        return Counter(result["id"] for result in results if "trouble" not in result)


def go_binary(folder: Path) -> Path:
    """
    The receiver in Go, built with what is on this machine alone; skips the test where there is no Go.
    """
    if shutil.which("go") is None:
        pytest.skip("needs go: install Go >= 1.19, or run scripts/test-servers")
    binary = folder / "receiver-go"
    if not binary.exists():
        subprocess.run(
            ["go", "build", "-o", str(binary), "."],
            cwd=EXAMPLES / "receiver-go",
            env={**os.environ, "GOPROXY": "off", "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=mod"},
            check=True,
            timeout=BUILD_LIMIT_S,
        )
    return binary
