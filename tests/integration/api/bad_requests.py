"""
Requests that are wrong whatever they ask: method, header, query, token, body.
"""

from typing import Any, Final

from tests.integration.api.bad_input import GOOD, PASSWORD_OF_NOBODY, Bad, Said
from tests.support.redfish_client import ACCOUNTS, EVENT_SERVICE, ROOT, STREAM, SUBMIT_TEST_EVENT, SUBSCRIPTIONS

_LIMIT: Final = 1_048_576
_JSON: Final = {"Content-Type": "application/json"}


def _get(name: str, *says: Said, status: int, path: str = SUBSCRIPTIONS, **more: Any) -> Bad:
    return Bad(name=name, says=says, status=status, method="GET", path=path, **more)


def _body(name: str, body: bytes, key: str = "MalformedJSON", status: int = 400, **more: Any) -> Bad:
    return Bad(name=name, says=(Said(key),), status=status, body=body, **more)


METHODS: Final = (
    *(
        Bad(
            name=f"{method} {path}",
            says=(Said("OperationNotAllowed"),),
            status=405,
            method=method,
            path=path,
            document={} if method in {"PATCH", "PUT", "POST"} else None,
        )
        for method, path in (
            ("PATCH", SUBSCRIPTIONS),
            ("PUT", SUBSCRIPTIONS),
            ("DELETE", SUBSCRIPTIONS),
            ("PUT", "{subscription}"),
            ("POST", "{subscription}"),
            ("POST", EVENT_SERVICE),
            ("PUT", EVENT_SERVICE),
            ("DELETE", EVENT_SERVICE),
            ("POST", ROOT),
            ("PATCH", ROOT),
            ("DELETE", ROOT),
            ("GET", SUBMIT_TEST_EVENT),
            ("DELETE", SUBMIT_TEST_EVENT),
            ("POST", STREAM),
            ("DELETE", ACCOUNTS),
            ("TRACE", SUBSCRIPTIONS),
            ("BREW", SUBSCRIPTIONS),
        )
    ),
)

PLACES: Final = (
    _get(
        "a subscription that is not there",
        Said("ResourceNotFound", ("EventDestination", "0")),
        status=404,
        path=f"{SUBSCRIPTIONS}/0",
    ),
    Bad(
        name="the deletion of a subscription that is not there",
        says=(Said("ResourceNotFound", ("EventDestination", "0")),),
        status=404,
        method="DELETE",
        path=f"{SUBSCRIPTIONS}/0",
    ),
    Bad(
        name="a change of a subscription that is not there",
        says=(Said("ResourceNotFound", ("EventDestination", "0")),),
        status=404,
        method="PATCH",
        path=f"{SUBSCRIPTIONS}/0",
        document={"Context": "x"},
    ),
    _get(
        "a resource that is not there",
        Said("ResourceMissingAtURI", ("/redfish/v1/Systems/1",)),
        status=404,
        path="/redfish/v1/Systems/1",
    ),
    _get("another version", Said("ResourceMissingAtURI", ("/redfish/v2/",)), status=404, path="/redfish/v2/"),
)

HEADERS: Final = (
    _get(
        "another version of OData",
        Said("HeaderInvalid", ("OData-Version",)),
        status=412,
        headers={"OData-Version": "3.0"},
    ),
    Bad(
        name="a change under a condition that does not hold",
        says=(Said("PreconditionFailed"),),
        status=412,
        method="PATCH",
        path="{subscription}",
        headers={"If-Match": '"of another time"'},
        document={"Context": "x"},
    ),
    Bad(
        name="a deletion under a condition that does not hold",
        says=(Said("PreconditionFailed"),),
        status=412,
        method="DELETE",
        path="{subscription}",
        headers={"If-Match": '"of another time"'},
    ),
    Bad(
        name="a change of the service under a condition that does not hold",
        says=(Said("PreconditionFailed"),),
        status=412,
        method="PATCH",
        path=EVENT_SERVICE,
        headers={"If-Match": '"of another time"'},
        document={"ServiceEnabled": False},
    ),
    Bad(
        name="a body that says that it is text",
        says=(Said("HeaderInvalid", ("Content-Type",)),),
        status=415,
        document=GOOD,
        headers={"Content-Type": "text/plain"},
    ),
    Bad(
        name="a body that says that it is a form",
        says=(Said("HeaderInvalid", ("Content-Type",)),),
        status=415,
        body=b"Destination=https://192.0.2.1/x",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    ),
    Bad(
        name="a body that is compressed",
        says=(Said("HeaderInvalid", ("Content-Encoding",)),),
        status=415,
        document=GOOD,
        headers={"Content-Encoding": "gzip"},
    ),
    Bad(
        name="a body in another alphabet",
        says=(Said("HeaderInvalid", ("Content-Type",)),),
        status=415,
        document=GOOD,
        headers={"Content-Type": "application/json; charset=latin-1"},
    ),
)

