"""
Receivers that verify what they get, with the libraries that the makers of Standard Webhooks publish, and with
cryptography alone. That for JavaScript comes from npm, into a cache of this user's: fetched once, then used offline.
"""

import fcntl
import json
import os
import shutil
import subprocess
import tempfile
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple, TypeAlias

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from standardwebhooks import Webhook, WebhookVerificationError

NPM_VERSION = "1.1.1"
FETCH_LIMIT_S = 300
VERIFY_LIMIT_S = 60
_PROGRAM = Path(__file__).with_name("webhook_verifier.mjs")


class Received(NamedTuple):
    """
    A request as it came; `headers` by lower-case name.
    """

    headers: dict[str, str]
    body: bytes


Verify: TypeAlias = Callable[[str, Sequence[Received]], list[bool]]
"""
Tells of each request whether it verifies, by a secret or a public key.
"""


class NodeMissingError(Exception):
    """
    The library for JavaScript cannot be run here; the message names what is missing and how to get it.
    """


def verify_in_python(secret: str, requests: Sequence[Received]) -> list[bool]:
    def verifies(request: Received) -> bool:
        try:
            Webhook(secret).verify(request.body, request.headers, json_parse=False)
        except WebhookVerificationError:
            return False
        return True

    return [verifies(request) for request in requests]


def verify_in_javascript(secret: str, requests: Sequence[Received]) -> list[bool]:
    """
    Skips the test where there is no Node.js; in CI that is a failure.
    """
    try:
        folder = installed()
    except NodeMissingError as exc:
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI needs Node.js: {exc}")
        pytest.skip(f"needs Node.js, but there is {exc}")
    lines = [
        json.dumps({"secret": secret, "headers": request.headers, "body": b64encode(request.body).decode()})
        for request in requests
    ]
    told = subprocess.run(
        [node(), str(_PROGRAM)],
        cwd=folder,
        input="".join(f"{line}\n" for line in lines),
        capture_output=True,
        text=True,
        timeout=VERIFY_LIMIT_S,
        check=True,
    ).stdout.splitlines()
    assert len(told) == len(requests)
    return [word == "verified" for word in told]


def verify_by_public_key(public_key: str, requests: Sequence[Received]) -> list[bool]:
    key = Ed25519PublicKey.from_public_bytes(b64decode(public_key.removeprefix("whpk_"), validate=True))

    def verifies(request: Received) -> bool:
        content = f"{request.headers['webhook-id']}.{request.headers['webhook-timestamp']}.".encode() + request.body
        for signature in request.headers["webhook-signature"].split(" "):
            version, _, text = signature.partition(",")
            if version == "v1a":
                try:
                    key.verify(b64decode(text, validate=True), content)
                except InvalidSignature:
                    continue
                return True
        return False

    return [verifies(request) for request in requests]


@cache
def node() -> str:
    """
    The path of Node.js.
    """
    path = shutil.which("node")
    if path is None:
        raise NodeMissingError("no node: install Node.js >= 18 (Debian: nodejs)")
    return path


@cache
def installed() -> Path:
    """
    The folder whose `node_modules` has the library; fetches it on the first call of this machine. Safe to call from
    several test runs at once; nothing is left half done when it fails.
    """
    node()
    cache_home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    target = cache_home / "odim-relay" / f"standardwebhooks-npm-{NPM_VERSION}"
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.with_name(f"{target.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.is_dir():  # else another run has fetched it meanwhile
            with tempfile.TemporaryDirectory(dir=target.parent, prefix=f"{target.name}.") as folder:
                made = Path(folder, "made")
                _fetch(made)
                made.rename(target)
    return target


def _fetch(folder: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise NodeMissingError("no npm: install npm (Debian: npm), which fetches the library once")
    folder.mkdir()
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--silent"]
    command = [npm, "install", "--prefix", str(folder), *options, f"standardwebhooks@{NPM_VERSION}"]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=FETCH_LIMIT_S)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as exc:
        raise NodeMissingError(f"no standardwebhooks {NPM_VERSION}: npm could not fetch it: {exc.stderr!s}") from exc
