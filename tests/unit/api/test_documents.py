import json
import time

import pytest

from odim_relay.api.http.documents import MOST_NESTED, read_document, without_annotations
from odim_relay.api.http.errors import RedfishError


def key_of(body: bytes) -> str:
    with pytest.raises(RedfishError) as refused:
        read_document(body)
    assert refused.value.status == 400
    (message,) = refused.value.messages
    return str(message["MessageId"]).rpartition(".")[2]


def nested(levels: int) -> bytes:
    return b'{"a":' + b"[" * (levels - 1) + b"]" * (levels - 1) + b"}"


def test_an_object_is_read_as_it_stands() -> None:
    document = {"a": [1, 2.5, None, True, {"b": 'ä[{\\"😀'}], "c": 10**30}

    assert read_document(json.dumps(document).encode()) == document
    assert read_document(json.dumps(document, ensure_ascii=False).encode()) == document


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"{} {}",
        b'{"a":1,}',
        b"{'a':1}",
        b'\xef\xbb\xbf{"a":1}',
        b'{"a":"\xff"}',
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":-Infinity}',
        b'{"a":1e999}',
        b'{"a":"\\ud800"}',
        b'{"\\udfff":1}',
        b'{"a":' + b"9" * 5_000 + b"}",
        b'{"a":"line\nbreak"}',
        b"[" * 1_000_000,
        b'{"a":' * 200_000,
        nested(MOST_NESTED + 1),
    ],
    ids=lambda body: repr(body[:20]),
)
def test_what_is_no_json_is_malformed(body: bytes) -> None:
    assert key_of(body) == "MalformedJSON"


def test_levels_are_counted_outside_of_strings_and_as_they_stand() -> None:
    read_document(nested(MOST_NESTED))
    read_document(b'{"a":"' + b"[" * 1_000 + b'"}')
    read_document(b'{"a":["\\"[","{",' + b",".join(b"[]" for _ in range(1_000)) + b"]}")


def test_a_string_without_an_end_costs_no_time() -> None:
    started_at = time.perf_counter()

    assert key_of(b'{"a":"' + b'\\"' * 400_000) == "MalformedJSON"

    assert time.perf_counter() - started_at < 2


@pytest.mark.parametrize("body", [b"[]", b"1", b"null", b'"text"', b"true"])
def test_json_that_is_no_object_is_not_recognized(body: bytes) -> None:
    assert key_of(body) == "UnrecognizedRequestBody"


def test_a_name_that_comes_twice_is_named_at_whatever_depth() -> None:
    for body in (b'{"A":1,"A":1}', b'{"x":[{"A":1,"b":2,"A":3}]}'):
        with pytest.raises(RedfishError) as refused:
            read_document(body)
        (message,) = refused.value.messages
        assert message["MessageId"].endswith(".PropertyDuplicate")
        assert message["MessageArgs"] == ["A"]


def test_annotations_are_left_out_where_they_are_about_the_object_itself() -> None:
    document = {
        "@odata.id": "/x",
        "@Redfish.OperationApplyTime": "Immediate",
        "Members@odata.count": 1,
        "OriginResources": [{"@odata.id": "/y"}],
        "mail@example": 1,
    }

    assert without_annotations(document) == {"OriginResources": [{"@odata.id": "/y"}], "mail@example": 1}
