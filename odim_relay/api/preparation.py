"""
What must be there before anybody can log in: the certificate, and a first account. Redis may be away for a while.
"""

import ssl
import sys
from functools import cache
from threading import Event, Thread

from odim_relay import bootstrap
from odim_relay.api.certificates import load_certificate
from odim_relay.errors import ConfigurationError, TransientError
from odim_relay.telemetry import logger

log = logger(__name__)

_ASK_EVERY_S = 1.0


class Preparation:
    """
    Tries until it is done, in a thread of its own.

    Attributes:
        problem: why it is not done.
    """

    def __init__(self) -> None:
        self._done = Event()
        self.problem = "the first account and the certificate are not there yet"

    @property
    def is_done(self) -> bool:
        """
        Whether all is there.
        """
        return self._done.is_set()

    def begin(self, own_context: ssl.SSLContext | None) -> None:
        """
        Try once now, and go on in the background when Redis is away.

        Args:
            own_context: gets the certificate that is kept in Redis; None when one was given, or there is no TLS.

        Raises:
            ConfigurationError: Redis is there, and must not be used as it is.
        """
        if self._try(own_context):
            return
        if own_context is not None:
            # Better than no answer at all: /readyz says what is missing.
            load_certificate(own_context, bootstrap.new_certificate())
        Thread(target=self._go_on, args=(own_context,), name="preparation", daemon=True).start()

    def _go_on(self, own_context: ssl.SSLContext | None) -> None:
        while not bootstrap.stopping.wait(_ASK_EVERY_S):
            try:
                if self._try(own_context):
                    return
            except ConfigurationError as exc:
                # Others may be served by then what needs no account; /readyz says why this is all.
                self.problem = str(exc)
                log.error("api.not_prepared", detail=self.problem)  # noqa: TRY400 - the message says all
                return

    def _try(self, own_context: ssl.SSLContext | None) -> bool:
        try:
            bootstrap.require_durable_ledger()
            if own_context is not None:
                pem = bootstrap.service_identity().certificate()
                load_certificate(own_context, pem)
                _tell("certificate.loaded", "its SHA-256 fingerprint is", bootstrap.fingerprint(pem))
            _make_first_account()
            bootstrap.log_in()  # made now, by one thread
        except TransientError as exc:
            log.warning("api.waiting", detail=str(exc))
            return False
        self._done.set()
        return True


@cache
def preparation() -> Preparation:
    """
    That of this process.
    """
    return Preparation()


def _make_first_account() -> None:
    user_name, given = bootstrap.first_account()
    password = given or bootstrap.new_secret()
    if not bootstrap.manage_accounts().create_first(user_name, password):
        return
    log.info("account.first_created", user_name=user_name, is_generated=not given)
    if not given:
        _print(f"odim-relay: the first account is {user_name}, its password is {password}\n")
        _print("odim-relay: it is shown this once; change it at /redfish/v1/AccountService/Accounts\n")


def _tell(event: str, words: str, fingerprint: str) -> None:
    log.info(event, sha256=fingerprint)
    _print(f"odim-relay: the API has a self-signed certificate, {words} {fingerprint}\n")


def _print(line: str) -> None:
    # Not a log line: a person at the terminal is to see it, and no collector of logs to keep it.
    sys.stderr.write(line)
    sys.stderr.flush()
