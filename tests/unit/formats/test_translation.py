import json
from typing import Final

import pytest
from hypothesis import given, settings

from odim_relay.formats.translation import Translation
from tests.support.json_values import json_values

ODIM: Final = Translation({"ODIM": "redfish"})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/ODIM/v1", "/redfish/v1"),
        ("/ODIM/v1/", "/redfish/v1/"),
        ("/ODIM/v1/Systems/1", "/redfish/v1/Systems/1"),
        ("/ODIM/v1/$metadata#Event.Event", "/redfish/v1/$metadata#Event.Event"),
        ("/ODIM/v1?a=b", "/redfish/v1?a=b"),
        ("/ODIM/v1#/a", "/redfish/v1#/a"),
        ("https://host/ODIM/v1/Systems", "https://host/redfish/v1/Systems"),
        ("https://user@[fe80::1]:443/ODIM/v1", "https://user@[fe80::1]:443/redfish/v1"),
        ("See /ODIM/v1/Systems/1, and /ODIM/v1.", "See /redfish/v1/Systems/1, and /redfish/v1."),
        ('"/ODIM/v1/a" (/ODIM/v1/b) </ODIM/v1/c>', '"/redfish/v1/a" (/redfish/v1/b) </redfish/v1/c>'),
        ("a\n/ODIM/v1/a\t/ODIM/v1/b\u2028/ODIM/v1/c", "a\n/redfish/v1/a\t/redfish/v1/b\u2028/redfish/v1/c"),
        ("系统/ODIM/v1/Systems/1", "系统/redfish/v1/Systems/1"),
        ("next=/ODIM/v1/a", "next=/redfish/v1/a"),
    ],
)
def test_the_first_segment_of_a_uri_is_translated_wherever_it_stands(text: str, expected: str) -> None:
    for payload in (json.dumps({"Message": text}), json.dumps({"Message": text}, ensure_ascii=False)):
        assert json.loads(ODIM.apply(payload.encode())) == {"Message": expected}


@pytest.mark.parametrize(
    "text",
    [
        "ODIM",
        "the ODIM service",
        "ODIM/v1",
        "/ODIM",
        "/ODIM/",
        "/ODIM/v10",
        "/ODIM/v1.0",
        "/ODIM/v1_2",
        "/ODIM/v2/Systems",
        "/ODIM2/v1",
        "/odim/v1",
        "//ODIM/v1",
        "/redfish/v1/Oem/ODIM/v1",
        "/x/ODIM/v1/Systems",
        "https://host/x/ODIM/v1",
        "a/ODIM/v1",
        "%2F/ODIM/v1",
        "https://ODIM/v1",
        "nothing of the kind",
    ],
)
def test_what_only_looks_like_it_keeps_its_bytes(text: str) -> None:
    for payload in (json.dumps([text]).encode(), json.dumps([text]).replace("/", r"\/").encode()):
        assert ODIM.apply(payload) == payload


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (rb'["\/ODIM\/v1\/Systems"]', rb'["\/redfish\/v1\/Systems"]'),
        (rb'["https:\/\/host\/ODIM\/v1"]', rb'["https:\/\/host\/redfish\/v1"]'),
        (rb'["\u003c/ODIM/v1/a\u003e"]', rb'["\u003c/redfish/v1/a\u003e"]'),
        (rb'["a\n/ODIM/v1"]', rb'["a\n/redfish/v1"]'),
        # An escaped backslash and an n: that is no end of a line.
        (rb'["a\\n/ODIM/v1"]', rb'["a\\n/ODIM/v1"]'),
        (b'{"/ODIM/v1" : 1.50e+2}', b'{"/redfish/v1" : 1.50e+2}'),
        (b"", b""),
        (b"ODIM", b"ODIM"),
        (b"/ODIM/v1", b"/redfish/v1"),
    ],
)
def test_the_escapes_of_json_are_understood_and_kept(payload: bytes, expected: bytes) -> None:
    assert ODIM.apply(payload) == expected


def test_what_a_translation_has_made_is_not_translated_again() -> None:
    exchanged = Translation({"a": "b", "b": "c", "c": "a"})

    assert exchanged.apply(b'["/a/v1", "/b/v1", "/c/v1", "/d/v1"]') == b'["/b/v1", "/c/v1", "/a/v1", "/d/v1"]'


@pytest.mark.parametrize("names", [{}, {"ODIM": "ODIM"}])
def test_without_other_names_nothing_changes(names: dict[str, str]) -> None:
    payload = b'["/ODIM/v1", "//v1"]'

    assert Translation(names).apply(payload) is payload


def test_a_name_may_have_letters_that_mean_something_in_a_pattern() -> None:
    assert Translation({"a.b": "redfish"}).apply(b'["/a.b/v1", "/axb/v1"]') == b'["/redfish/v1", "/axb/v1"]'


@pytest.mark.parametrize("names", [{"": "redfish"}, {"ODIM": ""}, {"/ODIM": "redfish"}, {"ODIM": "a/b"}, {"O\n": "x"}])
def test_a_name_that_is_no_segment_is_refused_and_told(names: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="is no segment of a path: letters, digits"):
        Translation(names)


@settings(deadline=None)
@given(json_values())
def test_a_payload_stays_json_of_the_same_form(value: object) -> None:
    payload = json.dumps(["/ODIM/v1", value, "ODIM"]).encode()

    assert json.loads(ODIM.apply(payload)) == ["/redfish/v1", value, "ODIM"]
