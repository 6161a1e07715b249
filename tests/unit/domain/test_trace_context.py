import pytest
from hypothesis import given
from hypothesis import strategies as st

from odim_relay.domain.trace_context import traceparent_of

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
GOOD = f"00-{TRACE}-{SPAN}-01"


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (GOOD, GOOD),
        (f"00-{TRACE}-{SPAN}-00", f"00-{TRACE}-{SPAN}-00"),
        (f"00-{TRACE}-{SPAN}-ff", GOOD),  # other flags are of nobody yet
        (f"cc-{TRACE}-{SPAN}-01", GOOD),
        (f"cc-{TRACE}-{SPAN}-01-what will be", GOOD),
        (f"ff-{TRACE}-{SPAN}-01", ""),
        (f"00-{TRACE}-{SPAN}-01-more", ""),
        (f"cc-{TRACE}-{SPAN}-01.more", ""),
        (f"00-{'0' * 32}-{SPAN}-01", ""),
        (f"00-{TRACE}-{'0' * 16}-01", ""),
        (GOOD.upper(), ""),
        (GOOD + "\r\nX-Injected: 1", ""),
        (GOOD + "\n", ""),
        (" " + GOOD, ""),
        (GOOD[:-1], ""),
        (f"cc-{TRACE}-{SPAN}-01-{'x' * 1_000}", ""),
        ("", ""),
        ("garbage", ""),
    ],
)
def test_what_is_well_formed_is_passed_on_and_nothing_else(value: str, told: str) -> None:
    assert traceparent_of([("traceparent", value.encode())]) == told


def test_the_name_is_found_in_any_case_among_others() -> None:
    assert traceparent_of([("a", b"b"), ("TraceParent", GOOD.encode()), ("tracestate", b"x=y")]) == GOOD


def test_of_two_none_is_believed() -> None:
    assert traceparent_of([("traceparent", GOOD.encode()), ("traceparent", GOOD.encode())]) == ""


@pytest.mark.parametrize("headers", [[], [("traceparent", None)], [("tracestate", b"x=y")]])
def test_a_record_without_one_has_none(headers: list[tuple[str, bytes | None]]) -> None:
    assert traceparent_of(headers) == ""


@given(st.binary(max_size=80))
def test_whatever_bytes_come_it_is_of_55_characters_or_none(value: bytes) -> None:
    assert len(traceparent_of([("traceparent", value)])) in {0, 55}
