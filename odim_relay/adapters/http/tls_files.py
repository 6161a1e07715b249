"""
TLS contexts out of files that change.
"""

import re
import ssl
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from odim_relay.domain.tls import TlsTerms, check_tls_file

_MOST_BYTES = 4_194_304
_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
_KEY = re.compile(rb"-----BEGIN (?P<kind>(?:[A-Z]+ )*PRIVATE KEY)-----.*?-----END (?P=kind)-----", re.DOTALL)

Stamps: TypeAlias = tuple[tuple[int, ...] | None, ...]


class TlsFileError(Exception):
    """
    A file cannot be used; the message names it and says why, in one line. Stays within this package.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFile:
    """
    A file, and what it is called where somebody reads about it.

    Attributes:
        folder: that it must not lead out of; None for one that the operator names.
    """

    path: Path
    name: str
    folder: Path | None = None

    def stamp(self) -> tuple[int, ...] | None:
        """
        What is another when the file is another; None while there is none.
        """
        try:
            found = self.path.stat()
        except (OSError, ValueError):
            return None
        return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns

    def read(self) -> bytes:
        """
        Read it.

        Raises:
            TlsFileError: it cannot be.
        """
        try:
            path = self.path.resolve(strict=True)
            # A mounted secret is full of symbolic links, which stay within it.
            if self.folder is not None and not path.is_relative_to(self.folder.resolve()):
                raise TlsFileError(f"the file {self.name} leads out of the folder that DELIVERY__TLS_DIR names")
            found = path.stat()
            if not stat.S_ISREG(found.st_mode):
                raise TlsFileError(f"the file {self.name} is no regular file")
            if found.st_size > _MOST_BYTES:
                raise TlsFileError(f"the file {self.name} is larger than 4 MiB")
            content = path.read_bytes()
        except (OSError, ValueError, RuntimeError) as exc:  # what cannot be a path; a circle of links
            reason = exc.strerror if isinstance(exc, OSError) and exc.strerror else type(exc).__name__
            raise TlsFileError(f"the file {self.name} cannot be read: {reason.lower()}") from exc
        if not content.strip():
            raise TlsFileError(f"the file {self.name} is empty")
        return content


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """
    The files of one identity. None for those that it does not have.
    """

    ca: TlsFile | None = None
    client_certificate: TlsFile | None = None
    client_key: TlsFile | None = None

    @classmethod
    def of(cls, terms: TlsTerms, folder: Path | None, usual_ca: Path | None) -> "TlsFiles":
        """
        Find the files that the terms name, and what is verified with where they name nothing.

        Raises:
            TlsFileError: there is no folder for them, or a name that leads elsewhere.
        """
        usual = None if usual_ca is None or terms.is_verified is False else TlsFile(path=usual_ca, name=str(usual_ca))
        return cls(
            ca=_in_folder(terms.ca_file, folder) or usual,
            client_certificate=_in_folder(terms.client_certificate_file, folder),
            client_key=_in_folder(terms.client_key_file or terms.client_certificate_file, folder),
        )

    @property
    def each(self) -> tuple[TlsFile, ...]:
        """
        Those that there are.
        """
        return tuple(one for one in (self.ca, self.client_certificate, self.client_key) if one is not None)

    def stamps(self) -> Stamps:
        """
        What is another when one of them changed.
        """
        return tuple(one.stamp() for one in self.each)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedTls:
    """
    A context that may be used until `ends_at_s`, seconds since the epoch, and what is to be told from then on.
    """

    context: ssl.SSLContext
    ends_at_s: float
    ending: str

    def check(self, now_s: float) -> None:
        """
        Complain when its time is over.

        Raises:
            TlsFileError: it is.
        """
        if now_s >= self.ends_at_s:
            raise TlsFileError(self.ending)


def load_tls(files: TlsFiles, *, is_verified: bool, now_s: float) -> LoadedTls:
    """
    Make a context of what the files hold now. TLS 1.2 or newer, whatever OpenSSL is configured to.

    Raises:
        TlsFileError: one of them cannot be used.
    """
    before = files.stamps()
    try:
        return _load(files, is_verified=is_verified, now_s=now_s)
    except TlsFileError:
        # A certificate of before a change does not fit the key of after it: that is no fault of the files.
        if files.stamps() == before:
            raise
        return _load(files, is_verified=is_verified, now_s=now_s)


def _load(files: TlsFiles, *, is_verified: bool, now_s: float) -> LoadedTls:
    ends_at_s, ending = float("inf"), ""
    if not is_verified:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif files.ca is None:
        context = ssl.create_default_context()
    else:
        context, ends_at_s = _verifying_with(files.ca)
        ending = f"every certificate in the file {files.ca.name} has expired"
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if files.client_certificate is not None and files.client_key is not None:
        expires_at_s = _show(context, files.client_certificate, files.client_key, now_s)
        if expires_at_s < ends_at_s:
            ends_at_s = expires_at_s
            ending = f"the client certificate in the file {files.client_certificate.name} has expired"
    loaded = LoadedTls(context=context, ends_at_s=ends_at_s, ending=ending)
    loaded.check(now_s)
    return loaded


def _in_folder(name: str, folder: Path | None) -> TlsFile | None:
    if not name:
        return None
    if folder is None:
        raise TlsFileError(f"the file {name} is to be used, and DELIVERY__TLS_DIR names no folder")
    if (wrong := check_tls_file(name)) is not None:
        raise TlsFileError(f"the file {name} {wrong}")
    return TlsFile(path=folder / name, name=name, folder=folder)


def _verifying_with(ca: TlsFile) -> tuple[ssl.SSLContext, float]:
    # Comments in it need not be ASCII, which OpenSSL's own reading would ask for.
    certificates = _CERTIFICATE.findall(ca.read())
    if not certificates:
        raise TlsFileError(f"the file {ca.name} holds no certificate, PEM")
    try:
        context = ssl.create_default_context(cadata=b"\n".join(certificates).decode("latin-1"))
    except (ssl.SSLError, ValueError):
        raise TlsFileError(f"the file {ca.name} holds a certificate that cannot be read") from None
    return context, max(map(_expires_at_s, certificates))


def _expires_at_s(certificate: bytes) -> float:
    try:
        return x509.load_pem_x509_certificate(certificate).not_valid_after_utc.timestamp()
    except ValueError:
        return float("inf")  # OpenSSL, which is less strict, will tell


def _show(context: ssl.SSLContext, certificate: TlsFile, key: TlsFile, now_s: float) -> float:
    """
    Let the context show a certificate; tells when that expires.
    """
    try:
        found = x509.load_pem_x509_certificates(certificate.read())[0]
    except (ValueError, IndexError):
        raise TlsFileError(f"the file {certificate.name} holds no certificate, PEM, that can be read") from None
    if now_s < found.not_valid_before_utc.timestamp():
        raise TlsFileError(f"the client certificate in the file {certificate.name} is not valid yet")
    _check_key(found, key)
    try:
        # Without a password OpenSSL would ask whoever sits at the terminal.
        context.load_cert_chain(certificate.path, key.path, password=lambda: "")
    except (OSError, ValueError) as exc:
        reason = str(getattr(exc, "reason", None) or type(exc).__name__).lower().replace("_", " ")
        raise TlsFileError(f"the files {certificate.name} and {key.name} cannot be used: {reason}") from exc
    return found.not_valid_after_utc.timestamp()


def _check_key(certificate: x509.Certificate, key: TlsFile) -> None:
    block = _KEY.search(key.read())
    if block is None:
        raise TlsFileError(f"the file {key.name} holds no private key, PEM")
    try:
        private = serialization.load_pem_private_key(block[0], password=None)
    except TypeError:
        raise TlsFileError(f"the private key in the file {key.name} is encrypted: give it without a password") from None
    except (ValueError, UnsupportedAlgorithm):
        raise TlsFileError(f"the private key in the file {key.name} cannot be read") from None
    if private.public_key() != certificate.public_key():
        raise TlsFileError(f"the private key in the file {key.name} is not that of the client certificate")
