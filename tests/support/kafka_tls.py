"""
An Apache Kafka that asks its clients for certificates, as ODIM's does.
"""

from dataclasses import dataclass
from pathlib import Path

import trustme
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from tests.support.kafka_server import KafkaServer
from tests.support.processes import free_port


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientFiles:
    """
    What a client of Kafka shows and trusts: files as `KAFKA__SECURITY__*` name them.
    """

    ca_file: Path
    cert_file: Path
    key_file: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaCertificates:
    """
    Of one authority that broker and clients share, and of another that neither trusts.

    Attributes:
        keystore: the broker's key and chain in one file.
        client: of a client that the broker knows.
        stranger: of the other authority.
    """

    keystore: Path
    client: ClientFiles
    stranger: ClientFiles


def make_kafka_certificates(folder: Path) -> KafkaCertificates:
    """
    Write new authorities and their certificates to `folder`, which is made.
    """
    folder.mkdir(parents=True)
    authority, other = trustme.CA(), trustme.CA()
    broker = authority.issue_cert("127.0.0.1", "localhost")
    keystore = folder / "broker.pem"
    keystore.write_bytes(_pkcs8(broker) + b"".join(blob.bytes() for blob in broker.cert_chain_pems))
    return KafkaCertificates(
        keystore=keystore,
        client=_client_files(folder, "client", authority),
        stranger=_client_files(folder, "stranger", other),
    )


def _client_files(folder: Path, name: str, authority: trustme.CA) -> ClientFiles:
    leaf = authority.issue_cert(f"{name}.example")
    files = ClientFiles(
        ca_file=folder / f"{name}-ca.pem", cert_file=folder / f"{name}.pem", key_file=folder / f"{name}-key.pem"
    )
    authority.cert_pem.write_to_path(str(files.ca_file))
    files.cert_file.write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
    files.key_file.write_bytes(_pkcs8(leaf))
    return files


def _pkcs8(leaf: trustme.LeafCert) -> bytes:
    # The one form in which Kafka takes a key from a PEM file.
    key = load_pem_private_key(leaf.private_key_pem.bytes(), password=None)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


class TlsKafkaServer(KafkaServer):
    """
    One node with a second listener: TLS, for those with a certificate only. The first is for the test's own hands.
    """

    def __init__(self, folder: Path, certificates: KafkaCertificates) -> None:
        super().__init__(folder)
        tls_port = free_port()
        self.tls_servers = f"127.0.0.1:{tls_port}"
        properties = folder / "server.properties"
        lines = dict(line.split("=", 1) for line in properties.read_text().splitlines())
        for name in ("listeners", "advertised.listeners"):
            lines[name] += f",SSL://{self.tls_servers}"
        lines |= {
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,SSL:SSL,CONTROLLER:PLAINTEXT",
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(certificates.keystore),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(certificates.client.ca_file),
            "ssl.client.auth": "required",
        }
        properties.write_text("".join(f"{name}={value}\n" for name, value in lines.items()))
