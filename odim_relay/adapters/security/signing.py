"""
Ed25519 signatures.
"""

from base64 import b64encode
from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from odim_relay.domain.signing import public_key_of, seed_of, signing_key_of

_MOST_REMEMBERED = 4096


class Ed25519Signer:
    """
    `Signer`. Keys stay loaded: loading one takes as long as signing does. Threads share one instance.
    """

    def __init__(self) -> None:
        self._load = lru_cache(_MOST_REMEMBERED)(_load)

    def sign(self, key: str, content: bytes) -> str:
        """
        See `Signer.sign`.
        """
        return f"v1a,{b64encode(self._load(key).sign(content)).decode()}"

    def public_key(self, key: str) -> str:
        """
        See `Signer.public_key`.
        """
        return public_key_of(self._load(key).public_key().public_bytes_raw())


def new_signing_key() -> str:
    """
    A key to sign requests with.
    """
    key = Ed25519PrivateKey.generate()
    return signing_key_of(key.private_bytes_raw(), key.public_key().public_bytes_raw())


def _load(key: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(seed_of(key))
