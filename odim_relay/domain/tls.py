"""
What a destination has to prove before anything is sent to it, and how we prove to it who we are.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from odim_relay.domain.subscription import Subscription

LONGEST_FILE_NAME = 255
_FINGERPRINT = re.compile(r"[0-9A-Fa-f]{64}|[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){31}")
_NOT_IN_A_NAME = re.compile(r"[^ -~]|[\\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsTerms:
    """
    The terms of a connection under TLS. Two that differ never share one.

    Files are named relative to the folder that `DELIVERY__TLS_DIR` names.

    Attributes:
        is_verified: whether the certificate is verified; `None` is as the sender does by itself.
        ca_file: what it is verified with, instead of what all others are; verifies whatever `is_verified` says.
        fingerprint: SHA-256 of the one certificate that is accepted, 64 lower-case hexadecimal digits, whether it is
            verified or not; empty for any.
        client_certificate_file: what we show, with its chain; empty for nothing.
        client_key_file: its key; empty where that is in the same file.
    """

    is_verified: bool | None = None
    ca_file: str = ""
    fingerprint: str = ""
    client_certificate_file: str = ""
    client_key_file: str = ""

    @property
    def is_usual(self) -> bool:
        """
        Tell whether there is nothing to it but `is_verified`.
        """
        return not (self.ca_file or self.fingerprint or self.client_certificate_file or self.client_key_file)


USUAL = TlsTerms()
"""
As the sender does by itself.
"""


def tls_terms_of(subscription: Subscription) -> TlsTerms:
    """
    The terms of a subscription's connections, to its destination and to its backups.
    """
    return TlsTerms(
        is_verified=subscription.verify_certificate,
        ca_file=subscription.ca_file,
        fingerprint=subscription.certificate_fingerprint.replace(":", "").lower(),
        client_certificate_file=subscription.client_certificate_file,
        client_key_file=subscription.client_key_file,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFlaw:
    """
    What about the terms cannot be: a member by its name in Redfish, and the problem in words that follow it.

    Attributes:
        other: the member that it is in conflict with; empty when it is wrong by itself.
    """

    member: str
    problem: str
    value: str
    other: str = ""


def tls_flaws_of(subscription: Subscription) -> Iterator[TlsFlaw]:
    """
    Find what cannot be. Whether there are such files is not asked: they are on the hosts of the workers.
    """
    files = {
        "CaFile": subscription.ca_file,
        "ClientCertificateFile": subscription.client_certificate_file,
        "ClientKeyFile": subscription.client_key_file,
    }
    for member, name in files.items():
        if name and (wrong := check_tls_file(name)) is not None:
            yield TlsFlaw(member=member, problem=wrong, value=name[:80])
    fingerprint = subscription.certificate_fingerprint
    if fingerprint and not _FINGERPRINT.fullmatch(fingerprint):
        problem = "is no SHA-256 fingerprint: 64 hexadecimal digits, with or without colons between the bytes"
        yield TlsFlaw(member="CertificateFingerprint", problem=problem, value=fingerprint[:100])
    yield from _conflicts_of(subscription, [*files.items(), ("CertificateFingerprint", fingerprint)])


def check_tls_file(name: str) -> str | None:
    """
    Tell why `name` can be no file of the folder, in words that follow it; None when it can.
    """
    if len(name) > LONGEST_FILE_NAME:
        return f"is longer than {LONGEST_FILE_NAME} characters"
    if _NOT_IN_A_NAME.search(name):
        return "has a character in it that is not printable ASCII, or a backslash"
    if name.startswith("/"):
        return "begins with /: it is relative to the folder that DELIVERY__TLS_DIR names"
    if any(part in {"", ".", ".."} for part in name.split("/")):
        return "is no plain path into the folder that DELIVERY__TLS_DIR names: it has an empty part, . or .."
    return None


def _conflicts_of(subscription: Subscription, members: list[tuple[str, str]]) -> Iterator[TlsFlaw]:
    if subscription.ca_file and subscription.verify_certificate is False:
        problem = "is what the certificate is verified with, and VerifyCertificate is false"
        yield TlsFlaw(member="CaFile", problem=problem, value=subscription.ca_file, other="VerifyCertificate")
    if subscription.client_key_file and not subscription.client_certificate_file:
        problem = "is the key of a certificate, and there is no ClientCertificateFile"
        value = subscription.client_key_file
        yield TlsFlaw(member="ClientKeyFile", problem=problem, value=value, other="ClientCertificateFile")
    urls = (subscription.destination, *subscription.backup_destinations)
    given = [(member, value) for member, value in members if value]
    if given and not any(_is_secure(url) for url in urls):
        member, value = given[0]
        problem = "is about TLS, and nothing that events are sent to begins with https://"
        yield TlsFlaw(member=member, problem=problem, value=value[:80], other="Destination")


def _is_secure(url: str) -> bool:
    try:
        return urlsplit(url).scheme == "https"
    except ValueError:
        return True  # it is told what is wrong with it elsewhere
