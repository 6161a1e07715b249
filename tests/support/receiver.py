"""
A destination for tests and benchmarks: a local HTTP or HTTPS server in a process of its own.

    with Receiver.start() as receiver:
        receiver.behave("/hook", Behaviour(first=(500, 500)))
        ...
        assert receiver.wait_for("/hook", 1, timeout_s=5) == {"delivery-1": 3}
"""

import json
import socket
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any, Literal, NamedTuple, Self

from tests.support.certificates import Certificate, Certificates, make_certificates
from tests.support.receiver_behaviour import Behaviour, Mode
from tests.support.waiting import wait_until

__all__ = ["Behaviour", "Certificate", "Connections", "Mode", "Receiver"]

_ROOT = Path(__file__).parents[2]


class Connections(NamedTuple):
    """
    How many connections a receiver has seen.

    `accepted` counts TCP, `established` those that got through the TLS handshake (the same without TLS), `open` is now.
    """

    accepted: int
    established: int
    open: int


class _Worker:
    """
    One process; commands go to it one at a time.
    """

    def __init__(self, arguments: list[str]) -> None:
        # Without pip's and coverage's start-up files: they cost more than the server.
        self._process = subprocess.Popen(
            [sys.executable, "-S", "-m", "tests.support.receiver_process", *arguments],
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._lock = Lock()

    @property
    def pid(self) -> int:
        return self._process.pid

    def read(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise AssertionError(f"the receiver's process {self.pid} ended: {self._process.wait(5)}")
        return json.loads(line)

    def ask(self, do: str, **members: Any) -> Any:
        assert self._process.stdin is not None
        with self._lock:
            self._process.stdin.write(json.dumps({"do": do, **members}) + "\n")
            self._process.stdin.flush()
            return self.read()

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


class Receiver:
    """
    A server on 127.0.0.1 that serves every path, counts each request by its `webhook-id`, and answers as it was told.

    Requests are counted when their last byte has arrived, before they are answered. Reads see all workers together.
    Safe to use from several threads. It ends with the process that started it, however that ends.

    Attributes:
        certificates: of an HTTPS receiver; `ca_file` verifies it.
        pids: of the worker processes, for those who measure or stop them.
    """

    def __init__(
        self,
        *,
        scheme: Literal["http", "https"],
        workers: int,
        keep_bodies: bool,
        log: Path | None,
        certificate: Certificate,
        certificates: Certificates | None,
    ) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="receiver-")
        self._scheme = scheme
        self.certificates = certificates
        if scheme == "https" and certificates is None:
            self.certificates = make_certificates(Path(self._directory.name))
        # Holds the port, also while the workers refuse: a socket that does not listen gets no connections.
        self._port_holder = socket.socket()
        self._port_holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._port_holder.bind(("127.0.0.1", 0))
        self.port: int = self._port_holder.getsockname()[1]
        arguments = ["--port", str(self.port)]
        if scheme == "https":
            assert self.certificates is not None
            arguments += ["--certificate", str(self.certificates.chain_files[certificate])]
        if log is not None:
            arguments += ["--log", str(log.absolute())]
        if keep_bodies:
            arguments += ["--keep-bodies"]
        self._workers = [_Worker(arguments) for _ in range(workers)]
        self.pids = [worker.pid for worker in self._workers]
        for worker in self._workers:
            assert worker.read() == "ready"

    @classmethod
    def start(
        cls,
        *,
        scheme: Literal["http", "https"] = "http",
        workers: int = 1,
        keep_bodies: bool = True,
        log: Path | None = None,
        certificate: Certificate = Certificate.GOOD,
        certificates: Certificates | None = None,
    ) -> "Receiver":
        """
        Start a receiver and return when it listens.

        Args:
            workers: processes that share the port; the kernel spreads connections over them.
            keep_bodies: whether `bodies` will have anything; without it memory holds the ids only.
            log: gets a line per request: time, path, webhook-id, sha256 of the body, status; tabs between them.
            certificate: what an HTTPS receiver presents.
            certificates: of an authority that is shared; one is made when there is none.
        """
        return cls(
            scheme=scheme,
            workers=workers,
            keep_bodies=keep_bodies,
            log=log,
            certificate=certificate,
            certificates=certificates,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """
        End the processes; closing twice is harmless.
        """
        for worker in self._workers:
            worker.close()
        self._workers = []
        self._port_holder.close()
        self._directory.cleanup()

    @property
    def ca_file(self) -> Path | None:
        """
        The file that verifies this receiver's certificate; None without TLS.
        """
        return self.certificates.ca_file if self.certificates and self._scheme == "https" else None

    def url(self, path: str = "/", *, host: str = "127.0.0.1") -> str:
        """
        Give the URL of a path, which starts with a slash.
        """
        return f"{self._scheme}://{host}:{self.port}{path}"

    # --- telling it what to do ---

    def behave(self, path: str, behaviour: Behaviour) -> None:
        """
        Answer requests at `path` like this from now on; statuses of `first` start anew.
        """
        self._ask("behave", path=path, behaviour=behaviour.to_json())

    def forget(self, path: str) -> None:
        """
        Count from zero at `path`; its behaviour stays.
        """
        self._ask("forget", path=path)

    def refuse(self) -> None:
        """
        Stop listening and drop every connection: connecting is refused until `listen`.
        """
        self._ask("refuse")

    def listen(self) -> None:
        """
        Accept connections again, at the same port.
        """
        self._ask("listen")

    def drop_connections(self) -> None:
        """
        Close every connection and go on listening.
        """
        self._ask("drop_connections")

    # --- asking what happened ---

    def counts(self, path: str) -> dict[str, int]:
        """
        Tell how many requests each webhook-id made, whatever their answer. A request without one counts as "".
        """
        return self._summed("counts", path)

    def accepted(self, path: str) -> dict[str, int]:
        """
        Tell how many requests of each webhook-id were answered 2xx.
        """
        return self._summed("accepted", path)

    def request_count(self, path: str) -> int:
        """
        Tell how many requests came.
        """
        return sum(totals[2] for totals in self._ask("totals", path=path))

    def arrivals(self, path: str) -> list[tuple[str, float]]:
        """
        List the webhook-id and arrival (seconds since the epoch) of every request, in order of arrival.
        """
        return sorted(
            ((webhook_id, at) for worker in self._ask("arrivals", path=path) for webhook_id, at in worker),
            key=lambda arrival: arrival[1],
        )

    def digests(self, path: str) -> dict[str, set[str]]:
        """
        Tell the sha256 (hex) of the bodies that came with each webhook-id: more than one means that they differed.
        """
        found: dict[str, set[str]] = {}
        for worker in self._ask("digests", path=path):
            for webhook_id, digests in worker.items():
                found.setdefault(webhook_id, set()).update(digests)
        return found

    def bodies(self, path: str) -> list[tuple[str, list[tuple[str, str]], bytes]]:
        """
        List webhook-id, headers (as sent) and body of every request; in order of arrival with one worker.
        """
        return [
            (webhook_id, [(name, value) for name, value in headers], body.encode("latin-1"))
            for worker in self._ask("kept", path=path)
            for webhook_id, headers, body in worker
        ]

    def connections(self) -> Connections:
        """
        Count connections.
        """
        return Connections(*(sum(column) for column in zip(*self._ask("connections"), strict=True)))

    def wait_for(self, path: str, count: int, timeout_s: float) -> dict[str, int]:
        """
        Wait until requests of `count` different webhook-ids have come, and return `counts`.
        """
        what = f"{count} webhook-ids at {path}"
        wait_until(lambda: self._distinct(path, 0, count), timeout_s=timeout_s, what=what)
        return self.counts(path)

    def wait_for_accepted(self, path: str, count: int, timeout_s: float) -> dict[str, int]:
        """
        Wait until requests of `count` different webhook-ids have been answered 2xx, and return `accepted`.
        """
        what = f"{count} webhook-ids answered 2xx at {path}"
        wait_until(lambda: self._distinct(path, 1, count), timeout_s=timeout_s, what=what)
        return self.accepted(path)

    def wait_for_requests(self, path: str, count: int, timeout_s: float) -> int:
        """
        Wait until `count` requests have come, and return how many have.
        """
        wait_until(lambda: self.request_count(path) >= count, timeout_s=timeout_s, what=f"{count} requests at {path}")
        return self.request_count(path)

    def _distinct(self, path: str, column: int, count: int) -> bool:
        totals = self._ask("totals", path=path)
        # Two workers may have seen the same id: their sum is only an upper bound.
        if sum(worker[column] for worker in totals) < count:
            return False
        return len(totals) == 1 or len(self._summed(("counts", "accepted")[column], path)) >= count

    def _summed(self, what: str, path: str) -> dict[str, int]:
        total: Counter[str] = Counter()
        for worker in self._ask(what, path=path):
            total.update(worker)
        return dict(total)

    def _ask(self, do: str, **members: Any) -> list[Any]:
        return [worker.ask(do, **members) for worker in self._workers]
