"""
What all processes of the API share to be one service: its certificate and its UUID.
"""

from typing import Any

from odim_relay.adapters.redis import keys
from odim_relay.adapters.redis.connection import Scripts, text, translated


class RedisServiceIdentity:
    """
    `IdentityStore` over Redis.
    """

    def __init__(self, scripts: Scripts) -> None:
        self._scripts = scripts

    def service_uuid(self, fresh: str) -> str:
        """
        See `IdentityStore.service_uuid`.
        """
        return self._kept(keys.SERVICE_UUID, fresh)

    def certificate(self) -> str | None:
        """
        See `IdentityStore.certificate`.
        """
        with translated("reading the certificate"):
            found: Any = self._scripts.client.get(self._scripts.prefix + keys.CERTIFICATE)
        return None if found is None else text(found)

    def keep_certificate(self, fresh: str, *, instead_of: str | None) -> str:
        """
        See `IdentityStore.keep_certificate`.
        """
        if instead_of is None:
            return self._kept(keys.CERTIFICATE, fresh)
        key = self._scripts.prefix + keys.CERTIFICATE
        with translated("keeping the certificate"):
            stands: Any = self._scripts.client.eval(_REPLACE, 1, key, instead_of, fresh)
        return text(stands)

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
