"""
The Redfish service: subscriptions over HTTPS, as any Redfish client knows them; health and metrics beside it.
"""
