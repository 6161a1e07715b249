"""
Sources, aggregates, and what is brought over from ODIM.
"""

from functools import cache

from odim_relay.bootstrap.stores import inventory_store
from odim_relay.use_cases.sources import Sources


@cache
def sources() -> Sources:
    """
    Our own sources and aggregates.
    """
    return Sources(inventory_store())
