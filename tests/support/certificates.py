"""
A throw-away certificate authority, and the certificates that a test needs of it.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import partial
from pathlib import Path

import trustme

from odim_relay.adapters.security.certificate import self_signed


class Certificate(StrEnum):
    """
    What a server presents.
    """

    GOOD = "good"
    WRONG_HOST = "wrong_host"
    OTHER_CA = "other_ca"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    SELF_SIGNED = "self_signed"
    # What a client presents.
    CLIENT = "client"
    CLIENT_OF_OTHER_CA = "client_of_other_ca"
    CLIENT_EXPIRED = "client_expired"
    CLIENT_NOT_YET_VALID = "client_not_yet_valid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificates:
    """
    Files of one certificate authority, and of another one.

    Attributes:
        ca_file: to verify GOOD with; all but those of another authority and SELF_SIGNED are signed by it too.
        other_ca_file: of the other authority.
        chain_files: private key and chain in one file, for `SSLContext.load_cert_chain`.
    """

    ca_file: Path
    other_ca_file: Path
    chain_files: dict[Certificate, Path]


def make_certificates(directory: Path) -> Certificates:
    """
    Write a new authority and one certificate of each kind to `directory`.
    """
    authority, other = trustme.CA(), trustme.CA()
    now = datetime.now(UTC)
    here = ("127.0.0.1", "localhost")
    past = partial(authority.issue_cert, not_before=now - timedelta(days=9), not_after=now - timedelta(days=1))
    future = partial(authority.issue_cert, not_before=now + timedelta(days=1), not_after=now + timedelta(days=9))
    leaves = {
        Certificate.GOOD: authority.issue_cert(*here),
        Certificate.WRONG_HOST: authority.issue_cert("elsewhere.example"),
        Certificate.OTHER_CA: other.issue_cert(*here),
        Certificate.EXPIRED: past(*here),
        Certificate.NOT_YET_VALID: future(*here),
        Certificate.CLIENT: authority.issue_cert("relay.example"),
        Certificate.CLIENT_OF_OTHER_CA: other.issue_cert("relay.example"),
        Certificate.CLIENT_EXPIRED: past("relay.example"),
        Certificate.CLIENT_NOT_YET_VALID: future("relay.example"),
    }
    contents = {kind: leaf.private_key_and_cert_chain_pem.bytes() for kind, leaf in leaves.items()}
    contents[Certificate.SELF_SIGNED] = self_signed(here, now).encode()
    ca_file, other_ca_file = directory / "ca.pem", directory / "other_ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    other.cert_pem.write_to_path(str(other_ca_file))
    chain_files = {}
    for kind, content in contents.items():
        chain_files[kind] = directory / f"{kind}.pem"
        chain_files[kind].write_bytes(content)
    return Certificates(ca_file=ca_file, other_ca_file=other_ca_file, chain_files=chain_files)
