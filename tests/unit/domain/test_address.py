import pytest

from odim_relay.domain.address import address_key, host_of


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("10.24.0.4", "10.24.0.4"),
        ("10.24.0.4:443", "10.24.0.4"),
        ("bmc.example:", "bmc.example"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("::1", "::1"),
        ("fe80::1%eth0", "fe80::1%eth0"),
        ("https://10.24.0.4", "https://10.24.0.4"),
        ("", ""),
    ],
)
def test_a_host_is_an_address_without_its_port(address: str, host: str) -> None:
    assert host_of(address) == host


@pytest.mark.parametrize(
    "spellings",
    [
        ("10.24.0.4", " 10.24.0.4 ", "10.24.0.4:443", "::ffff:10.24.0.4", "[::FFFF:0a18:0004]:443"),
        (
            "2001:db8::1",
            "2001:DB8::1",
            "2001:0db8:0000:0000:0000:0000:0000:0001",
            "[2001:db8::1]",
            "[2001:db8:0::1]:443",
        ),
        ("fe80::1", "fe80::1%eth0", "[fe80::1%25eth0]:443", "FE80:0::1"),
        ("bmc-1.example", "BMC-1.Example", "bmc-1.example.", "bmc-1.example:8443"),
    ],
)
def test_all_spellings_of_one_machine_are_one(spellings: tuple[str, ...]) -> None:
    assert {address_key(spelling) for spelling in spellings} == {spellings[0]}


@pytest.mark.parametrize("address", ["", " ", "a b", "https://10.24.0.4", "10.0.0.1/24", "a|b", "[", "]"])
def test_what_is_no_address_has_no_key(address: str) -> None:
    assert address_key(address) == ""


def test_machines_that_only_look_alike_are_two() -> None:
    assert len({address_key(one) for one in ("10.0.0.1", "10.0.0.10", "10.0.0.100", "0.0.0.1", "::1")}) == 5
