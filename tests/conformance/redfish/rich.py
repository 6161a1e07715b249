"""
Ten subscriptions that have, between them, everything that a subscription can have.
"""

from typing import Any

from tests.support.redfish_client import ACCOUNT_SERVICE, EVENT_SERVICE, ROLES, ROOT, SESSION_SERVICE

_NOWHERE = "https://192.0.2.1/events"


def _wish(number: int, **members: Any) -> dict[str, Any]:
    return {"Destination": f"{_NOWHERE}/{number}", "Protocol": "Redfish", "Context": f"rich {number}", **members}


def _links(*uris: str) -> list[dict[str, str]]:
    """
    To what the service serves: a validator follows them.
    """
    return [{"@odata.id": uri} for uri in uris]


RICH: tuple[dict[str, Any], ...] = (
    _wish(0, RegistryPrefixes=["ResourceEvent", "TaskEvent"], MessageIds=["Environmental.1.0.TemperatureAboveUpper"]),
    _wish(
        1,
        ExcludeRegistryPrefixes=["TaskEvent"],
        ExcludeMessageIds=["ResourceEvent.TestMessage"],
        Severities=["Warning", "Critical"],
        DeliveryRetryPolicy="TerminateAfterRetries",
    ),
    _wish(
        2,
        ResourceTypes=["ComputerSystem", "Chassis"],
        OriginResources=_links(ROOT, EVENT_SERVICE, ACCOUNT_SERVICE, f"{ROLES}/Administrator"),
        SubordinateResources=True,
        DeliveryRetryPolicy="SuspendRetries",
    ),
    _wish(3, SendHeartbeat=True, HeartbeatIntervalMinutes=65_535, DeliveryRetryPolicy="RetryForever"),
    _wish(
        4,
        BackupDestinations=[f"{_NOWHERE}/backup/1", "http://192.0.2.2:8080/backup/2"],
        VerifyCertificate=True,
        DeliveryRetryPolicy="RetryForeverWithBackoff",
    ),
    _wish(5, HttpHeaders=[{"Authorization": "Basic dTpw"}, {"X-One": "1", "X-Two": "2"}], BackupDestinations=[]),
    _wish(6, EventFormatType="MetricReport", SubscriptionType="RedfishEvent"),
    _wish(
        7,
        VerifyCertificate=False,
        Oem={
            "OdimRelay": {
                "Mode": "ordered",
                "SigningSecret": "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
                "SigningKey": "whsk_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
                "Authentication": {
                    "Kind": "OAuth2ClientCredentials",
                    "TokenUri": "https://192.0.2.1/token",
                    "ClientId": "me",
                    "ClientSecret": "secret",
                    "Scope": "one two",
                },
                "MaxInFlight": 4,
                "RatePerSecond": 12.5,
                "RetentionSeconds": 86_400,
                "CertificateFingerprint": "ab" * 32,
                "ClientCertificateFile": "site/client.crt",
                "ClientKeyFile": "site/client.key",
                "BatchSize": 50,
            }
        },
    ),
    _wish(8, OriginResources=_links(SESSION_SERVICE), SubordinateResources=False, Oem={"OdimRelay": {}}),
    {"Destination": f"{_NOWHERE}/bare", "Protocol": "Redfish"},
)

SUSPENDED = 0
"""
The index of the one that a test suspends.
"""
