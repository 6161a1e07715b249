"""
Where the resources are. Source: the schemas' own URIs.
"""

from odim_relay.domain.own_resources import EVENT_SERVICE, SUBSCRIPTIONS

__all__ = [
    "ACCOUNTS",
    "ACCOUNT_SERVICE",
    "EVENT_SERVICE",
    "EVENT_STREAM",
    "INVENTORY_AGGREGATES",
    "INVENTORY_SOURCES",
    "METADATA",
    "REGISTRIES",
    "ROLES",
    "ROOT",
    "SCHEMAS",
    "SESSIONS",
    "SESSION_SERVICE",
    "SUBSCRIPTIONS",
]

ROOT = "/redfish/v1"
METADATA = f"{ROOT}/$metadata"
SCHEMAS = f"{ROOT}/Schemas"
SESSION_SERVICE = f"{ROOT}/SessionService"
SESSIONS = f"{SESSION_SERVICE}/Sessions"
ACCOUNT_SERVICE = f"{ROOT}/AccountService"
ACCOUNTS = f"{ACCOUNT_SERVICE}/Accounts"
ROLES = f"{ACCOUNT_SERVICE}/Roles"
REGISTRIES = f"{ROOT}/Registries"
EVENT_STREAM = f"{EVENT_SERVICE}/SSE"
INVENTORY_SOURCES = "/inventory/sources"
INVENTORY_AGGREGATES = "/inventory/aggregates"
