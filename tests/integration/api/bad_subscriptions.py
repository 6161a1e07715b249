"""
Subscriptions that cannot be made.
"""

import json
from typing import Any, Final

from tests.integration.api.bad_input import GOOD, HEADER_VALUE, Bad, Said, property_said, shown, without


def _creating(name: str, *says: Said, **members: Any) -> Bad:
    return Bad(name=name, says=says, document={**GOOD, **members})


def _wrong_type(member: str, value: Any) -> Bad:
    said = property_said("PropertyValueTypeError", member, value=shown(value))
    return _creating(f"{member} that is {json.dumps(value)}", said, **{member: value})


def _of(member: str, key: str, value: Any, *, at: str = "") -> Bad:
    """
    One value of a member is refused; `at` is the pointer to it, by default the member.
    """
    return _creating(f"{member} that is {value!r:.60} ({key})", Said(key, None, at or f"#/{member}"), **{member: value})


def _oem(key: str, name: str, value: Any) -> Bad:
    return _creating(
        f"Oem.OdimRelay.{name} that is {value!r:.40} ({key})",
        Said(key, None, f"#/Oem/OdimRelay/{name}"),
        Oem={"OdimRelay": {name: value}},
    )


def _authentication(key: str, at: str, **members: Any) -> Bad:
    return _creating(
        f"Authentication of {members} ({key} at {at})",
        Said(key, None, f"#/Oem/OdimRelay/Authentication/{at}"),
        Oem={"OdimRelay": {"Authentication": members}},
        HttpHeaders=[],
    )


MISSING: Final = (
    Bad(
        name="a subscription without Destination",
        says=(property_said("PropertyMissing", "Destination"),),
        document=without(GOOD, "Destination"),
    ),
    Bad(
        name="a subscription without Protocol",
        says=(property_said("PropertyMissing", "Protocol"),),
        document=without(GOOD, "Protocol"),
    ),
    Bad(
        name="two missing members and an unknown one are told in one answer",
        says=(
            property_said("PropertyMissing", "Destination"),
            property_said("PropertyMissing", "Protocol"),
            property_said("PropertyUnknown", "Colour"),
        ),
        document={"Colour": "red"},
    ),
    Bad(
        name="a null Destination",
        says=(property_said("PropertyMissing", "Destination"),),
        document={**GOOD, "Destination": None},
    ),
)

EVERYTHING: Final = (
    Bad(
        name="all that is wrong is told in one answer, of whatever kind it is",
        says=(
            property_said("PropertyValueFormatError", "Destination", value="nowhere"),
            property_said("PropertyValueNotInList", "Protocol", value="FTP"),
            property_said("PropertyValueTypeError", "Context", value="5"),
            Said("PropertyUnknown", None, "#/Col~1our~0r"),
            Said("PropertyValueFormatError", None, "#/OriginResources/1"),
            Said("PropertyValueConflict", None, "#/MessageIds"),
            Said("PropertyNotWritable", None, "#/Id"),
        ),
        document={
            "Destination": "nowhere",
            "Protocol": "FTP",
            "Context": 5,
            "Col/our~r": "red",
            "OriginResources": ["/redfish/v1/", "Systems"],
            "MessageIds": ["Base.1.0.Success"],
            "ExcludeMessageIds": ["Base.Success"],
            "Id": "mine",
        },
    ),
    Bad(
        name="what is missing keeps nothing from being told of the rest",
        says=(
            property_said("PropertyMissing", "Destination"),
            property_said("PropertyMissing", "Protocol"),
            Said("PropertyValueFormatError", None, "#/OriginResources/0"),
        ),
        document={"OriginResources": ["Systems"]},
    ),
)

UNKNOWN: Final = (
    _creating("an unknown member", property_said("PropertyUnknown", "Colour"), Colour="red"),
    _creating("a member in lower case", property_said("PropertyUnknown", "context"), context="mine"),
    _oem("PropertyUnknown", "Colour", "red"),
    _creating(
        "another vendor's Oem member",
        Said("PropertyUnknown", None, "#/Oem/Contoso"),
        Oem={"Contoso": {"Colour": "red"}},
    ),
    *(
        _creating(f"{member}, which is not supported", property_said("PropertyUnknown", member), **{member: value})
        for member, value in {
            "SNMP": {"TrapCommunity": "public"},
            "SyslogFilters": [{"LowestSeverity": "All"}],
            "OEMProtocol": "Pigeon",
            "OEMSubscriptionType": "Pigeon",
            "Certificates": {"@odata.id": "/redfish/v1/"},
        }.items()
    ),
)

