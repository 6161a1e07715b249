from dataclasses import replace

import pytest

from odim_relay.domain.destination_identity import destination_id
from odim_relay.domain.egress import EgressPolicy
from odim_relay.domain.subscription import Subscription
from odim_relay.domain.subscription_flaws import Flaw, FlawKind, flaws_of
from odim_relay.domain.tls import USUAL, TlsTerms, check_tls_file, tls_terms_of
from tests.fakes.samples import subscription

ONE = subscription("s", destination="https://receiver.example/hook")
PIN = "0123456789abcdef" * 4
COLONS = ":".join(PIN.upper()[at : at + 2] for at in range(0, 64, 2))


def flaws(one: Subscription) -> list[Flaw]:
    return list(flaws_of(one, EgressPolicy()))


def test_the_terms_are_those_of_the_subscription() -> None:
    full = replace(
        ONE,
        verify_certificate=True,
        ca_file="site/ca.pem",
        certificate_fingerprint=COLONS,
        client_certificate_file="client.crt",
        client_key_file="client.key",
    )

    assert tls_terms_of(full) == TlsTerms(
        is_verified=True,
        ca_file="site/ca.pem",
        fingerprint=PIN,
        client_certificate_file="client.crt",
        client_key_file="client.key",
    )
    assert flaws(full) == []
    assert tls_terms_of(ONE) == USUAL


@pytest.mark.parametrize("name", ["ca.pem", "site/ca.pem", "..data", "a b.pem", "..a/b..", "x" * 255])
def test_a_file_of_the_folder_is_taken(name: str) -> None:
    assert check_tls_file(name) is None


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("/etc/passwd", "begins with /"),
        ("../ca.pem", "no plain path"),
        ("a/../../ca.pem", "no plain path"),
        ("./ca.pem", "no plain path"),
        ("a//b", "no plain path"),
        ("a/", "no plain path"),
        ("..", "no plain path"),
        ("a\0b", "not printable ASCII"),
        ("a\nb", "not printable ASCII"),
        ("c\u00e4.pem", "not printable ASCII"),
        ("a\\b", "or a backslash"),
        ("x" * 256, "longer than 255"),
    ],
)
@pytest.mark.parametrize("member", ["ca_file", "client_certificate_file"])
def test_what_leads_out_of_the_folder_is_a_flaw(member: str, name: str, told: str) -> None:
    (flaw,) = flaws(replace(ONE, **{member: name}))  # type: ignore[arg-type]

    assert (flaw.kind, told in flaw.problem) == (FlawKind.FORMAT, True)
    assert flaw.member in {"CaFile", "ClientCertificateFile"}


@pytest.mark.parametrize("text", [PIN, PIN.upper(), COLONS, COLONS.lower()])
def test_a_fingerprint_is_64_digits_in_either_case_with_or_without_colons(text: str) -> None:
    pinned = replace(ONE, certificate_fingerprint=text)

    assert flaws(pinned) == []
    assert tls_terms_of(pinned).fingerprint == PIN


@pytest.mark.parametrize("text", [PIN[1:], PIN + "0", PIN[:-1] + "g", COLONS[:-1], "sha256:" + PIN, PIN[:-2] + ":ab"])
def test_what_is_no_fingerprint_is_a_flaw(text: str) -> None:
    (flaw,) = flaws(replace(ONE, certificate_fingerprint=text))

    assert (flaw.member, flaw.kind) == ("CertificateFingerprint", FlawKind.FORMAT)


@pytest.mark.parametrize(
    ("members", "member", "other"),
    [
        ({"ca_file": "ca.pem", "verify_certificate": False}, "CaFile", "VerifyCertificate"),
        ({"client_key_file": "k.pem"}, "ClientKeyFile", "ClientCertificateFile"),
        ({"ca_file": "ca.pem", "destination": "http://h/"}, "CaFile", "Destination"),
        ({"certificate_fingerprint": PIN, "destination": "http://h/"}, "CertificateFingerprint", "Destination"),
    ],
)
def test_what_would_do_nothing_or_the_opposite_is_a_flaw(members: dict[str, object], member: str, other: str) -> None:
    (flaw,) = flaws(replace(ONE, **members))  # type: ignore[arg-type]

    assert (flaw.member, flaw.kind, flaw.other) == (member, FlawKind.CONFLICT, other)


def test_a_backup_under_tls_is_reason_enough() -> None:
    one = replace(ONE, destination="http://h/", backup_destinations=("https://h/",), ca_file="ca.pem")

    assert flaws(one) == []


def test_each_of_them_makes_another_destination_and_none_of_them_the_one_that_ledgers_know() -> None:
    given = {
        "ca_file": "x",
        "certificate_fingerprint": PIN,
        "client_certificate_file": "x",
        "client_key_file": "x",
    }
    ids = {destination_id(ONE), *(destination_id(replace(ONE, **{name: value})) for name, value in given.items())}  # type: ignore[arg-type]

    assert len(ids) == 5
    assert destination_id(ONE) == "e19b73745b1ecd2a"
    spelled = [destination_id(replace(ONE, certificate_fingerprint=text)) for text in (PIN, COLONS)]
    assert spelled[0] == spelled[1]
