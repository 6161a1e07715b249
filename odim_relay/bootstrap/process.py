"""
What every process has: its settings, its logs, ids and secrets.
"""

import secrets
import time
from collections.abc import Callable
from functools import cache
from threading import Event
from uuid import uuid4

from odim_relay import __version__, telemetry
from odim_relay.adapters.liveness_file import LivenessFile
from odim_relay.adapters.security import sealing, signing
from odim_relay.domain.egress import EgressPolicy
from odim_relay.domain.signing import signing_secret_of
from odim_relay.settings import Settings, load

USER_AGENT = f"odim-relay/{__version__}"

stopping = Event()
"""
Set when this process is to end: nobody waits for anything any more.
"""


@cache
def settings() -> Settings:
    """
    The settings of this process.
    """
    return load()


def configure_logs() -> None:
    """
    Set up logging as the settings say.
    """
    telemetry.configure_logs(level=settings().log.level, style=settings().log.format)


@cache
def sign_of_life() -> Callable[[], None]:
    """
    What the main loop of a process calls each time that it comes round.

    Raises:
        ConfigurationError: LIVENESS__FILE cannot be written.
    """
    path = settings().liveness.file
    return (lambda: None) if path is None else LivenessFile(path, time.monotonic).note


def egress_policy() -> EgressPolicy:
    """
    Which addresses events may be sent to.
    """
    chosen = settings().egress
    return EgressPolicy(allow=chosen.allow, deny=chosen.deny)


def new_id() -> str:
    """
    A uuid4.
    """
    return str(uuid4())


def new_signing_secret() -> str:
    """
    A secret to sign requests with.
    """
    return signing_secret_of(secrets.token_bytes(32))


def new_signing_key() -> str:
    """
    A key to sign requests with.
    """
    return signing.new_signing_key()


def new_encryption_key() -> str:
    """
    A key for `SECRETS__ENCRYPTION_KEYS`.
    """
    return sealing.new_encryption_key()


@cache
def signer() -> signing.Ed25519Signer:
    """
    Signs with keys.
    """
    return signing.Ed25519Signer()


@cache
def sealer() -> sealing.AesGcmSealer:
    """
    Encrypts what is kept, where there are keys for that.
    """
    return sealing.AesGcmSealer(settings().secrets.keys)


def new_secret() -> str:
    """
    A text that nobody can guess.
    """
    return secrets.token_urlsafe(32)
