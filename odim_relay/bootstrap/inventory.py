"""
Sources, aggregates, and what is brought over from ODIM.
"""

import time
from functools import cache

from odim_relay.adapters.redis.announcing import RedisAnnouncingLedger
from odim_relay.adapters.redis.imported import RedisImportedEvents
from odim_relay.bootstrap.engine import publisher
from odim_relay.bootstrap.odim import odim_store
from odim_relay.bootstrap.process import egress_policy
from odim_relay.bootstrap.stores import audit, inventory_store, scripts, subscription_store
from odim_relay.formats.odim_tables import OdimView, read_tables
from odim_relay.use_cases.odim_import import ImportSubscriptions
from odim_relay.use_cases.odim_undelivered import ImportUndelivered
from odim_relay.use_cases.sources import Sources


@cache
def sources() -> Sources:
    """
    Our own sources and aggregates.
    """
    return Sources(inventory_store(), audit=audit())


def odim_view() -> OdimView:
    """
    What ODIM's tables say now.

    Raises:
        ConfigurationError: it is not said where they are.
        TransientError: ODIM's Redis cannot be reached.
    """
    tables = odim_store().read()
    return read_tables(
        subscriptions=tables.subscriptions,
        devices=tables.devices,
        aggregate_hosts=tables.aggregate_hosts,
        aggregates=tables.aggregates,
    )


def import_subscriptions() -> ImportSubscriptions:
    """
    Makes our own subscriptions out of ODIM's.
    """
    return ImportSubscriptions(store=subscription_store(), egress=egress_policy(), now_s=time.time, audit=audit())


def import_undelivered() -> ImportUndelivered:
    """
    Parks what ODIM could not deliver.

    Raises:
        ConfigurationError: it is not said where that is.
    """
    return ImportUndelivered(
        odim=odim_store(),
        ledger=RedisAnnouncingLedger(scripts()),
        store=subscription_store(),
        imported=RedisImportedEvents(scripts()),
        publisher=publisher(),
        now_s=time.time,
        audit=audit(),
    )
