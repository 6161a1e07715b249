"""
What each case of ODIM's own behaviour is to us: kept, or mended.

* A **contract** is kept: our answer is the case's.
* A **defect** is left behind: our answer is another, written here with the reason.
"""

from typing import Any, Final, NamedTuple


class Defect(NamedTuple):
    """
    What we answer instead, and why.
    """

    ours: Any
    why: str


def _ids(text: str) -> frozenset[str]:
    return frozenset(text.split())


CONTRACTS: Final = _ids(
    """
    rt-01 rt-02 rt-03 rt-d02 rt-d05 rt-d06 rt-d10 rt-d13 rt-d18 rt-d20 rt-d21 rt-d29
    sl-01 sl-02 sl-03 sl-d01
    fl-02 fl-03 fl-04 fl-05 fl-17 fl-21 fl-22 fl-27 fl-30
    ck-d01 ck-d03 ck-d04
    src-01 src-02 src-d01 cls-01 cls-02 cls-03 cls-d03 gs-02 gs-03 gs-04 gsl-01 ucm-01 ucm-02 hosts-d02 re-01
    fmt-d01 fmt-d03
    bus-01 bus-05 bus-06 mr-d02 mr-d05 pub-06 mt-01 mt-07 mt-08 mt-11 mt-12
    dl-d02 dl-d08
    cs-01 cs-04 cs-06 cs-07 cs-08 cs-09 cs-11 cs-12 cs-13 cs-14 cs-15 cs-16 cs-17 cs-18 cs-20 cs-23 cs-27 cs-29 cs-30
    cs-31 cs-d04 cs-d06 cs-d10 cs-d11 cs-d13 cs-d22 cs-d23 cs-d30 cs-d34 cs-d35 cs-d41 cs-d48 cs-d54 cf-d02 cf-d04
    dd-01 dd-02 dd-03
    get-01 get-02 get-04 get-05 get-06 get-08 get-d02 gsd-01 gsd-02 del-06 del-07 rpc-01 rpc-02 rpc-03 rpc-04
    cu-01 cu-02 cu-03 cu-04 cu-05 cu-06
    te-03 te-04 te-16
    st-01 st-03 st-04 st-06 st-07 st-08 st-09 und-01 und-d02 und-d07 und-d11
    uri-01 uri-02 uri-03 uri-04 uri-05 uri-06 uri-07 uri-08 uri-09 uri-11 uri-12 uri-13 uri-d01 uri-d08 uri-d12
    """
)

_BY_ITS_OWN_TYPE: Final = "Redfish: a type filter asks for the type of the resource at the origin, singular and plural"
_NOT_ABOVE: Final = "Redfish: ... and not of one above it; SubordinateResources is about OriginResources"
_POLICY: Final = "Redfish has four retry policies, and each of them acts here"
_VALUE: Final = "the property is known; it is the value that is not"
_AWAY: Final = "what cannot be reached now is told as that, with when to ask again"
_DELETED: Final = "nothing is left to be shown: Redfish allows 204 as well as 200"
_PARAMETER: Final = "Redfish has messages of its own for the parameters of actions"
_ALL: Final = f"{_PARAMETER}; all that is wrong is told at once, as that 123 is no MessageId"
_KEPT: Final = "what cannot be understood is kept in quarantine, not lost"
_UNKNOWN: Final = "an event of an unknown source is no error: it is counted, and for all who asked for no origin"
_ONCE: Final = "an event that matches in two ways is sent once"
_NO_PLUGIN: Final = "events come by Kafka whoever subscribed: no machine is asked, and none can refuse"
_STAYS: Final = "a system that is removed sends nothing any more; who subscribed to it is not unsubscribed"
_NOT_THERE: Final = "what is not there is 404, however it is named"
_SYSTEM: Final = "/redfish/v1/Systems/6d4a0a66-7efa-578e-83cf-44dc68d2874e.1"

