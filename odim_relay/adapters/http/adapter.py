"""
requests' transport adapter, with pools that keep to a deadline.
"""

import ssl
from typing import Any

from requests.adapters import HTTPAdapter

from odim_relay.adapters.http.attempt import Watchdog
from odim_relay.adapters.http.pool import DeadlinePool, DeadlineSecurePool
from odim_relay.adapters.http.proxied import WayOut
from odim_relay.adapters.http.resolver import Resolver

# The manager forgets the pool used least; whoever holds it can go on using it.
_MAX_POOLS = 4096


class DeadlineAdapter(HTTPAdapter):
    """
    A transport adapter whose pools are ours; everything else is requests' own.
    """

    def __init__(
        self,
        *,
        tls: ssl.SSLContext,
        fingerprint: str = "",
        concurrency: int,
        resolver: Resolver,
        watchdog: Watchdog,
    ) -> None:
        """
        Args:
            fingerprint: as of `TlsTerms`.
            concurrency: how many idle connections to one host and port are kept at most.
        """
        self._tls = tls
        self._fingerprint = fingerprint
        self._concurrency = concurrency
        self._resolver = resolver
        self._watchdog = watchdog
        super().__init__(pool_connections=_MAX_POOLS, pool_maxsize=concurrency, max_retries=0)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **pool_kwargs: Any) -> None:  # noqa: FBT002 - requests' signature
        """
        Make the pool manager, with our pools and our certificates.
        """
        super().init_poolmanager(connections, maxsize, block, ssl_context=self._tls, **pool_kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": DeadlinePool, "https": DeadlineSecurePool}

    def pool_for(self, scheme: str, host: str, port: int | None, *, way_out: WayOut | None = None) -> DeadlinePool:
        """
        Find or make the pool for a host and port.

        Args:
            way_out: the proxy that its connections go through, always the same for one host; None for none.
        """
        pool = self.poolmanager.connection_from_host(host, port, scheme)
        assert isinstance(pool, DeadlinePool)  # noqa: S101 - `init_poolmanager` said so
        # The manager takes urllib3's own keywords only.
        pool.equip(
            watchdog=self._watchdog,
            resolver=self._resolver,
            max_idle_count=self._concurrency,
            fingerprint=self._fingerprint,
            way_out=way_out,
        )
        return pool
