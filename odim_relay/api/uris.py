"""
Where the resources are. Source: the schemas' own URIs.
"""

ROOT = "/redfish/v1"
METADATA = f"{ROOT}/$metadata"
SCHEMAS = f"{ROOT}/Schemas"
SESSION_SERVICE = f"{ROOT}/SessionService"
SESSIONS = f"{SESSION_SERVICE}/Sessions"
ACCOUNT_SERVICE = f"{ROOT}/AccountService"
ACCOUNTS = f"{ACCOUNT_SERVICE}/Accounts"
ROLES = f"{ACCOUNT_SERVICE}/Roles"
EVENT_SERVICE = f"{ROOT}/EventService"
