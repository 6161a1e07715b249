import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from odim_relay.domain.destination import check_destination, without_secrets

NOT_ASCII = "; a host's name is given in its ASCII form (xn--...), all else percent-encoded"


@pytest.mark.parametrize(
    "url",
    [
        "https://subscriber.example/events",
        "http://subscriber.example",
        "HTTPS://Subscriber.Example/Events",
        "https://subscriber:8443/a/b?x=1&y=%20",
        "https://10.0.0.1:65535/",
        "https://[fe80::1234]:1/redfish",
        "https://[::1]",
        "https://host_name.example./x",
        "https://xn--bcher-kva.example/x",
        "https://odim/?next=http://a@b",
    ],
)
def test_a_url_that_can_be_sent_to_is_accepted(url: str) -> None:
    assert check_destination(url) is None


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("", "is empty"),
        ("destination", "does not begin with http:// or https://"),
        ("/redfish/v1", "does not begin with http:// or https://"),
        ("ftp://host/x", "does not begin with http:// or https://"),
        ("//host/x", "does not begin with http:// or https://"),
        ("https:host/x", "has no host"),
        ("https:///x", "has no host"),
        ("https://:443/x", "has no host"),
        ("https://./x", "has a host that is no host name"),
        ("https://user:secret@host/x", "has user-info before its host; give credentials as HttpHeaders"),
        ("https://@host/x", "has user-info before its host; give credentials as HttpHeaders"),
        ("https://host/x#part", "has a fragment (#), which is never sent"),
        ("https://host/x#", "has a fragment (#), which is never sent"),
        ("https://ho st/x", "has the character ' ' at position 10, which no URL may have"),
        ("https://host/x\r\nX-Evil: 1", "has the character '\\r' at position 14, which no URL may have"),
        ("\thttps://host/x", "has the character '\\t' at position 0, which no URL may have"),
        ("https://b\u00fccher.example/", "has the character '\\xfc' at position 9, which no URL may have" + NOT_ASCII),
        ("https://host\\@evil/x", "has the character '\\\\' at position 12, which no URL may have"),
        ("https://host:0/x", "has a port that is not 1 to 65535"),
        ("https://host:65536/x", "has a port that is not 1 to 65535"),
        ("https://host:/x", "has a port that is not 1 to 65535"),
        ("https://host:+1/x", "has a port that is not 1 to 65535"),
        ("https://[::1]:x/", "has a port that is not 1 to 65535"),
        ("https://fe80::1234/x", "has more than one colon in its host; an IPv6 address stands in brackets"),
        ("https://[fe80:1234]/x", "has brackets that do not enclose an IPv6 address"),
        ("https://[[fe80::1]/x", "has brackets that do not enclose an IPv6 address"),
        ("https://[::1]evil/x", "has brackets that do not enclose an IPv6 address"),
        ("https://[::1/x", "has brackets that do not enclose an IPv6 address"),
        ("https://10.20/x", "has a host that ends in a number and is no IPv4 address"),
        ("https://2130706433/x", "has a host that ends in a number and is no IPv4 address"),
        ("https://0x7f.1/x", "has a host that ends in a number and is no IPv4 address"),
        ("https://127.0.0.0x1/x", "has a host that ends in a number and is no IPv4 address"),
        ("https://010.0.0.1/x", "has a host that ends in a number and is no IPv4 address"),
        ("https://a..b/x", "has a host that is no host name"),
        ("https://-a/x", "has a host that is no host name"),
        ("https://h%6fst/x", "has a host that is no host name"),
        (f"https://{'a' * 64}/x", "has a host that is no host name"),
        (f"https://{'a.' * 127}a/x", "has a host that is no host name"),
    ],
)
def test_a_url_that_cannot_be_sent_to_is_refused_with_the_reason(url: str, why: str) -> None:
    assert check_destination(url) == why


@settings(deadline=None)
@given(st.text() | st.text().map("https://{}".format) | st.text(alphabet="[]:@/.%0x1a#?-_").map("https://{}".format))
def test_any_text_is_accepted_or_refused_in_words(url: str) -> None:
    why = check_destination(url)

    assert why is None or why.startswith(("is ", "has ", "does not "))


@pytest.mark.parametrize(
    ("url", "bare"),
    [
        ("https://user:pass@example.test:8443/a/b?token=x#part", "https://example.test:8443/a/b"),
        ("http://[::1]:80/", "http://[::1]:80/"),
        ("https://example.test", "https://example.test"),
    ],
)
def test_a_url_is_told_without_its_secrets(url: str, bare: str) -> None:
    assert without_secrets(url) == bare
