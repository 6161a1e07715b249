"""
What the system, OpenSSL and the peer did, as the failure of an attempt.
"""

import errno
import os
import socket
import ssl
from typing import Any

from odim_relay.adapters.http.attempt import Attempt, AttemptError, Stage
from odim_relay.adapters.http.proxied import WayOut
from odim_relay.domain.outcome import Failure
from odim_relay.errors import TransientError

# The process ran out of something; the destination has no part in it.
_OUR_OWN_ERRNOS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL})


def connecting_failed(exc: Exception, attempt: Attempt, way_out: WayOut | None) -> Exception:
    """
    Judge what went wrong before there was a connection.
    """
    if isinstance(exc, OSError) and exc.errno in _OUR_OWN_ERRNOS:
        return TransientError(f"no socket while {attempt.stage}: {os.strerror(exc.errno)}")
    # From Python 3.11 on `socket.timeout` and `concurrent.futures.TimeoutError` are TimeoutError.
    if isinstance(exc, TimeoutError):
        return attempt.overdue()
    match attempt.stage:
        case Stage.PROXY:
            failure, what = (
                Failure.PROXY,
                f"no way through the proxy {way_out.proxy if way_out else ''}: {_reason(exc)}",
            )
        case Stage.RESOLVING:
            failure, what = Failure.DNS, f"the name cannot be resolved: {_reason(exc)}"
        case Stage.CONNECTING if isinstance(exc, socket.gaierror):
            failure, what = Failure.DNS, "the name has no address"
        case Stage.CONNECTING:
            failure, what = Failure.CONNECT, f"no connection: {_reason(exc)}"
        case _:
            failure, what = Failure.TLS, f"no TLS: {_reason(exc)}"
    return AttemptError(failure, what)


def exchange_failed(exc: OSError, attempt: Attempt) -> AttemptError:
    """
    Judge what went wrong with a connection that there was.
    """
    if isinstance(exc, TimeoutError) or attempt.is_overdue:
        return attempt.overdue()
    if isinstance(exc, ssl.SSLError) and not isinstance(exc, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return AttemptError(Failure.TLS, f"TLS broke off: {_reason(exc)}")
    return closed(attempt)


def closed(attempt: Attempt) -> AttemptError:
    """
    Judge a connection that ended early: by the peer's doing, or by the watchdog's.
    """
    if attempt.is_overdue:
        return attempt.overdue()
    return AttemptError(Failure.DISCONNECTED, f"the connection was closed while {attempt.stage}")


def _reason(exc: BaseException) -> str:
    """
    Say in one line what the system or OpenSSL found, without anything that came from the URL's secrets or the wire.
    """
    # urllib3 wraps OpenSSL's exception in its own.
    inner: Any = exc.args[0] if exc.args and isinstance(exc.args[0], Exception) else exc
    match inner:
        case ssl.SSLCertVerificationError():
            return f"the certificate is not accepted: {inner.verify_message}"
        case ssl.SSLError(reason=str(reason)):
            return reason.lower().replace("_", " ")
        case OSError(strerror=str(text)):
            return text.lower()
        case UnicodeError():
            return "it is not a host name"
        case _:
            return type(inner).__name__
