"""
What all processes of the API share to be one service: its certificate and its UUID.
"""

from collections.abc import Mapping
from typing import Any

from odim_relay.adapters.redis import keys
from odim_relay.adapters.redis.connection import Scripts, text, translated
from odim_relay.adapters.security.sealing import AesGcmSealer
from odim_relay.errors import SealedError
from odim_relay.ports import Sealer, SealState

_PEM = "-----BEGIN"
_NAME = "the API's certificate"


class RedisServiceIdentity:
    """
    `IdentityStore` and `SealedStore` over Redis. The certificate's key is a secret: both are sealed together.
    """

    def __init__(self, scripts: Scripts, sealer: Sealer | None = None) -> None:
        """
        Args:
            sealer: encrypts secrets; None leaves them as they are, and opens none.
        """
        self._scripts = scripts
        self._sealer = sealer or AesGcmSealer()

    def service_uuid(self, fresh: str) -> str:
        """
        See `IdentityStore.service_uuid`.
        """
        return self._kept(keys.SERVICE_UUID, fresh)

    def certificate(self) -> str | None:
        """
        See `IdentityStore.certificate`.

        Raises:
            SealedError: it cannot be read. Another in its place would be a surprise to those who know it.
        """
        found = self._stored()
        return None if found is None else self._opened(found)

    def keep_certificate(self, fresh: str, *, instead_of: str | None) -> str:
        """
        See `IdentityStore.keep_certificate`.
        """
        stands = self._stored()
        if stands is None and instead_of is None:
            return self._opened(self._kept(keys.CERTIFICATE, self._sealed(fresh)))
        if stands is not None and self._opened(stands) != instead_of:
            return self._opened(stands)
        return self._opened(self._replaced(stands or "", self._sealed(fresh)))

    def seal_states(self) -> Mapping[str, SealState]:
        """
        See `SealedStore.seal_states`.
        """
        found = self._stored()
        return {} if found is None else {_NAME: self._state(found)}

    def reseal(self, name: str) -> bool:
        """
        See `SealedStore.reseal`.
        """
        found = self._stored()
        if name != _NAME or found is None or self._state(found) is SealState.CURRENT:
            return False
        sealed = self._sealed(self._opened(found))
        return self._replaced(found, sealed) == sealed

    def _state(self, stored: str) -> SealState:
        if stored.startswith(_PEM):
            return SealState.PLAIN
        try:
            self._opened(stored)
        except SealedError:
            return SealState.UNREADABLE
        return SealState.CURRENT if self._sealer.is_current(stored) else SealState.OLDER

    def _sealed(self, pem: str) -> str:
        return self._sealer.seal(pem, bound_to=_NAME) if self._sealer.can_seal else pem

    def _opened(self, stored: str) -> str:
        return stored if stored.startswith(_PEM) else self._sealer.open(stored, bound_to=_NAME)

    def _stored(self) -> str | None:
        with translated("reading the certificate"):
            found: Any = self._scripts.client.get(self._scripts.prefix + keys.CERTIFICATE)
        return None if found is None else text(found)

    def _replaced(self, stands: str, fresh: str) -> str:
        key = self._scripts.prefix + keys.CERTIFICATE
        with translated("keeping the certificate"):
            now: Any = self._scripts.client.eval(_REPLACE, 1, key, stands, fresh)
        return text(now)

    def _kept(self, name: str, fresh: str) -> str:
        key = self._scripts.prefix + name
        with translated(f"reading {name}"):
            pipe = self._scripts.client.pipeline(transaction=True)
            pipe.set(key, fresh, nx=True)
            pipe.get(key)
            return text(pipe.execute()[1])


_REPLACE = """
if redis.call('GET', KEYS[1]) == ARGV[1] then
  redis.call('SET', KEYS[1], ARGV[2])
end
return redis.call('GET', KEYS[1])
"""
