"""
The deadline of an attempt, and the thread that enforces it.

Timeouts of a socket count from one operation to the next, so a peer that gives a byte now and then is never late. The
watchdog shuts the sockets of overdue attempts down instead: whatever operation their threads are blocked in returns.
"""

import contextlib
import math
import socket
import threading
import time
from collections.abc import Callable
from enum import StrEnum

from odim_relay.domain.outcome import Failure

# Ledger rule L17: the right to send is good for this long.
ASK_AGAIN_AFTER_S = 3.0

_TICK_S = 0.1
_HOUSEKEEPING_INTERVAL_S = 2.0


class Stage(StrEnum):
    """
    What an attempt is doing, in the words that a person will read: it was "still connecting".
    """

    RESOLVING = "looking up the name"
    PROXY = "waiting for the proxy"
    CONNECTING = "connecting"
    HANDSHAKE = "in the TLS handshake"
    SENDING = "sending the request"
    WAITING = "waiting for the answer"
    READING = "reading the answer"


_BEFORE_CONNECTED = frozenset({Stage.RESOLVING, Stage.PROXY, Stage.CONNECTING, Stage.HANDSHAKE})


class AttemptError(Exception):
    """
    The attempt ended without a status. Stays within this package: the sender makes an `Outcome` of it.
    """

    def __init__(self, failure: Failure, detail: str) -> None:
        super().__init__(detail)
        self.failure = failure
        self.detail = detail


class Attempt:
    """
    One call of `send`: its deadline and what it is doing. Belongs to one thread; the watchdog reads it.

    Attributes:
        sock: what the watchdog shuts down; set while a thread may block on it.
        received: the response as it came, for who reads its body; up to 16 KiB of that.
        address: as of an `Outcome`.
        slow_at: when the watchdog is to call `when_slow`, once, from its own thread.
    """

    __slots__ = (
        "address",
        "expires_at",
        "may_send",
        "received",
        "slow_at",
        "sock",
        "stage",
        "started_at",
        "timeout_s",
        "when_slow",
    )

    def __init__(self, timeout_s: float, may_send: Callable[[], bool]) -> None:
        self.timeout_s = timeout_s
        self.may_send = may_send
        self.started_at = time.monotonic()
        self.expires_at = self.started_at + timeout_s
        self.stage = Stage.CONNECTING
        self.sock: socket.socket | None = None
        self.received = b""
        self.address = ""
        self.slow_at = math.inf
        self.when_slow: Callable[[], None] = _do_nothing

    def remaining_s(self) -> float:
        """
        Tell how much time is left; always more than 0.

        Raises:
            AttemptError: none is.
        """
        remaining = self.expires_at - time.monotonic()
        if remaining <= 0:
            raise self.overdue()
        return remaining

    @property
    def is_overdue(self) -> bool:
        """
        Tell whether the time is up: then what happens to the socket may be the watchdog's doing.
        """
        return time.monotonic() >= self.expires_at

    def overdue(self) -> AttemptError:
        """
        Make the failure of an attempt whose time is up.
        """
        failure = Failure.TIMEOUT if self.is_connected else Failure.CONNECT_TIMEOUT
        if self.stage is Stage.PROXY:
            failure = Failure.PROXY
        return AttemptError(failure, f"not done within {self.timeout_s:g} s: still {self.stage}")

    @property
    def is_connected(self) -> bool:
        """
        Tell whether a byte of the request may have gone out.
        """
        return self.stage not in _BEFORE_CONNECTED

    def may_begin(self) -> bool:
        """
        Tell whether the first byte may go out; asks only when the right to it may have lapsed.
        """
        return time.monotonic() - self.started_at <= ASK_AGAIN_AFTER_S or self.may_send()


def _do_nothing() -> None:
    pass


class Watchdog:
    """
    Shuts the sockets of overdue attempts down, at most 0.1 s late. One thread, started with the first attempt.
    """

    def __init__(self, *, housekeeping: Callable[[], None]) -> None:
        """
        Args:
            housekeeping: called about every 2 s, from the watchdog's thread.
        """
        self._housekeeping = housekeeping
        self._attempts: set[Attempt] = set()
        self._wake = threading.Event()
        # Held while a socket is shut down and while one is taken back: else the watchdog could shut down
        # a connection that went on to another attempt, or a file descriptor that was closed and given out again.
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closing = threading.Event()

    def watch(self, attempt: Attempt) -> None:
        """
        Watch `attempt` until `leave`.
        """
        self._attempts.add(attempt)
        if not self._wake.is_set():
            self._wake.set()
            if self._thread is None:
                self._start()

    def leave(self, attempt: Attempt) -> None:
        """
        Stop watching; when this returns the attempt's socket will not be touched any more.
        """
        self._attempts.discard(attempt)
        with self._lock:
            attempt.sock = None

    def close(self) -> None:
        """
        End the thread. Attempts that still run keep the timeouts of their sockets.
        """
        self._closing.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()

    def _start(self) -> None:
        with self._lock:
            if self._thread is None and not self._closing.is_set():
                self._thread = threading.Thread(target=self._run, name="http-watchdog", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        next_housekeeping_at = time.monotonic() + _HOUSEKEEPING_INTERVAL_S
        while not self._closing.is_set():
            now = time.monotonic()
            if now >= next_housekeeping_at:
                self._housekeeping()
                next_housekeeping_at = now + _HOUSEKEEPING_INTERVAL_S
            # Copied in one step, which no other thread can come between.
            for attempt in self._attempts.copy():
                if now >= attempt.expires_at:
                    self._cut(attempt)
                elif now >= attempt.slow_at:
                    attempt.slow_at = math.inf
                    attempt.when_slow()
            if self._attempts:
                self._closing.wait(_TICK_S)
                continue
            self._wake.clear()
            # An attempt that came before `clear` is seen here, one that comes after it sets the event.
            if not self._attempts and not self._closing.is_set():
                self._wake.wait(_HOUSEKEEPING_INTERVAL_S)

    def _cut(self, attempt: Attempt) -> None:
        with self._lock:
            if attempt.sock is None:
                return
            # `SSLSocket.shutdown` would touch the TLS state that the attempt's own thread is using.
            with contextlib.suppress(OSError):
                socket.socket.shutdown(attempt.sock, socket.SHUT_RDWR)
            attempt.sock = None