DUPLICATED: Final = (
    Bad(
        name="a member that is there twice",
        says=(property_said("PropertyDuplicate", "Protocol"),),
        body=b'{"Destination":"https://192.0.2.1/x","Protocol":"Redfish","Protocol":"Redfish"}',
    ),
    Bad(
        name="a member of an object inside that is there twice",
        says=(Said("PropertyDuplicate"),),
        body=b'{"Destination":"https://192.0.2.1/x","Protocol":"Redfish","Oem":{"OdimRelay":{"Mode":"ordered","Mode":"ordered"}}}',
    ),
)

WRONG_TYPE: Final = (
    _wrong_type("Destination", 5),
    _wrong_type("Protocol", ["Redfish"]),
    _wrong_type("Context", 5),
    _wrong_type("Context", {}),
    _creating(
        "headers that are one object",
        property_said("PropertyValueTypeError", "HttpHeaders", value="******"),
        HttpHeaders={"Authorization": HEADER_VALUE},
    ),
    _wrong_type("EventTypes", "Alert"),
    _wrong_type("RegistryPrefixes", "Base"),
    _wrong_type("MessageIds", {}),
    _wrong_type("ExcludeMessageIds", 1),
    _wrong_type("ExcludeRegistryPrefixes", 1),
    _wrong_type("ResourceTypes", "Task"),
    _wrong_type("Severities", "OK"),
    _wrong_type("OriginResources", "/redfish/v1/"),
    _wrong_type("BackupDestinations", "https://192.0.2.1/x"),
    _wrong_type("SubordinateResources", 1),
    _wrong_type("VerifyCertificate", "yes"),
    _wrong_type("SendHeartbeat", "true"),
    _wrong_type("DeliveryRetryPolicy", 1),
    _wrong_type("EventFormatType", 1),
    _wrong_type("Oem", []),
    _creating(
        "an interval of a heartbeat in quotes",
        property_said("PropertyValueTypeError", "HeartbeatIntervalMinutes", value="5"),
        SendHeartbeat=True,
        HeartbeatIntervalMinutes="5",
    ),
    _of("MessageIds", "PropertyValueTypeError", ["Base.Success", 1], at="#/MessageIds/1"),
    _of("Severities", "PropertyValueTypeError", [{}], at="#/Severities/0"),
    _of("HttpHeaders", "PropertyValueTypeError", ["X-One: 1"], at="#/HttpHeaders/0"),
    _of("HttpHeaders", "PropertyValueTypeError", [{"X-One": 1}], at="#/HttpHeaders/0/X-One"),
    _of("OriginResources", "PropertyValueTypeError", [5], at="#/OriginResources/0"),
    _of("OriginResources", "PropertyValueTypeError", [{"@odata.id": 5}], at="#/OriginResources/0/@odata.id"),
    _of("BackupDestinations", "PropertyValueTypeError", [5], at="#/BackupDestinations/0"),
    _of("Oem", "PropertyValueTypeError", {"OdimRelay": []}, at="#/Oem/OdimRelay"),
    _oem("PropertyValueTypeError", "Mode", 1),
    _oem("PropertyValueTypeError", "MaxInFlight", "4"),
    _oem("PropertyValueTypeError", "MaxInFlight", 1.5),
    _oem("PropertyValueTypeError", "RatePerSecond", "4"),
    _oem("PropertyValueTypeError", "BatchSize", "4"),
    _oem("PropertyValueTypeError", "RetentionSeconds", value=True),
    _oem("PropertyValueTypeError", "SigningSecret", ["whsec"]),
    _oem("PropertyValueTypeError", "SigningKey", 7),
    _oem("PropertyValueTypeError", "Authentication", "Bearer"),
    _authentication("PropertyValueTypeError", "Token", Kind="Bearer", Token=7),
    *(
        _oem("PropertyValueTypeError", member, 1)
        for member in ("CaFile", "CertificateFingerprint", "ClientCertificateFile", "ClientKeyFile")
    ),
)

