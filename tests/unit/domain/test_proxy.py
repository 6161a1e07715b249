import pytest

from odim_relay.domain.proxy import Proxy, ProxyKind, read_no_proxy, read_proxy


@pytest.mark.parametrize(
    ("url", "kind", "host", "port"),
    [
        ("http://proxy.example:3128", ProxyKind.HTTP, "proxy.example", 3128),
        ("http://proxy.example/", ProxyKind.HTTP, "proxy.example", 80),
        ("HTTPS://Proxy.Example", ProxyKind.HTTPS, "proxy.example", 443),
        ("socks5://10.0.0.1", ProxyKind.SOCKS5, "10.0.0.1", 1080),
        ("socks5h://[2001:db8::1]:1081", ProxyKind.SOCKS5H, "2001:db8::1", 1081),
    ],
)
def test_a_proxy_is_read(url: str, kind: ProxyKind, host: str, port: int) -> None:
    assert read_proxy(url) == Proxy(kind=kind, host=host, port=port)


def test_its_credentials_are_decoded_and_never_shown() -> None:
    proxy = read_proxy("http://us%40er:p%3Aa%2Fss@proxy.example:3128")

    assert (proxy.username, proxy.password) == ("us@er", "p:a/ss")
    assert str(proxy) == "http://proxy.example:3128"
    assert "er" not in repr(proxy).replace("proxy.example", "").replace("ProxyKind.HTTP", "")
    assert "p:a" not in repr(proxy)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("", "begins with one of http://"),
        ("proxy.example:3128", "begins with one of http://"),
        ("ftp://s3cret@h", "begins with one of http://, https://, socks5://, socks5h://"),
        ("socks4://h", "begins with one of"),
        ("http://", "has no host"),
        ("http://u:s3cret@", "has no host"),
        ("http://h:0", "has the port 0"),
        ("http://h:65536", "host or port that cannot be read"),
        ("http://u:s3cret@h:x", "host or port that cannot be read"),
        ("http://[::1", "host or port that cannot be read"),
        ("http://u:s3c/ret@h", "host or port that cannot be read"),
        ("http://h/path", "something after its host"),
        ("http://u:s3cret@h?x", "something after its host"),
        ("http://h#f", "something after its host"),
        ("http://u:s3cret @h", "a character that no URL may have"),
        ("http://:s3cret@h", "a password and no user"),
        ("http://u%3Av:s3cret@h", "has a colon in it"),
        ("socks5://u:" + "s3cret" * 50 + "@h", "longer than 255 bytes"),
    ],
)
def test_what_is_no_proxy_is_told_without_its_secrets(url: str, told: str) -> None:
    with pytest.raises(ValueError, match=told) as raised:
        read_proxy(url)

    assert "s3c" not in str(raised.value)


NO_PROXY = ("example.com", ".lab", "Host", "10.0.0.0/8", "192.0.2.7", "2001:db8::/32", "[fd00::1]")


@pytest.mark.parametrize(
    ("host", "is_direct"),
    [
        ("example.com", True),
        ("EXAMPLE.com.", True),
        ("a.b.example.com", True),
        ("badexample.com", False),
        ("example.com.other", False),
        ("a.lab", True),
        ("lab", False),
        ("host", True),
        ("10.255.0.1", True),
        ("11.0.0.1", False),
        ("192.0.2.7", True),
        ("192.0.2.8", False),
        ("2001:db8::5", True),
        ("2001:db9::5", False),
        ("fd00::1", True),
        ("::ffff:10.0.0.1", False),
        ("10.example", False),
    ],
)
def test_a_host_is_gone_to_directly_by_its_name_or_its_network(host: str, is_direct: bool) -> None:
    assert read_no_proxy(NO_PROXY).has(host) is is_direct


@pytest.mark.parametrize("host", ["example.com", "10.0.0.1", "::1"])
def test_a_star_is_every_host_and_nothing_is_none(host: str) -> None:
    assert read_no_proxy(["*"]).has(host)
    assert not read_no_proxy([]).has(host)


@pytest.mark.parametrize("entry", ["", "a b", "http://h", "h:80", "10.0.0.0/99", "*.example.com", "h/8", "."])
def test_what_is_no_host_is_told(entry: str) -> None:
    with pytest.raises(ValueError, match="is no host name, address, network"):
        read_no_proxy([entry])
