"""
Who may use the API, and what makes its processes one service.
"""

import socket
import time
from datetime import UTC, datetime
from functools import cache

from odim_relay.adapters.security import certificate
from odim_relay.adapters.security.passwords import Argon2Passwords
from odim_relay.bootstrap.process import new_id, new_secret, settings
from odim_relay.bootstrap.stores import account_store, audit, identity_store, session_store
from odim_relay.domain.throttle import Throttle
from odim_relay.errors import ConfigurationError
from odim_relay.use_cases.accounts import LONGEST_PASSWORD, SHORTEST_PASSWORD, ManageAccounts, is_user_name
from odim_relay.use_cases.identity import ServiceIdentity
from odim_relay.use_cases.log_in import LogIn


@cache
def passwords() -> Argon2Passwords:
    """
    Hashes and verifies passwords.
    """
    return Argon2Passwords(monotonic_s=time.monotonic)


@cache
def throttle() -> Throttle:
    """
    Slows those down who guess passwords.
    """
    return Throttle()


@cache
def log_in() -> LogIn:
    """
    Tells who asks.
    """
    return LogIn(
        accounts=account_store(),
        sessions=session_store(),
        passwords=passwords(),
        throttle=throttle(),
        new_token=new_secret,
        now_s=time.time,
        audit=audit(),
    )


@cache
def manage_accounts() -> ManageAccounts:
    """
    Creates, changes and deletes accounts.
    """
    return ManageAccounts(
        accounts=account_store(), sessions=session_store(), passwords=passwords(), new_id=new_id, audit=audit()
    )


@cache
def service_identity() -> ServiceIdentity:
    """
    What makes all processes of the API one service.
    """
    return ServiceIdentity(
        store=identity_store(),
        new_id=new_id,
        make_certificate=new_certificate,
        is_usable=lambda pem: certificate.is_usable(pem, datetime.now(UTC)),
    )


def first_account() -> tuple[str, str]:
    """
    User name and password of the account that the first start makes; the password is empty when it is to be generated.

    Raises:
        ConfigurationError: no account can have them.
    """
    chosen = settings().api
    if not is_user_name(chosen.admin_username):
        raise ConfigurationError(
            f"API__ADMIN_USERNAME is {chosen.admin_username!r}; a user name is 1 to 64 letters, digits, and _ . @ -"
        )
    if chosen.admin_password and not SHORTEST_PASSWORD <= len(chosen.admin_password) <= LONGEST_PASSWORD:
        raise ConfigurationError(
            f"API__ADMIN_PASSWORD must have {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters; unset it to have one "
            "generated"
        )
    return chosen.admin_username, chosen.admin_password


def new_certificate() -> str:
    """
    A self-signed certificate and its key, for the names of this machine, as PEM.
    """
    bind = settings().api.bind
    names = ["localhost", "127.0.0.1", "::1", socket.gethostname(), *([] if bind in {"0.0.0.0", "::"} else [bind])]
    return certificate.self_signed(names, datetime.now(UTC))


def fingerprint(pem: str) -> str:
    """
    The SHA-256 fingerprint of a certificate, as `AB:CD:...`.
    """
    return certificate.fingerprint(pem)


def certificate_expires_at_s(pem: str) -> float:
    """
    When a certificate expires, seconds since the epoch.

    Raises:
        ValueError: there is none in it.
    """
    return certificate.expires_at(pem).timestamp()
