"""
What each case of ODIM's own behaviour is to us: kept, mended, or not yet ours to say.

* A **contract** is kept: our answer is the case's.
* A **defect** is left behind: our answer is another, written here with the reason.
* Cases **elsewhere** belong to a capability that does not stand yet. They are listed so that nobody takes them for
  passed; whoever builds the capability moves them to one of the other two.
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
    fl-02 fl-03 fl-04 fl-05 fl-17 fl-21 fl-22 fl-30
    ck-d01 ck-d03 ck-d04
    bus-01 mr-d02 mr-d05 pub-06 mt-12
    dl-d02 dl-d08
    uri-01 uri-02 uri-03 uri-04 uri-05 uri-06 uri-07 uri-08 uri-09 uri-11 uri-12 uri-13 uri-d01 uri-d08 uri-d12
    """
)

_BY_ITS_OWN_TYPE: Final = "Redfish: a type filter asks for the type of the resource at the origin, singular and plural"
_NOT_ABOVE: Final = "Redfish: ... and not of one above it; SubordinateResources is about OriginResources"
_KEPT: Final = "what cannot be understood is kept in quarantine, not lost"

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
    "bus-02": Defect(ours="quarantined: not_json", why=_KEPT),
    "bus-d08": Defect(ours="quarantined: not_base64", why=_KEPT),
    "mr-d03": Defect(ours=False, why="the word MetricReport in a Name asks for nothing"),
    "pub-02": Defect(ours={"https://10.10.10.10:8080/Destination": ["123"]}, why="an unknown source loses no event"),
    "pub-03": Defect(
        ours={"https://10.10.10.10:8080/Destination": ["123"]}, why="an event that matches in two ways is sent once"
    ),
    "pub-05": Defect(ours="quarantined: not_an_object", why=_KEPT),
    "pub-07": Defect(ours={"https://reports/": []}, why="who wants reports is known without asking a store"),
    "pub-08": Defect(ours="quarantined: no_request", why=_KEPT),
    "mt-17": Defect(ours={}, why="an event without an origin matches no OriginResources, and nothing dies of it"),
    "mt-19": Defect(ours={"https://a/1": ["1"]}, why="an odd member nobody filters by does not lose the event"),
    "mt-20": Defect(
        ours={
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
                    "OriginOfCondition": {"@odata.id": "/redfish/v1/Systems/1/Processors/1"},
                    "MessageSeverity": "Warning",
                    "LogEntry": {"@odata.id": "/l"},
                    "SpecificEventExistsInGroup": True,
                    "Oem": {"Hpe": {"x": 1}},
                }
            ],
            "Id": "77",
            "Context": "my-context",
            "Oem": {"a": 1},
        },
        why="no member is dropped, and the subscription's Context is set",
    ),
    "dl-d03": Defect(ours="failure", why="success is a 2xx and nothing else"),
    "dl-d05": Defect(ours="failure", why="success is a 2xx and nothing else"),
    "uri-10": Defect(ours=True, why="http is accepted here; an operator can forbid it by the allowed addresses"),
    "uri-d02": Defect(ours=False, why="a port ends at 65535"),
    "uri-d07": Defect(ours=True, why="RFC 3986: upper and lower case are one in a scheme"),
    "uri-d11": Defect(ours=False, why="RFC 3986: IPv6 stands in brackets, or its end and the port's are one"),
    "uri-d14": Defect(ours=True, why="RFC 3986 allows the underscore, and names within clusters have it"),
}

ELSEWHERE: Final = {
    "not yet: inventory and origin rewriting": _ids(
        """
        src-01 src-02 src-03 src-d01 src-d03 cls-01 cls-02 cls-03 cls-d02 cls-d03 gs-01 gs-02 gs-03 gs-04 gsl-01
        ucm-01 ucm-02 hosts-01 hosts-d02 re-01 fl-27 fmt-d01 fmt-d03 fmt-d05
        pub-01 pub-04 mt-01 mt-03 mt-07 mt-08 mt-11
        """
    ),
    "not yet: subscriptions when a system or an aggregate is removed": _ids(
        "del-09 del-10 del-11 del-12 del-13 del-14 del-15 del-16 del-17 del-18 rpc-05"
    ),
    "not yet: creating subscriptions by the API": _ids(
        """
        cs-01 cs-02 cs-03 cs-04 cs-05 cs-06 cs-07 cs-08 cs-09 cs-10 cs-11 cs-12 cs-13 cs-14 cs-15 cs-16 cs-17 cs-18
        cs-19 cs-20 cs-21 cs-22 cs-23 cs-24 cs-25 cs-26 cs-27 cs-28 cs-29 cs-30 cs-31 cs-32 cs-d04 cs-d06 cs-d10
        cs-d11 cs-d12 cs-d13 cs-d16 cs-d22 cs-d23 cs-d24 cs-d26 cs-d29 cs-d30 cs-d34 cs-d35 cs-d39 cs-d41 cs-d44
        cs-d47 cs-d48 cs-d52 cs-d54 cs-d58 cf-d02 cf-d04 dd-01 dd-02 dd-03 dd-04
        """
    ),
    "not yet: reading and deleting subscriptions by the API": _ids(
        """
        get-01 get-02 get-03 get-04 get-05 get-06 get-07 get-08 get-d02 gsd-01 gsd-02 rpc-03 rpc-04
        del-01 del-02 del-03 del-04 del-05 del-06 del-07 del-08 cu-01 cu-02 cu-03 cu-04 cu-05 cu-06
        """
    ),
    "not yet: the EventService resource": _ids("rpc-01 rpc-02"),
    "not yet: test events": _ids(
        """
        te-01 te-02 te-03 te-04 te-05 te-06 te-07 te-08 te-09 te-10 te-11 te-12 te-13 te-14 te-15 te-16 te-17 te-18
        te-19 te-20 te-d02 te-d03 te-d12
        """
    ),
    "not yet: topics told by control messages": _ids("bus-03 bus-04 bus-05 bus-06 rpc-06"),
    "not yet: import from ODIM's Redis": _ids(
        """
        st-01 st-02 st-03 st-04 st-05 st-06 st-07 st-08 st-09
        und-01 und-02 und-03 und-d02 und-d03 und-d06 und-d07 und-d10 und-d11
        """
    ),
}