QUERIES: Final = (
    _get(
        "more query parameters than anybody needs",
        Said("QueryNotSupported"),
        status=400,
        path=f"{SUBSCRIPTIONS}?{'&'.join(['a=1'] * 101)}",
    ),
    *(
        _get(
            f"the query parameter {name}",
            Said("QueryParameterUnsupported", (name,)),
            status=501,
            path=f"{SUBSCRIPTIONS}?{name}=1",
        )
        for name in ("$expand", "$select", "$orderby", "$nonsense")
    ),
    *(
        _get(
            f"the page that begins at {value}",
            Said(key, (value, "$skip", *more)),
            status=400,
            path=f"{SUBSCRIPTIONS}?$skip={value}",
        )
        for value, key, more in (
            ("x", "QueryParameterValueTypeError", ()),
            ("1.5", "QueryParameterValueTypeError", ()),
            ("-1", "QueryParameterOutOfRange", ("0 and up",)),
        )
    ),
    _get(
        "a page of a size that is none",
        Said("QueryParameterValueTypeError", ("all", "$top")),
        status=400,
        path=f"{SUBSCRIPTIONS}?$top=all",
    ),
    *(
        _get(
            f"a stream from {place!r} on",
            Said("HeaderInvalid", ("Last-Event-ID",)),
            status=400,
            path=STREAM,
            headers={"Last-Event-ID": place},
        )
        for place in ("abc", "-1", "1-", "1-1-1", "\u00ff")
    ),
    _get("two filters of a stream", Said("QueryCombinationInvalid"), status=400, path=f"{STREAM}?$filter=a&$filter=b"),
    *(
        _get(f"a stream with the filter {text}", Said(key), status=400, path=f"{STREAM}?$filter={text}")
        for text, key in {
            "MessageId eq": "QueryParameterValueFormatError",
            "(MessageId eq 'a'": "QueryParameterValueFormatError",
            "MessageId eq 'a": "QueryParameterValueFormatError",
            "MessageId gt 'a'": "QueryParameterValueFormatError",
            "Colour eq 'red'": "QueryParameterValueFormatError",
            "(" * 2_000: "QueryParameterValueFormatError",
        }.items()
    ),
)

TOKENS: Final = (
    _get("no credentials", Said("NoValidSession"), status=401, who="nobody"),
    _get("a token that is none", Said("NoValidSession"), status=401, who="nobody", headers={"X-Auth-Token": "none"}),
    _get("an empty token", Said("NoValidSession"), status=401, who="nobody", headers={"X-Auth-Token": ""}),
    _get(
        "Basic that is not base64",
        Said("NoValidSession"),
        status=401,
        who="nobody",
        headers={"Authorization": "Basic %%%"},
    ),
    _get(
        "Basic that is not even ASCII",
        Said("NoValidSession"),
        status=401,
        who="nobody",
        headers={"Authorization": "Basic \u00ff"},
    ),
    _get(
        "Basic that is no text",
        Said("NoValidSession"),
        status=401,
        who="nobody",
        headers={"Authorization": "Basic YTr/"},
    ),
    _get(
        "a token that is not even ASCII",
        Said("NoValidSession"),
        status=401,
        who="nobody",
        headers={"X-Auth-Token": "\u00ff"},
    ),
    _get(
        "Basic without a colon",
        Said("NoValidSession"),
        status=401,
        who="nobody",
        headers={"Authorization": "Basic YWRtaW4="},
    ),
    _get(
        "a scheme that we do not have",
        Said("NoValidSession"),
        status=401,
        who="nobody",
        headers={"Authorization": f"Bearer {PASSWORD_OF_NOBODY}"},
    ),
    Bad(
        name="a subscription by one who may only read",
        says=(Said("InsufficientPrivilege"),),
        status=403,
        who="reader",
        document=GOOD,
    ),
    Bad(name="a subscription by nobody", says=(Said("NoValidSession"),), status=401, who="nobody", document=GOOD),
    Bad(
        name="a wrong body by nobody tells nothing about the body",
        says=(Said("NoValidSession"),),
        status=401,
        who="nobody",
        body=b"[",
        headers=_JSON,
    ),
)

BODIES: Final = (
    _body("half a body", b'{"Destination": "https://192.0.2.1/x", '),
    _body("a body that is no JSON", b"Destination: https://192.0.2.1/x"),
    _body("a second value behind the first", b'{"Destination":"https://192.0.2.1/x","Protocol":"Redfish"} {}'),
    _body("a comma too much", b'{"Destination":"https://192.0.2.1/x","Protocol":"Redfish",}'),
    _body("invalid UTF-8", b'{"Destination":"https://192.0.2.1/\xff\xfe","Protocol":"Redfish"}'),
    _body("UTF-16", '{"Destination":"https://192.0.2.1/x","Protocol":"Redfish"}'.encode("utf-16")),
    _body(
        "half of a pair of surrogates",
        b'{"Destination":"https://192.0.2.1/x","Protocol":"Redfish","Context":"\\ud800"}',
    ),
    _body("NaN", b'{"Destination":"https://192.0.2.1/x","Protocol":"Redfish","Context":NaN}'),
    _body("a number with more digits than can be read", b'{"HeartbeatIntervalMinutes":' + b"9" * 10_000 + b"}"),
    _body("a megabyte of lists in lists", b"[" * (_LIMIT - 1)),
    _body("a megabyte of objects in objects", b'{"a":' * (_LIMIT // 5 - 1)),
    _body("deep lists that are closed", b'{"Context":' + b"[" * 50_000 + b"]" * 50_000 + b"}"),
    _body("no body", b"", headers=_JSON),
    _body("an empty object", b"{}", "EmptyJSON", method="PATCH", path="{subscription}"),
    *(
        _body(f"the JSON value {body.decode()}", body, "UnrecognizedRequestBody")
        for body in (b"[]", b'"x"', b"5", b"null", b"true")
    ),
    _body("more than is taken", b'{"Context":"' + b"x" * _LIMIT + b'"}', "PayloadTooLarge", 413),
    *(
        _body(f"half a body to {path}", b"{", method=method, path=path)
        for method, path in (("PATCH", "{subscription}"), ("PATCH", EVENT_SERVICE), ("POST", SUBMIT_TEST_EVENT))
    ),
)

TABLE: Final = (*METHODS, *PLACES, *HEADERS, *QUERIES, *TOKENS, *BODIES)
