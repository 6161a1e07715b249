import pytest

from odim_relay.api.ui.uris import delivery_uri, entry_uri, log_in_uri, own_target, subscription_uri


@pytest.mark.parametrize("wanted", ["/ui", "/ui/", "/ui/subscriptions?q=a%20b&page=2", "/ui?window=6h", "/ui/a/b%2Fc"])
def test_a_log_in_leads_to_the_page_that_was_wanted(wanted: str) -> None:
    assert own_target(wanted) == wanted


@pytest.mark.parametrize(
    "wanted",
    [
        "",
        "/",
        "//evil.example/ui/",
        "https://evil.example/ui",
        "/uix",
        "/ui\\evil",
        "/ui/\\\\evil.example",
        "/ui/\r\nSet-Cookie: a=b",
        "/ui/ x",
        "/ui/\u2028",
        "ui/",
        "javascript:alert(1)",
        "/redfish/v1",
        "/ui/log-in?to=/ui",
        "/ui/log-out",
        "/ui/" + "x" * 3_000,
    ],
)
def test_a_log_in_leads_nowhere_else(wanted: str) -> None:
    assert own_target(wanted) == "/ui"


def test_names_in_addresses_are_encoded() -> None:
    assert subscription_uri("a/b?c", "suspend") == "/ui/subscriptions/a%2Fb%3Fc/suspend"
    assert delivery_uri('"><script>') == "/ui/deliveries/%22%3E%3Cscript%3E"
    assert entry_uri("epoch/a&b/1/2", "replay") == "/ui/quarantine/replay?id=epoch%2Fa%26b%2F1%2F2"
    assert log_in_uri("/ui/x?a=1&b=2") == "/ui/log-in?to=%2Fui%2Fx%3Fa%3D1%26b%3D2"
    assert log_in_uri("/ui") == "/ui/log-in"
