import pytest

from odim_relay.api.ui.safety import (
    TOLD_COOKIE,
    form_token,
    is_form_token,
    is_from_our_page,
    read_cookies,
    read_told,
    session_cookie,
    told_cookie,
)

HOST = {"host": "relay.example:8443"}


def test_a_form_token_is_of_its_session_alone_and_does_not_tell_it() -> None:
    assert is_form_token(form_token("secret"), "secret")
    assert not is_form_token(form_token("secret"), "other")
    assert "secret" not in form_token("secret")


@pytest.mark.parametrize("given", ["", "x", "\u2603", "0" * 64])
def test_anything_else_is_no_form_token(given: str) -> None:
    assert not is_form_token(given, "secret")


def test_without_a_session_nothing_is_a_form_token() -> None:
    assert form_token("") == ""
    assert not is_form_token("", "")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"sec-fetch-site": "same-origin", "origin": "https://relay.example:8443"},
        {"origin": "https://RELAY.example:8443"},
        {"origin": "http://relay.example:8443"},  # TLS may end before us
    ],
)
def test_a_form_of_ours_is_taken(headers: dict[str, str]) -> None:
    assert is_from_our_page({**HOST, **headers})


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
        {"origin": "https://evil.example"},
        {"origin": "https://relay.example"},
        {"origin": "null"},
        {"origin": ""},
        {"sec-fetch-site": "same-origin", "origin": "https://evil.example"},
    ],
)
def test_a_form_of_anybody_else_is_not(headers: dict[str, str]) -> None:
    assert not is_from_our_page({**HOST, **headers})


def test_a_session_ends_with_the_browser_and_goes_nowhere_but_here() -> None:
    cookie = session_cookie("abc", is_secure=True)

    assert cookie.split("; ") == ["odim_relay_session=abc", "Path=/ui", "HttpOnly", "SameSite=Strict", "Secure"]
    assert "Secure" not in session_cookie("abc", is_secure=False)
    assert "Max-Age=0" in session_cookie("", is_secure=True)


def test_what_was_told_comes_back_to_the_session_that_it_was_told() -> None:
    text = 'Suspended: Tücke; "quoted", 5 \u00d7 <b>'
    value = read_cookies(told_cookie(text, "secret", is_secure=True))[TOLD_COOKIE]

    assert read_told(value, "secret") == text
    assert read_told(value, "other") == ""


@pytest.mark.parametrize("value", ["", "x", "YQ==", "YQ==.", "YQ==.0", "%%%.x", "/w==.x", "\u2603.x"])
def test_what_somebody_made_up_is_not_told(value: str) -> None:
    assert read_told(value, "secret") == ""


@pytest.mark.parametrize("header", ["", ";;;", "=", "a", 'a="', "a=b\x00; c=d", "x" * 100_000])
def test_cookies_that_cannot_be_read_are_none(header: str) -> None:
    assert "odim_relay_session" not in read_cookies(header)
