"""
compose.yaml as `docker compose` understands it: by the same library, in a program that Go builds once, into a cache of
this user's.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.support.documents import ROOT, blocks

PROGRAM = Path(__file__).with_name("compose")
FETCH_LIMIT_S = 600


class ReaderMissingError(Exception):
    """
    Compose files cannot be read here; the message tells how that is mended.
    """


class BadComposeFileError(Exception):
    """
    The file is refused; the message is the reader's.
    """


def _cached() -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    sources = b"".join((PROGRAM / name).read_bytes() for name in ("main.go", "go.mod", "go.sum"))
    return cache / "odim-relay" / f"compose-reader-{hashlib.sha256(sources).hexdigest()[:8]}"


def reader() -> str:
    """
    The path of the reader, built where it is not yet.
    """
    target = _cached()
    if not target.is_file():
        go = shutil.which("go")
        if go is None:
            raise ReaderMissingError("no go: install Go >= 1.21, which builds a reader of compose files once")
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            made = Path(folder) / "reader"
            try:
                subprocess.run(
                    [go, "build", "-mod=readonly", "-o", str(made), "."],
                    cwd=PROGRAM,
                    check=True,
                    capture_output=True,
                    text=True,
                    timeout=FETCH_LIMIT_S,
                )
            except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as exc:
                raise ReaderMissingError(f"a reader of compose files that Go could not build: {exc.stderr!s}") from exc
            made.replace(target)
    return str(target)


def read_compose(folder: Path) -> dict[str, Any]:
    """
    Read the compose.yaml of this folder, with the .env and the relay.env that are there.

    Raises:
        BadComposeFileError: it is refused.
    """
    done = subprocess.run(
        [reader(), str(folder / "compose.yaml")],
        env={"PATH": os.environ["PATH"]},  # what is set here must not count
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if done.returncode:
        raise BadComposeFileError(done.stderr)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def make_site(folder: Path) -> None:
    """
    What somebody has who follows docs/containers.md: the file, and secrets made by the document's commands.
    """
    shutil.copy(ROOT / "compose.yaml", folder)
    (commands,) = blocks(ROOT / "docs" / "containers.md", "bash")
    subprocess.run(["bash", "-euo", "pipefail", "-c", commands.text], cwd=folder, check=True, timeout=60)


if __name__ == "__main__":
    try:
        reader()
    except ReaderMissingError as missing:
        sys.exit(str(missing))