WRONG_FORMAT: Final = (
    *(
        _of("Destination", "PropertyValueFormatError", destination)
        for destination in (
            "",
            "hook",
            "//192.0.2.1/hook",
            "https://",
            "https:///hook",
            "ftp://192.0.2.1/hook",
            "mailto:somebody@example.com",
            "syslog://192.0.2.1",
            "https://user:word@192.0.2.1/hook",
            "https://192.0.2.1/hook#part",
            "https://192.0.2.1:99999/hook",
            "https://192.0.2.1:port/hook",
            "https://192.0.2.1/ho ok",
            "https://[::1/hook",
        )
    ),
    _oem("PropertyValueFormatError", "SigningSecret", "whsec_MDEyMzQ1"),
    _oem("PropertyValueFormatError", "SigningKey", "whpk_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="),
    _authentication("PropertyMissing", "Kind", Token="t"),
    _authentication("PropertyValueConflict", "Password", Kind="Bearer", Token="t", Password="p"),
    _authentication("PropertyValueNotInList", "Kind", Kind="Digest"),
    _authentication("PropertyValueFormatError", "Token", Kind="Bearer"),
    _authentication("PropertyValueFormatError", "Username", Kind="Basic", Username="a:b", Password="p"),
    *(
        _authentication(key, "TokenUri", Kind="OAuth2ClientCredentials", TokenUri=uri, ClientId="a", ClientSecret="b")
        for key, uri in (
            ("PropertyValueFormatError", "http://192.0.2.1/token"),
            ("PropertyValueIncorrect", "https://169.254.169.254/token"),
        )
    ),
    _of("BackupDestinations", "PropertyValueFormatError", ["https://192.0.2.1/x", "x"], at="#/BackupDestinations/1"),
    _of("OriginResources", "PropertyValueFormatError", [{"@odata.id": "Systems/1"}], at="#/OriginResources/0"),
    _oem("PropertyValueFormatError", "CaFile", "../ca.pem"),
    _oem("PropertyValueFormatError", "ClientCertificateFile", "/etc/client.pem"),
    _oem("PropertyValueFormatError", "CertificateFingerprint", "ab:cd"),
    _of("MessageIds", "PropertyValueFormatError", [""], at="#/MessageIds/0"),
    _of("RegistryPrefixes", "PropertyValueFormatError", [" Base"], at="#/RegistryPrefixes/0"),
    _of("HttpHeaders", "PropertyValueFormatError", [{"X One": HEADER_VALUE}], at="#/HttpHeaders"),
    _of("HttpHeaders", "PropertyValueFormatError", [{"X-One": f"1\r\nX-Two: {HEADER_VALUE}"}], at="#/HttpHeaders"),
    _of("HttpHeaders", "PropertyValueFormatError", [{"Content-Length": "1"}], at="#/HttpHeaders"),
    _of("HttpHeaders", "PropertyValueFormatError", [{"X-One": "1"}, {"x-one": "2"}], at="#/HttpHeaders"),
    _oem("PropertyValueFormatError", "SigningSecret", "not-a-secret-of-ours"),
)

NOT_IN_LIST: Final = (
    _creating(
        "a protocol that is none", property_said("PropertyValueNotInList", "Protocol", value="FTP"), Protocol="FTP"
    ),
    _creating(
        "a protocol of Redfish that is not ours",
        property_said("PropertyValueNotInList", "Protocol", value="SNMPv2c"),
        Protocol="SNMPv2c",
    ),
    _creating(
        "a stream, which only its opening makes",
        property_said("PropertyValueNotInList", "SubscriptionType", value="SSE"),
        SubscriptionType="SSE",
    ),
    _creating(
        "a format that is none",
        property_said("PropertyValueNotInList", "EventFormatType", value="Poem"),
        EventFormatType="Poem",
    ),
    _creating(
        "a retry policy that is none",
        property_said("PropertyValueNotInList", "DeliveryRetryPolicy", value="RetrySometimes"),
        DeliveryRetryPolicy="RetrySometimes",
    ),
    _creating(
        "the resource in its event, which is not here to be included",
        property_said("PropertyValueNotInList", "IncludeOriginOfCondition", value="true"),
        IncludeOriginOfCondition=True,
    ),
    _of("Severities", "PropertyValueNotInList", ["OK", "Fatal"], at="#/Severities/1"),
    _of("EventTypes", "PropertyValueNotInList", ["Alert", "Poem"], at="#/EventTypes/1"),
    _oem("PropertyValueNotInList", "Mode", "sometimes"),
)

