"""
The ODIM installation whose events are delivered here.
"""

import time
from functools import cache

from odim_relay.adapters.redis.connection import TlsFiles, connect
from odim_relay.adapters.redis.odim import RedisOdimStore
from odim_relay.bootstrap.process import egress_policy, settings
from odim_relay.bootstrap.stores import inventory_store, subscription_store
from odim_relay.bootstrap.subscribing import suspend
from odim_relay.errors import ConfigurationError
from odim_relay.use_cases.mirror import Mirror
from odim_relay.use_cases.mirrored_subscriptions import MirroredSubscriptions

_CONNECTIONS = 4


def follows_odim() -> bool:
    """
    Whether ODIM's tables are followed.
    """
    return bool(settings().odim.redis_url)


@cache
def odim_store() -> RedisOdimStore:
    """
    ODIM's own Redis, only read.

    Raises:
        ConfigurationError: it is not said where it is, or the URL cannot be used.
    """
    chosen = settings().odim
    if not chosen.redis_url:
        raise ConfigurationError(
            "ODIM__REDIS_URL is not set: give the URL of ODIM's on-disk Redis, such as redis://redis-ondisk:6379/0"
        )
    tls = TlsFiles(ca=chosen.redis_ca_file, cert=chosen.redis_cert_file, key=chosen.redis_key_file)
    client = connect(chosen.redis_url, tls=tls, max_connections=_CONNECTIONS, setting="ODIM__REDIS_URL")
    return RedisOdimStore(client)


def mirror() -> Mirror:
    """
    Takes ODIM's tables over.

    Raises:
        ConfigurationError: as `odim_store`.
    """
    return Mirror(
        odim=odim_store(),
        inventory=inventory_store(),
        subscriptions=MirroredSubscriptions(
            store=subscription_store(),
            wake=lambda id_: suspend().wake(id_),
            now_s=time.time,
            egress=egress_policy(),
        ),
        monotonic_s=time.monotonic,
    )
