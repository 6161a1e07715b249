from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from odim_relay.adapters.security.certificate import LIFETIME, RENEW_BEFORE, fingerprint, is_usable, self_signed

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PEM = self_signed(["host.example", "127.0.0.1", "::1", "host.example"], NOW)


def test_it_is_for_the_names_and_addresses_that_are_given() -> None:
    names = (
        x509.load_pem_x509_certificate(PEM.encode())
        .extensions.get_extension_for_class(x509.SubjectAlternativeName)
        .value
    )

    assert names.get_values_for_type(x509.DNSName) == ["host.example"]
    assert names.get_values_for_type(x509.IPAddress) == [ip_address("127.0.0.1"), ip_address("::1")]


def test_its_key_comes_with_it() -> None:
    certificate = x509.load_pem_x509_certificate(PEM.encode())
    key = load_pem_private_key(PEM.encode(), None)

    assert key.public_key() == certificate.public_key()


def test_a_long_host_name_is_a_name_all_the_same() -> None:
    name = f"{'a' * 63}.{'b' * 63}.example"

    assert fingerprint(self_signed([name], NOW)).count(":") == 31


def test_it_is_made_anew_before_it_runs_out() -> None:
    end = NOW + LIFETIME

    assert is_usable(PEM, NOW)
    assert is_usable(PEM, end - RENEW_BEFORE - timedelta(seconds=1))
    assert not is_usable(PEM, end - RENEW_BEFORE)
    assert not is_usable("no certificate", NOW)