READ_ONLY: Final = (
    _creating("an id of its own", property_said("PropertyNotWritable", "Id"), Id="mine"),
    _creating("a state", property_said("PropertyNotWritable", "Status"), Status={"State": "Enabled"}),
    _oem("PropertyNotWritable", "Delivery", {}),
)

OUT_OF_RANGE: Final = (
    *(
        _creating(
            f"a heartbeat every {minutes} minutes",
            property_said("PropertyValueOutOfRange", "HeartbeatIntervalMinutes", value=str(minutes)),
            SendHeartbeat=True,
            HeartbeatIntervalMinutes=minutes,
        )
        for minutes in (0, -1, 65_536, 10**30)
    ),
    _oem("PropertyValueOutOfRange", "MaxInFlight", 0),
    _oem("PropertyValueOutOfRange", "RatePerSecond", 0),
    _oem("PropertyValueOutOfRange", "BatchSize", 1),
    _oem("PropertyValueOutOfRange", "BatchSize", 501),
    _oem("PropertyValueOutOfRange", "RatePerSecond", -1),
    _oem("PropertyValueOutOfRange", "RetentionSeconds", 0),
    _oem("PropertyValueOutOfRange", "RetentionSeconds", 2_592_001),
)

FORBIDDEN: Final = tuple(
    _of("Destination", "PropertyValueIncorrect", destination)
    for destination in (
        "http://127.0.0.1/hook",
        "https://[::1]/hook",
        "http://169.254.169.254/latest/meta-data",
        "https://0.0.0.0/hook",
    )
)

CONFLICTING: Final = (
    _creating(
        "an interval of a heartbeat that is not sent",
        Said("PropertyValueConflict", ("HeartbeatIntervalMinutes", "SendHeartbeat"), "#/HeartbeatIntervalMinutes"),
        HeartbeatIntervalMinutes=5,
    ),
    _creating(
        "a CA for a certificate that is not verified",
        Said("PropertyValueConflict", None, "#/Oem/OdimRelay/CaFile"),
        VerifyCertificate=False,
        Oem={"OdimRelay": {"CaFile": "ca.pem"}},
    ),
    _oem("PropertyValueConflict", "ClientKeyFile", "client.key"),
    _creating(
        "a message that is wanted and excluded, in another version",
        Said("PropertyValueConflict", ("MessageIds", "ExcludeMessageIds"), "#/MessageIds"),
        MessageIds=["ResourceEvent.1.0.TestMessage"],
        ExcludeMessageIds=["ResourceEvent.TestMessage"],
    ),
    _creating(
        "a registry that is wanted and excluded",
        Said("PropertyValueConflict", ("RegistryPrefixes", "ExcludeRegistryPrefixes"), "#/RegistryPrefixes"),
        RegistryPrefixes=["TaskEvent"],
        ExcludeRegistryPrefixes=["TaskEvent"],
    ),
)

OVERSIZED: Final = (
    _of("BackupDestinations", "ArraySizeTooLong", [f"https://192.0.2.1/{number}" for number in range(9)]),
    _of("HttpHeaders", "StringValueTooLong", [{f"X-{number}": "v" * 1_000} for number in range(17)]),
    _of("Destination", "StringValueTooLong", "https://192.0.2.1/" + "x" * 2_000),
    _of("Context", "StringValueTooLong", "x" * 4_097),
    _of("BackupDestinations", "StringValueTooLong", ["https://192.0.2.1/" + "x" * 2_000], at="#/BackupDestinations/0"),
    *(
        _creating(
            f"1,001 {member}", Said("ArraySizeTooLong", (member, "1000"), f"#/{member}"), **{member: [value] * 1_001}
        )
        for member, value in {
            "MessageIds": "Base.Success",
            "RegistryPrefixes": "Base",
            "ResourceTypes": "Task",
            "OriginResources": {"@odata.id": "/redfish/v1/"},
        }.items()
    ),
)

TABLE: Final = (
    *MISSING,
    *EVERYTHING,
    *UNKNOWN,
    *DUPLICATED,
    *WRONG_TYPE,
    *WRONG_FORMAT,
    *NOT_IN_LIST,
    *READ_ONLY,
    *OUT_OF_RANGE,
    *FORBIDDEN,
    *CONFLICTING,
    *OVERSIZED,
)
