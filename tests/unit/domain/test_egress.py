from ipaddress import ip_network

import pytest

from odim_relay.domain.egress import ANYWHERE, EgressPolicy, check_egress

SHIPPED = EgressPolicy()
LOOPBACK = EgressPolicy(allow=(ip_network("127.0.0.0/8"), ip_network("::1/128")))


@pytest.mark.parametrize(
    "address",
    [
        "93.184.216.34",
        "2606:2800:220:1::1",
        # Private networks are where BMCs and their managers live.
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.50",
        "100.64.0.1",
        "fd00::1",
        # Not what stands next to it.
        "126.255.255.255",
        "128.0.0.0",
        "169.253.255.255",
        "223.255.255.255",
        "::ffff:10.0.0.1",
        "64:ff9b::10.0.0.1",
        "2002:0a00:0001::1",
    ],
)
def test_the_world_and_private_networks_are_allowed(address: str) -> None:
    assert SHIPPED.problem_with(address) is None


@pytest.mark.parametrize(
    ("address", "what"),
    [
        ("127.0.0.1", "loopback"),
        ("127.255.255.254", "loopback"),
        ("::1", "loopback"),
        ("0.0.0.0", "unspecified"),
        ("0.1.2.3", "unspecified"),
        ("::", "unspecified"),
        ("169.254.169.254", "link-local"),
        ("fe80::1", "link-local"),
        ("fe80::1%eth0", "link-local"),
        ("100.100.100.200", "credentials"),
        ("fd00:ec2::254", "credentials"),
        ("224.0.0.1", "multicast"),
        ("ff02::1", "multicast"),
        ("240.0.0.1", "reserved"),
        ("255.255.255.255", "broadcast"),
        ("4000::1", "reserved"),
        ("100::1", "reserved"),
        ("64:ff9b:1::7f00:1", "reserved"),
        # The same in other clothes.
        ("::ffff:127.0.0.1", "loopback"),
        ("::ffff:169.254.169.254", "link-local"),
        ("64:ff9b::7f00:1", "loopback"),
        ("64:ff9b::169.254.169.254", "link-local"),
        ("2002:7f00:1::", "loopback"),
        ("2002:a9fe:a9fe::1", "link-local"),
        ("::127.0.0.1", "loopback"),
        ("::2", "unspecified"),
    ],
)
def test_what_only_this_host_or_its_cloud_may_reach_is_forbidden(address: str, what: str) -> None:
    problem = SHIPPED.problem_with(address)

    assert problem is not None
    assert what in problem
    assert "EGRESS__ALLOW" in problem


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1"])
def test_what_the_operator_allows_is_allowed_in_every_form(address: str) -> None:
    assert LOOPBACK.problem_with(address) is None


def test_allowing_one_network_allows_no_other() -> None:
    assert LOOPBACK.problem_with("169.254.169.254") is not None


def test_allowing_all_of_ipv6_does_not_allow_ipv4_in_its_clothes() -> None:
    policy = EgressPolicy(allow=(ip_network("::/0"),))

    assert policy.problem_with("fe80::1") is None
    assert policy.problem_with("::ffff:127.0.0.1") is not None


@pytest.mark.parametrize("address", ["10.1.2.3", "::ffff:10.1.2.3", "2002:0a01:0203::"])
def test_what_the_operator_denies_is_forbidden_whatever_allows_it(address: str) -> None:
    policy = EgressPolicy(allow=(ip_network("10.0.0.0/8"),), deny=(ip_network("10.1.0.0/16"),))

    assert policy.problem_with(address) == "is in 10.1.0.0/16, which EGRESS__DENY forbids"
    assert policy.problem_with("10.2.0.1") is None


def test_a_form_of_ipv6_can_be_denied_by_itself() -> None:
    policy = EgressPolicy(deny=(ip_network("2002::/16"),))

    assert policy.problem_with("2002:0a00:0001::1") is not None
    assert policy.problem_with("10.0.0.1") is None


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "169.254.169.254", "ff02::1"])
def test_one_policy_forbids_nothing(address: str) -> None:
    assert ANYWHERE.problem_with(address) is None


# --- a Destination ---


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://127.0.0.1/hook", "127.0.0.1"),
        ("https://127.0.0.1.:8443/", "127.0.0.1"),
        ("https://[::1]:8443/", "::1"),
        ("https://[::ffff:127.0.0.1]/", "::ffff:127.0.0.1"),
        ("http://169.254.169.254/latest/meta-data", "169.254.169.254"),
        ("http://localhost/", "127.0.0.1"),
        ("http://LOCALHOST.:80/", "127.0.0.1"),
        ("http://receiver.localhost/", "127.0.0.1"),
    ],
)
def test_a_destination_that_says_a_forbidden_address_is_told_by_it(url: str, address: str) -> None:
    problem = check_egress(url, SHIPPED)

    assert problem is not None
    assert problem.startswith(f"leads to {address}, which is ")


@pytest.mark.parametrize(
    "url", ["https://receiver.example/", "https://10.0.0.1/", "https://[2001:db8::1]/", "https://localhost.example/"]
)
def test_other_names_and_addresses_are_not_asked_about(url: str) -> None:
    assert check_egress(url, SHIPPED) is None


def test_a_name_of_this_host_is_good_when_either_of_its_addresses_is() -> None:
    assert check_egress("http://localhost/", EgressPolicy(allow=(ip_network("::1/128"),))) is None
