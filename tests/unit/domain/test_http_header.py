import pytest

from odim_relay.domain.http_header import check_header


@pytest.mark.parametrize(
    ("name", "value"),
    [("Authorization", "Basic eA=="), ("X-A_b.c", ""), ("Content-Type", "Application/JSON"), ("x", "\x80\xff\t!")],
)
def test_an_ordinary_header_is_fine(name: str, value: str) -> None:
    assert check_header(name, value) is None


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("", "x", "is no header name"),
        ("a b", "x", "is no header name"),
        ("a:", "x", "is no header name"),
        ("ä", "x", "is no header name"),
        ("Host", "x", "is set by odim-relay itself"),
        ("content-LENGTH", "1", "is set by odim-relay itself"),
        ("Webhook-Id", "1", "is set by odim-relay itself"),
        ("X-Odim-Relay-Attempt", "1", "is set by odim-relay itself"),
        ("a", "x\r\nb: c", "has a value with characters that no header may have"),
        ("a", "\x00", "has a value with characters that no header may have"),
        ("a", "\u0100", "has a value with characters that no header may have"),
        ("a", " x", "has a value that begins or ends with white space"),
    ],
)
def test_what_no_request_can_carry_is_told(name: str, value: str, problem: str) -> None:
    assert check_header(name, value) == problem
