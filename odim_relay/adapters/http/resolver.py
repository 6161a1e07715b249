"""
Names to addresses that may be connected to, within a deadline.
"""

import errno
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeAlias

from odim_relay.domain.egress import EgressPolicy

AddressInfo: TypeAlias = tuple[int, int, int, str, tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]]
Lookup: TypeAlias = Callable[[str, int], list[AddressInfo]]

_MAX_LOOKUPS = 64
_FAMILIES = (socket.AF_INET, socket.AF_INET6)


def look_up(host: str, port: int) -> list[AddressInfo]:
    """
    Ask the system's resolver; it may take minutes.
    """
    return list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))


class ForbiddenAddressError(Exception):
    """
    There are addresses, and the egress policy forbids them all. The message names one and what forbids it.
    """


class Resolver:
    """
    Looks names up in threads that can be left behind, since nothing ends a lookup that hangs.

    A name that is being looked up is not asked for again, so each name that hangs costs one thread, and other names are
    not held up. The threads are daemons: a process that ends does not wait for them.
    """

    def __init__(self, egress: EgressPolicy, lookup: Lookup = look_up) -> None:
        self._egress = egress
        self.lookup = lookup
        self._running: dict[tuple[str, int], Future[list[AddressInfo]]] = {}
        self._lock = threading.Lock()

    def resolve(self, host: str, port: int, timeout_s: float) -> list[AddressInfo]:
        """
        Give the addresses of `host` in the order in which they are to be tried, without those that are forbidden.

        Who connects to what comes back, and asks for no name again, cannot be led elsewhere by a second answer.

        Raises:
            ForbiddenAddressError: all of them are.
            TimeoutError: not within `timeout_s`.
            OSError: there is no such name, or it could not be asked for.
            UnicodeError: this cannot be a name.
        """
        if _is_address(host):
            return self._allowed(look_up(host, port))
        return self._allowed(self._running_lookup(host, port).result(timeout_s))

    def _allowed(self, addresses: list[AddressInfo]) -> list[AddressInfo]:
        problem = ""
        allowed = []
        for address in addresses:
            if address[0] not in _FAMILIES:
                continue  # nobody can tell where that leads
            where = str(address[4][0])
            found = self._egress.problem_with(where)
            if found is None:
                allowed.append(address)
            elif not problem:
                problem = f"{where} {found}"
        if problem and not allowed:
            raise ForbiddenAddressError(problem)
        return allowed

    def _running_lookup(self, host: str, port: int) -> Future[list[AddressInfo]]:
        with self._lock:
            running = self._running.get((host, port))
            if running is None:
                if len(self._running) >= _MAX_LOOKUPS:
                    raise OSError(errno.EAGAIN, "too many names are being looked up")
                running = Future()
                # Started first: where no thread can be had, nobody will wait for one. It ends after this block.
                threading.Thread(
                    target=self._run, args=(host, port, running), name="http-resolver", daemon=True
                ).start()
                self._running[host, port] = running
            return running

    def _run(self, host: str, port: int, future: Future[list[AddressInfo]]) -> None:
        try:
            future.set_result(self.lookup(host, port))
        except Exception as exc:  # noqa: BLE001 - it is raised where the answer is awaited
            future.set_exception(exc)
        finally:
            with self._lock:
                del self._running[host, port]


def _is_address(host: str) -> bool:
    try:
        socket.inet_pton(socket.AF_INET6 if ":" in host else socket.AF_INET, host)
    except OSError:
        return False
    return True
