import json

import pytest

from odim_relay.domain.inventory_entries import AGGREGATES
from odim_relay.formats.inventory_files import read_inventory_file

A, B = "/redfish/v1/Systems/a.1", "/redfish/v1/Systems/b.1"


def test_csv_has_a_source_per_line_with_or_without_a_header() -> None:
    rows = f"10.0.0.1:443,{A}\n\n [2001:db8::1]:443 , {B}/ \n"
    expected = {"10.0.0.1": A, "2001:db8::1": B}

    for text in (rows, f"address,system\n{rows}", f"\ufeff\nAddress, System\r\n{rows}", f'"address","system"\n{rows}'):
        found = read_inventory_file(text.encode())
        assert (found.sources, found.aggregates, found.problems) == (expected, {}, [])


def test_json_lines_have_sources_and_aggregates() -> None:
    lines = [
        {"address": "10.0.0.1", "system": A},
        {"aggregate": "rack", "elements": [A, B]},
        {"system": B, "address": "10.0.0.2"},
    ]
    found = read_inventory_file("\n\n".join(json.dumps(line) for line in lines).encode())

    assert found.sources == {"10.0.0.1": A, "10.0.0.2": B}
    assert found.aggregates == {f"{AGGREGATES}/rack": (A, B)}
    assert not found.problems


@pytest.mark.parametrize("content", [b"", b"\n \n", b"\xef\xbb\xbf", b"address,system\n"])
def test_an_empty_file_is_empty(content: bytes) -> None:
    found = read_inventory_file(content)

    assert (found.sources, found.aggregates, found.problems) == ({}, {}, [])


def test_the_same_line_twice_is_one_and_another_for_the_same_address_is_a_problem_of_the_later() -> None:
    found = read_inventory_file(f"10.0.0.1,{A}\n10.0.0.1:443,{A}\n10.0.0.1,{B}".encode())

    assert found.sources == {"10.0.0.1": A}
    assert found.problems == [(3, "gives 10.0.0.1 something else than line 1 does")]


def test_two_lists_of_one_aggregate_are_a_problem_of_the_later() -> None:
    lines = [{"aggregate": "r", "elements": [A]}, {"aggregate": f"{AGGREGATES}/r", "elements": []}]
    found = read_inventory_file("\n".join(map(json.dumps, lines)).encode())

    assert found.problems == [(2, f"gives {AGGREGATES}/r something else than line 1 does")]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("10.0.0.9", "has 1 value, not the two of address,system"),
        (f"10.0.0.9,{A},x", "has 3 values, not the two of address,system"),
        (f"10.0.0.300,{A}", "address '10.0.0.300' is none"),
        ("10.0.0.9,/x", "system '/x' is none"),
        (f'"10.0.0.9"x,{A}', "is no CSV"),
        # A header further down is a line like any other.
        ("address,system", "system 'system' is none"),
    ],
)
def test_each_bad_line_of_csv_is_told_and_the_others_are_read_all_the_same(line: str, problem: str) -> None:
    found = read_inventory_file(f"10.0.0.1,{A}\n{line}\n10.0.0.2,{B}\n10.0.0.3,{B},\n".encode())

    (first, told), (second, _) = found.problems
    assert (first, told[: len(problem)], second) == (2, problem, 4)
    assert found.sources == {"10.0.0.1": A, "10.0.0.2": B}


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('{"address": ', "is no JSON: "),
        ("[1]", "is an array; a line is "),
        ('{"address": "h"}', "has address; a line is "),
        ("{}", "has no members; a line is "),
        ('{"address": 1, "system": "/x"}', "address and system have to be texts"),
        ('{"aggregate": "r", "elements": "/x"}', "aggregate has to be a text, and elements an array of texts"),
        ('{"aggregate": "r", "elements": [1]}', "aggregate has to be a text, and elements an array of texts"),
        ('{"aggregate": "r", "elements": ["/x"]}', "elements '/x' is none"),
        ('{"aggregate": "r/s", "elements": []}', "aggregate 'r/s' is none"),
        ('{"address": "h", "system": "/redfish/v1/Systems/a.1", "note": ""}', "has address, note, system; a line is "),
        ("[" * 100_000, "is no JSON: "),
    ],
    ids=lambda value: str(value)[:30],
)
def test_each_bad_line_of_json_is_told_and_the_others_are_read_all_the_same(line: str, problem: str) -> None:
    good = [json.dumps({"address": f"10.0.0.{number}", "system": A}) for number in (1, 2)]
    found = read_inventory_file("\n".join([good[0], line, good[1]]).encode())

    assert [(number, told[: len(problem)]) for number, told in found.problems] == [(2, problem)]
    assert found.sources == {"10.0.0.1": A, "10.0.0.2": A}


def test_bytes_that_are_no_utf_8_are_told_with_their_line() -> None:
    found = read_inventory_file(f"10.0.0.1,{A}\n".encode() + b"\xff,/x\n")

    assert [line for line, _ in found.problems] == [2]
    assert not found.sources
