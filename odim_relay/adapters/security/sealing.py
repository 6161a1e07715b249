"""
Encryption of what is kept: AES-256-GCM.
"""

import secrets
from base64 import b64decode, b64encode
from collections.abc import Sequence
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from odim_relay.errors import SealedError

KEY_BYTES = 32
_NONCE_BYTES = 12


class AesGcmSealer:
    """
    `Sealer`. What it makes is the id of the key, a dot, and the base64 of nonce and ciphertext; what it is bound to is
    authenticated with it. Threads share one instance.
    """

    def __init__(self, keys: Sequence[bytes] = ()) -> None:
        """
        Args:
            keys: of 32 bytes each, the newest first: that seals, all of them open.
        """
        self._ciphers = {key_id_of(key): AESGCM(key) for key in keys}
        self._newest = key_id_of(keys[0]) if keys else ""

    @property
    def can_seal(self) -> bool:
        """
        See `Sealer.can_seal`.
        """
        return bool(self._newest)

    def seal(self, plain: str, *, bound_to: str) -> str:
        """
        See `Sealer.seal`.
        """
        nonce = secrets.token_bytes(_NONCE_BYTES)
        encrypted = self._ciphers[self._newest].encrypt(nonce, plain.encode(), bound_to.encode())
        return f"{self._newest}.{b64encode(nonce + encrypted).decode()}"

    def open(self, sealed: str, *, bound_to: str) -> str:
        """
        See `Sealer.open`.
        """
        key_id, _, text = sealed.partition(".")
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise SealedError(bound_to, key_id)
        try:
            encrypted = b64decode(text, validate=True)
            return cipher.decrypt(encrypted[:_NONCE_BYTES], encrypted[_NONCE_BYTES:], bound_to.encode()).decode()
        except (ValueError, InvalidTag):
            raise SealedError(bound_to, key_id) from None

    def key_id(self, sealed: str) -> str:
        """
        See `Sealer.key_id`.
        """
        return sealed.partition(".")[0]

    def is_current(self, sealed: str) -> bool:
        """
        See `Sealer.is_current`.
        """
        return self.key_id(sealed) == self._newest


def key_id_of(key: bytes) -> str:
    """
    Name a key: 8 hexadecimal digits, by which nobody finds it.
    """
    return sha256(b"odim-relay encryption key\0" + key).hexdigest()[:8]


def new_encryption_key() -> str:
    """
    A key for `SECRETS__ENCRYPTION_KEYS`, as base64.
    """
    return b64encode(secrets.token_bytes(KEY_BYTES)).decode()
