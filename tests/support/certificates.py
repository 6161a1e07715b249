"""
A throw-away certificate authority, and the certificates that a test needs of it.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

import trustme


class Certificate(StrEnum):
    """
    What a server presents.
    """

    GOOD = "good"
    WRONG_HOST = "wrong_host"
    OTHER_CA = "other_ca"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificates:
    """
    Files of one certificate authority.

    Attributes:
        ca_file: to verify GOOD with; WRONG_HOST and EXPIRED are signed by it too.
        chain_files: private key and chain in one file, for `SSLContext.load_cert_chain`.
    """

    ca_file: Path
    chain_files: dict[Certificate, Path]


def make_certificates(directory: Path) -> Certificates:
    """
    Write a new authority and one certificate of each kind to `directory`.
    """
    authority = trustme.CA()
    now = datetime.now(UTC)
    leaves = {
        Certificate.GOOD: authority.issue_cert("127.0.0.1", "localhost"),
        Certificate.WRONG_HOST: authority.issue_cert("elsewhere.example"),
        Certificate.OTHER_CA: trustme.CA().issue_cert("127.0.0.1", "localhost"),
        Certificate.EXPIRED: authority.issue_cert(
            "127.0.0.1", "localhost", not_before=now - timedelta(days=9), not_after=now - timedelta(days=1)
        ),
    }
    ca_file = directory / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    chain_files = {}
    for kind, leaf in leaves.items():
        chain_files[kind] = directory / f"{kind}.pem"
        leaf.private_key_and_cert_chain_pem.write_to_path(str(chain_files[kind]))
    return Certificates(ca_file=ca_file, chain_files=chain_files)
