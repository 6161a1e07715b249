"""
Who we are to a destination, and what it has to prove to us: one TLS context and its pools, renewed as its files are.
"""

import ssl
import time
from collections.abc import Callable
from pathlib import Path
from threading import Lock

from odim_relay.adapters.http.adapter import DeadlineAdapter
from odim_relay.adapters.http.tls_files import LoadedTls, Stamps, TlsFileError, TlsFiles, load_tls
from odim_relay.domain.tls import TlsTerms
from odim_relay.telemetry import logger

log = logger(__name__)

# Files that changed are to be found within 5 s, on a busy machine too.
_LOOK_EVERY_S = 1.0

NewAdapter = Callable[[ssl.SSLContext, str], DeadlineAdapter]
"""
Makes the pools for a context, and the fingerprint that it is content with.
"""


class Identity:
    """
    One identity. Threads share one instance.

    Its files are looked at when it is used, once in a second at most. When they changed, whoever sends next gets new
    pools with a new context; what is under way over the old ones ends as it began, and their kept connections are not
    used again. Files that cannot be used leave what was read before, and that is told once; with nothing read before,
    or when that has expired, nothing is sent.
    """

    def __init__(
        self,
        terms: TlsTerms,
        *,
        folder: Path | None,
        usual_ca: Path | None,
        is_verified: bool,
        new_adapter: NewAdapter,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """
        Args:
            folder: of the files that the terms name.
            usual_ca: what is verified with where they name none; None is the system's store.
            is_verified: where the terms do not say.
            clock: gives the time by which OpenSSL judges certificates.
        """
        self._terms = terms
        self._folder = folder
        self._usual_ca = usual_ca
        self._is_verified = bool(terms.ca_file) or (is_verified if terms.is_verified is None else terms.is_verified)
        self._new_adapter = new_adapter
        self._clock = clock
        self._lock = Lock()
        self._adapter: DeadlineAdapter | None = None
        self._loaded: LoadedTls | None = None
        self._stamps: Stamps | None = None
        self._problem = ""
        self._next_look_at = 0.0
        self._is_steady = False

    def adapter(self) -> DeadlineAdapter:
        """
        Give the pools to send through, by the files as they are, or were a second ago.

        Raises:
            TlsFileError: a file cannot be used.
        """
        if self._is_steady or time.monotonic() < self._next_look_at:
            adapter = self._adapter
            if adapter is not None:
                return adapter
        return self._looked()

    @property
    def context(self) -> ssl.SSLContext:
        """
        The context as it was read last.

        Raises:
            TlsFileError: none could be.
        """
        self.adapter()
        assert self._loaded is not None  # noqa: S101 - it comes with the adapter
        return self._loaded.context

    def _looked(self) -> DeadlineAdapter:
        with self._lock:
            if self._adapter is None or time.monotonic() >= self._next_look_at:
                self._look()
                self._next_look_at = time.monotonic() + _LOOK_EVERY_S
            if self._adapter is None:
                raise TlsFileError(self._problem)
            return self._adapter

    def _look(self) -> None:
        now_s = self._clock()
        try:
            files = TlsFiles.of(self._terms, self._folder, self._usual_ca)
            self._is_steady = not files.each
            # Before they are read: what changes meanwhile is found the next time.
            stamps = files.stamps()
            if stamps != self._stamps or self._adapter is None:
                self._stamps = stamps
                self._load(files, now_s)
        except TlsFileError as exc:
            self._complain(str(exc))
        if self._loaded is None:
            return
        try:
            self._loaded.check(now_s)
        except TlsFileError as exc:
            # Their time is over, and whoever has nothing else sends nothing.
            self._adapter = self._loaded = None
            self._complain(str(exc))

    def _load(self, files: TlsFiles, now_s: float) -> None:
        loaded = load_tls(files, is_verified=self._is_verified, now_s=now_s)
        if self._loaded is not None or self._problem:
            log.info("tls.files_read", files=[one.name for one in files.each])
        self._loaded, self._problem = loaded, ""
        self._adapter = self._new_adapter(loaded.context, self._terms.fingerprint)

    def _complain(self, problem: str) -> None:
        if problem != self._problem:
            self._problem = problem
            log.warning("tls.files_not_usable", detail=problem, goes_on_with_what_was_read=self._loaded is not None)