DEFECTS: Final = {
    "rt-04": Defect(ours=False, why="an unknown type name maps to the empty string there, which is part of every path"),
    "rt-d08": Defect(ours=False, why=_NOT_ABOVE),
    "rt-d09": Defect(ours=True, why=_BY_ITS_OWN_TYPE),
    "rt-d11": Defect(ours=True, why=_BY_ITS_OWN_TYPE),
    "rt-d22": Defect(ours=True, why=_BY_ITS_OWN_TYPE),
    "rt-d28": Defect(ours=False, why=_NOT_ABOVE),
    "fl-10": Defect(ours=True, why="a slash at the end of the subscriber's URI makes no difference"),
    "fl-16": Defect(ours=False, why="below is by path segment: system 10 is not below system 1"),
    "fl-20": Defect(ours=False, why="an empty URI is no resource, and not all of them"),
    "ck-d06": Defect(ours="TasksCollection", why="a collection is known by its URI; tasks are no exception"),
    "ck-d07": Defect(ours="SystemsCollection", why="the origin decides, not who sent the record"),
    "src-03": Defect(ours={"systemID": "", "error": False}, why=_UNKNOWN),
    "src-d03": Defect(ours={"systemID": "", "error": False}, why=_UNKNOWN),
    "cls-d02": Defect(ours="system", why="a machine may have Collection in its name"),
    "gs-01": Defect(
        ours=[
            "3ce177bf-42a4-4335-b1c1-41540a4b65d7",
            "df3f3450-bda7-4e3d-bde1-4c338be59cc7",
            "f2916a4d-f142-4179-a16c-8efd15ee6d7f",
        ],
        why="a row whose origins are plain URIs is read, not passed over in silence",
    ),
    "hosts-01": Defect(
        ours={"count": 3}, why="what is subscribed to is kept, whether or not a plugin can be reached at that moment"
    ),
    "fmt-d05": Defect(
        ours={"origin": _SYSTEM, "deviceUUID": "6d4a0a66-7efa-578e-83cf-44dc68d2874e"},
        why="an id that has its machine's before it does not get it twice",
    ),
    "bus-02": Defect(ours="quarantined: not_json", why=_KEPT),
    "bus-03": Defect(ours="quarantined: not_json", why=_KEPT),
    "bus-04": Defect(ours="quarantined: no_request", why=_KEPT),
    "bus-d08": Defect(ours="quarantined: not_base64", why=_KEPT),
    "rpc-06": Defect(
        ours="ignored", why="KAFKA__TOPICS says what is read; messages about topics are known, counted and left alone"
    ),
    "mr-d03": Defect(ours=False, why="the word MetricReport in a Name asks for nothing"),
    "pub-01": Defect(ours={"https://10.10.10.10:8080/Destination": ["123"]}, why=_ONCE),
    "pub-02": Defect(ours={"https://10.10.10.10:8080/Destination": ["123"]}, why=_UNKNOWN),
    "pub-03": Defect(ours={"https://10.10.10.10:8080/Destination": ["123"]}, why=_ONCE),
    "pub-04": Defect(ours={"https://10.10.10.10:8080/Destination": ["123", "1234"]}, why=_ONCE),
    "pub-05": Defect(ours="quarantined: not_an_object", why=_KEPT),
    "pub-07": Defect(ours={"https://reports/": []}, why="who wants reports is known without asking a store"),
    "pub-08": Defect(ours="quarantined: no_request", why=_KEPT),
    "mt-03": Defect(
        ours={
            "https://a/1": {
                "@odata.type": "#Event.v1_7_0.Event",
                "Name": "Events",
                "@odata.context": "/redfish/v1/$metadata#Event.Event",
                "Events": [
                    {
                        "EventType": "Alert",
                        "EventId": "1",
                        "Severity": "OK",
                        "EventTimestamp": "2022-07-05T08:54:42Z",
                        "Message": "ODIM plugin restarted",
                        "MessageId": "iLOEvents.2.3.IndicatorLEDStateChanged",
                        "OriginOfCondition": {"@odata.id": _SYSTEM},
                    }
                ],
            }
        },
        why="URIs are translated, and no other words",
    ),
    "mt-17": Defect(
        ours={"https://a/1": ["1"]}, why="an event without an origin is its source's, and nothing dies of it"
    ),
    "mt-19": Defect(ours={"https://a/1": ["1"]}, why="an odd member nobody filters by does not lose the event"),
    "mt-20": Defect(
        ours={
            "https://a/1": {
                "@odata.type": "#Event.v1_7_0.Event",
                "Name": "Events",
                "@odata.context": "/redfish/v1/$metadata#Event.Event",
                "Events": [
                    {
                        "EventType": "Alert",
                        "EventId": "1",
                        "Severity": "OK",
                        "EventTimestamp": "2022-07-05T08:54:42Z",
                        "Message": 'a "q" & <b>',
                        "MessageId": "iLOEvents.2.3.IndicatorLEDStateChanged",
                        "OriginOfCondition": {"@odata.id": f"{_SYSTEM}/Processors/1"},
                        "MessageSeverity": "Warning",
                        "LogEntry": {"@odata.id": "/l"},
                        "SpecificEventExistsInGroup": True,
                        "Oem": {"Hpe": {"x": 1}},
                    }
                ],
                "Id": "77",
                "Context": "my-context",
                "Oem": {"a": 1},
            }
        },
        why="no member is dropped, and the subscription's Context is set",
    ),
    "dl-d03": Defect(ours="failure", why="success is a 2xx and nothing else"),
    "dl-d05": Defect(ours="failure", why="success is a 2xx and nothing else"),
    "cs-02": Defect(ours="201", why=_POLICY),
    "cs-03": Defect(ours="400 PropertyValueNotInList", why=_VALUE),
    "cs-05": Defect(ours="201", why="two subscriptions may send to one place, each with its own filters and Context"),
    "cs-10": Defect(ours="201", why=_NO_PLUGIN),
    "cs-19": Defect(ours="400 PropertyValueNotInList", why=_VALUE),
    "cs-21": Defect(ours="201", why=_NO_PLUGIN),
    "cs-22": Defect(
        ours="400", why="nobody has to subscribe for a machine to be heard: there is no default subscription"
    ),
    "cs-24": Defect(ours="201", why=_NO_PLUGIN),
    "cs-25": Defect(ours="201", why=_NO_PLUGIN),
    "cs-26": Defect(ours="201", why="the standard wants 201 and the Location at once; nothing here is left to a task"),
    "cs-28": Defect(ours="503 ServiceTemporarilyUnavailable", why=_AWAY),
    "cs-32": Defect(ours="503 ServiceTemporarilyUnavailable", why=_AWAY),
    "cs-d12": Defect(ours="400 PropertyValueTypeError", why="the JSON is well-formed; one value has the wrong type"),
    "cs-d16": Defect(ours="400 PropertyValueNotInList", why="the one value that cannot be is told"),
    "cs-d24": Defect(ours="400 PropertyValueNotInList", why=_VALUE),
    "cs-d26": Defect(ours="201", why=_POLICY),
    "cs-d29": Defect(ours="400 PropertyMissing", why="what is missing has no value that could be in no list"),
    "cs-d39": Defect(ours="400 PropertyValueFormatError", why="an empty URI is no resource: it is refused at once"),
    "cs-d44": Defect(ours="400 PropertyMissing PropertyUnknown", why="Destination is missing then, and told to be"),
    "cs-d47": Defect(ours="201", why="http is accepted here; an operator can forbid it by the allowed addresses"),
    "cs-d52": Defect(ours="201", why="MetricReportDefinitions is an array of links, and filters reports"),
    "cs-d58": Defect(ours="400 PropertyValueNotInList", why=f"{_VALUE}; all three are told at once"),
    "dd-04": Defect(
        ours=["1", "2", "3", "4", "5", "5", "4", "3", "2", "1"],
        why="a subscription shows what it was made with; an event that matches twice is sent once all the same",
    ),
    "get-03": Defect(ours="503 ServiceTemporarilyUnavailable", why=_AWAY),
    "get-07": Defect(ours="503 ServiceTemporarilyUnavailable", why=_AWAY),
    "del-01": Defect(ours="204", why=_DELETED),
    "del-02": Defect(ours="503 ServiceTemporarilyUnavailable", why=_AWAY),
    "del-03": Defect(ours="503 ServiceTemporarilyUnavailable", why=_AWAY),
    "del-04": Defect(ours="204", why=_DELETED),
    "del-05": Defect(ours="204", why=_DELETED),
    "del-08": Defect(ours="204", why=_DELETED),
    "del-09": Defect(ours={"answer": "204", "subscriptions": 1}, why=_STAYS),
    "del-10": Defect(ours="404 ResourceNotFound", why=_NOT_THERE),
    "del-11": Defect(ours="404 ResourceNotFound", why=_NOT_THERE),
    "del-12": Defect(ours="404 ResourceNotFound", why=_NOT_THERE),
    "del-13": Defect(ours={"answer": "204", "subscriptions": 1}, why=f"{_STAYS}; no name is looked up"),
    "del-14": Defect(ours="503 ServiceTemporarilyUnavailable", why=_AWAY),
    "del-15": Defect(ours={"answer": "204", "subscriptions": 1}, why=f"{_STAYS}; no machine's password is needed"),
    "del-16": Defect(ours="503 ServiceTemporarilyUnavailable", why=_AWAY),
    "del-17": Defect(ours="503 ServiceTemporarilyUnavailable", why=_AWAY),
    "del-18": Defect(ours="503 ServiceTemporarilyUnavailable", why=_AWAY),
    "rpc-05": Defect(ours="404", why=_NOT_THERE),
    "st-02": Defect(ours="ok", why="a subscription may be saved again: there is one of it all the same"),
    "st-05": Defect(ours={"found": 0}, why="rows are read, not searched: one without an id is no subscription"),
    "te-01": Defect(
        ours="400 ActionParameterUnknown ActionParameterValueFormatError",
        why="a parameter that is misspelt (EventID) is told, not dropped; a MessageId names its registry",
    ),
    "te-02": Defect(ours="400 MalformedJSON", why="no body at all is no JSON"),
    "te-05": Defect(ours="400 ActionParameterValueTypeError", why=_PARAMETER),
    "te-06": Defect(ours="400 ActionParameterValueFormatError ActionParameterValueTypeError", why=_ALL),
    "te-07": Defect(ours="400 ActionParameterValueFormatError ActionParameterValueTypeError", why=_ALL),
    "te-08": Defect(ours="400 ActionParameterValueFormatError ActionParameterValueTypeError", why=_ALL),
    "te-09": Defect(ours="400 ActionParameterValueFormatError ActionParameterValueTypeError", why=_ALL),
    "te-10": Defect(ours="400 ActionParameterValueFormatError ActionParameterValueNotInList", why=_ALL),
    "te-11": Defect(ours="400 ActionParameterValueFormatError ActionParameterValueTypeError", why=_ALL),
    "te-12": Defect(ours="400 ActionParameterValueFormatError ActionParameterValueTypeError", why=_ALL),
    "te-13": Defect(ours="400 ActionParameterValueFormatError ActionParameterValueTypeError", why=_ALL),
    "te-14": Defect(ours="400 ActionParameterValueFormatError ActionParameterValueTypeError", why=_ALL),
    "te-15": Defect(ours="400 ActionParameterValueFormatError", why=_ALL),
    "te-17": Defect(ours="400 MalformedJSON", why="what cannot be parsed is the client's, and no fault of the service"),
    "te-18": Defect(ours="503 ServiceTemporarilyUnavailable", why=_AWAY),
    "te-19": Defect(ours="400 ActionParameterUnknown ActionParameterValueFormatError", why=_PARAMETER),
    "te-20": Defect(
        ours="400 ActionParameterUnknown ActionParameterValueFormatError",
        why="looking at the parameters' names cannot fail; what it finds is told",
    ),
    "te-d02": Defect(ours="400 ActionParameterMissing", why=_PARAMETER),
    "te-d03": Defect(
        ours="400 ActionParameterValueFormatError",
        why=f"{_PARAMETER}; a text has the right type, and this one has no colon in its offset and no registry",
    ),
    "te-d12": Defect(
        ours={"answer": "204", "posts": 1},
        why="a test event goes through the filters as any other; who has none gets it",
    ),
    "und-02": Defect(
        ours={"found": False},
        why="the service's keys name a destination and a UUID; one that does not is told, and left",
    ),
    "und-03": Defect(ours="goes on by itself", why="an import heeds no flag of a process that may have died"),
    "und-d03": Defect(ours=["UndeliveredEvents:https://a/1:1"], why="a lone event is one too"),
    "und-d06": Defect(ours=True, why="URLs are compared, not taken for patterns: brackets are brackets"),
    "und-d10": Defect(
        ours={"body": '{"Events":[{"Message":"a\\nb"}]}', "valid_json": True}, why="what was kept is sent byte for byte"
    ),
    "uri-10": Defect(ours=True, why="http is accepted here; an operator can forbid it by the allowed addresses"),
    "uri-d02": Defect(ours=False, why="a port ends at 65535"),
    "uri-d07": Defect(ours=True, why="RFC 3986: upper and lower case are one in a scheme"),
    "uri-d11": Defect(ours=False, why="RFC 3986: IPv6 stands in brackets, or its end and the port's are one"),
    "uri-d14": Defect(ours=True, why="RFC 3986 allows the underscore, and names within clusters have it"),
}
